import ConfigurationReader
import FoundationEssentials
import MessagePack

extension Field {
  /// A value that a mock gives: what YAML calls integers, floats and texts is so here, and bytes and extensions are written as in JSON,
  /// `{ $bin: AAEC }` and `{ $ext: [10, AAEC] }`. Reports what is wrong with it.
  func mockValue() -> Value? {
    guard let value = anything() else { return nil }
    do throws(InvalidText) {
      return try Value(value)
    } catch {
      report(error.description)
      return nil
    }
  }
}

extension Value {
  fileprivate init(_ value: YAMLValue) throws(InvalidText) {
    switch value {
    case .null: self = .nil
    case .bool(let truth): self = .bool(truth)
    case .integer(let number): self = .int(number)
    case .float(let number): self = .double(number)
    case .text(let text): self = .string(text)
    case .list(let values):
      var elements: [Value] = []
      for value in values { elements.append(try Value(value)) }
      self = .array(elements)
    case .mapping(let members):
      if members.count == 1, let special = try Self.special(members[0]) {
        self = special
        return
      }
      var pairs: [Pair] = []
      for member in members { pairs.append(Pair(.string(member.key), try Value(member.value))) }
      self = .map(pairs)
    }
  }

  /// Bytes, or an extension; nil for any other member.
  private static func special(_ member: YAMLValue.Member) throws(InvalidText) -> Value? {
    switch (member.key, member.value) {
    case ("$bin", .text(let text)): return .binary(try bytes(text))
    case ("$ext", .list(let parts)):
      guard parts.count == 2, case .integer(let number) = parts[0], let code = Int8(exactly: number),
        case .text(let text) = parts[1]
      else { break }
      return .ext(code, try bytes(text))
    case ("$bin", _), ("$ext", _): break
    case ("$map", _), ("$timestamp", _), ("$datetime", _), ("$date", _), ("$time", _), ("$timedelta", _):
      throw InvalidText("\"\(member.key)\" is none of $bin and $ext, which are what a mock can give")
    default: return nil
    }
    throw InvalidText(
      "\"\(member.key)\" is written { $bin: \"<base64>\" } or { $ext: [code, \"<base64>\"] }, code -128 to 127")
  }

  private static func bytes(_ text: String) throws(InvalidText) -> [UInt8] {
    guard let data = Data(base64Encoded: text) else { throw InvalidText("\"\(text)\" is no base64") }
    return [UInt8](data)
  }
}
