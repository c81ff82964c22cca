/// A node of a YAML text.
package indirect enum YAMLNode: Sendable {
  /// A value without parts.
  package struct Scalar: Sendable {
    /// What is written, without its quotes.
    package let string: String
    /// Whether it has no quotes, and is no block of text.
    package let isPlain: Bool
    /// A tag that is written before it, such as `tag:yaml.org,2002:int`.
    let tag: String?
    let place: Place
  }

  /// A key and its value.
  package struct Pair: Sendable {
    package let key: YAMLNode
    package let value: YAMLNode
  }

  case scalar(Scalar)
  case sequence([YAMLNode], Place)
  /// In the order of the text.
  case mapping([Pair], Place)

  /// The node of a text with one document; nil for an empty one. Of keys that stand twice in a mapping the first is told.
  package static func read(_ text: String) throws(YAMLFault) -> YAMLNode? {
    let bytes = Array(text.utf8)
    return try bytes.withUnsafeBufferPointer { bytes throws(YAMLFault) in
      try YAMLParser(bytes, text).root()
    }
  }

  package var scalar: Scalar? { if case .scalar(let scalar) = self { scalar } else { nil } }
  package var sequence: [YAMLNode]? { if case .sequence(let nodes, _) = self { nodes } else { nil } }
  package var mapping: [Pair]? { if case .mapping(let pairs, _) = self { pairs } else { nil } }

  /// The value of a key; nil when it is not there, or when this is no mapping.
  package subscript(key: String) -> YAMLNode? { mapping?.first { $0.key.scalar?.string == key }?.value }

  /// Where it begins.
  var place: Place {
    switch self {
    case .scalar(let scalar): scalar.place
    case .sequence(_, let place), .mapping(_, let place): place
    }
  }
}

/// What is wrong with a text as YAML.
package struct YAMLFault: Error {
  /// Whether it is a key that stands twice.
  let isDuplicate: Bool
  let place: Place
  /// The key that stands twice; empty for anything else.
  let key: String
  /// In libyaml's words.
  let reason: String

  init(_ reason: String, at place: Place) { (isDuplicate, self.place, key, self.reason) = (false, place, "", reason) }

  init(duplicate key: String, at place: Place) {
    (isDuplicate, self.place, self.key) = (true, place, key)
    reason = "duplicate key; it is written again further down"
  }
}

extension YAMLNode.Scalar {
  /// What YAML's core schema (version 1.2, 10.3) takes it for.
  package var value: YAMLValue {
    switch tag {
    case nil: isPlain ? Self.plain(string) : .text(string)
    case "tag:yaml.org,2002:str"?: .text(string)
    case let tag?:
      // A tag that does not fit, or is not known, leaves the text.
      switch (tag, Self.plain(string)) {
      case ("tag:yaml.org,2002:null", .null), ("tag:yaml.org,2002:bool", .bool), ("tag:yaml.org,2002:int", .integer),
        ("tag:yaml.org,2002:float", .float):
        Self.plain(string)
      case ("tag:yaml.org,2002:float", .integer(let whole)): .float(Double(whole))
      default: .text(string)
      }
    }
  }

  private static func plain(_ text: String) -> YAMLValue {
    switch text {
    case "", "~", "null", "Null", "NULL": return .null
    case "true", "True", "TRUE": return .bool(true)
    case "false", "False", "FALSE": return .bool(false)
    case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": return .float(.infinity)
    case "-.inf", "-.Inf", "-.INF": return .float(-.infinity)
    case ".nan", ".NaN", ".NAN": return .float(.nan)
    default: break
    }
    // Most texts are no numbers, and this is asked of each.
    guard let first = text.utf8.first, first == 0x2B || first == 0x2D || first == 0x2E || 0x30...0x39 ~= first else {
      return .text(text)
    }
    if let number = integer(text) { return .integer(number) }
    // Double takes more: hexadecimal ones, and words.
    let isDecimal = text.utf8.allSatisfy { byte in
      switch byte {
      case 0x30...0x39, UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"):
        true
      default: false
      }
    }
    return isDecimal ? Double(text).map(YAMLValue.float) ?? .text(text) : .text(text)
  }

  /// A whole number of 64 bits; nil for one beyond, and for other texts.
  private static func integer(_ text: String) -> Int64? {
    for (prefix, radix) in [("0x", 16), ("0o", 8)] where text.hasPrefix(prefix) {
      let digits = text.dropFirst(2)
      return digits.allSatisfy(\.isHexDigit) ? Int64(digits, radix: radix) : nil
    }
    return Int64(text)
  }
}
