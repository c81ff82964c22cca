import MessagePack

extension Value {
  /// The text of Python's `repr` for what arrives there: arrays become tuples.
  var pythonRepr: String {
    switch self {
    case .nil: "None"
    case .bool(let value): value ? "True" : "False"
    case .int(let value): "\(value)"
    case .uint(let value): "\(value)"
    case .double(let value): "\(value)"
    case .string(let text): PythonRepr.of(text)
    case .binary(let bytes): PythonRepr.of(bytes)
    case .array(let values):
      values.count == 1
        ? "(\(values[0].pythonRepr),)" : "(\(values.map(\.pythonRepr).joined(separator: ", ")))"
    case .map(let pairs):
      "{\(pairs.map { "\($0.key.pythonRepr): \($0.value.pythonRepr)" }.joined(separator: ", "))}"
    case .ext(let code, let bytes): "ExtType(code=\(code), data=\(PythonRepr.of(bytes)))"
    }
  }

  /// What Python iterates over, as `method(*args)` does: the members of an array, the characters of a string, the bytes of a
  /// binary, the keys of a map.
  var pythonMembers: [Value]? {
    switch self {
    case .array(let members): members
    // Python counts code points as characters.
    case .string(let text): text.unicodeScalars.map { .string(String($0)) }
    case .binary(let bytes): bytes.map { .int(Int64($0)) }
    case .map(let pairs): pairs.map(\.key)
    default: nil
    }
  }

  /// The name of the class that Python reads the value as.
  var pythonType: String {
    switch self {
    case .nil: "NoneType"
    case .bool: "bool"
    case .int, .uint: "int"
    case .double: "float"
    case .string: "str"
    case .binary: "bytes"
    case .array: "tuple"
    case .map: "dict"
    case .ext: "ExtType"
    }
  }
}

/// Python's way to write strings and bytes.
enum PythonRepr {
  static func of(_ text: String) -> String {
    // Single quotes, unless the text holds some and no double ones.
    let quote: Unicode.Scalar = text.contains("'") && !text.contains("\"") ? "\"" : "'"
    var quoted = String(quote)
    for scalar in text.unicodeScalars {
      if scalar.properties.generalCategory == .control {
        append(scalar.value, to: &quoted)
      } else {
        if scalar == quote || scalar == "\\" { quoted += "\\" }
        quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + String(quote)
  }

  static func of(_ bytes: [UInt8]) -> String {
    let quote = bytes.contains(UInt8(ascii: "'")) && !bytes.contains(UInt8(ascii: "\"")) ? "\"" : "'"
    var quoted = "b" + quote
    for byte in bytes {
      let character = Unicode.Scalar(byte)
      if (0x20..<0x7F).contains(byte) {
        if quote.unicodeScalars.first == character || character == "\\" { quoted += "\\" }
        quoted.unicodeScalars.append(character)
      } else {
        append(UInt32(byte), to: &quoted)
      }
    }
    return quoted + quote
  }

  private static func append(_ value: UInt32, to text: inout String) {
    switch value {
    case 0x09: text += "\\t"
    case 0x0A: text += "\\n"
    case 0x0D: text += "\\r"
    default: text += "\\x" + (value < 16 ? "0" : "") + String(value, radix: 16)
    }
  }
}
