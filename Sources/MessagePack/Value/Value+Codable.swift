extension Value: Codable {
  /// What any decoder gives: of numbers the integers first.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .nil
    } else if let flag = try? container.decode(Bool.self) {
      self = .bool(flag)
    } else if let number = try? container.decode(Int64.self) {
      self = .int(number)
    } else if let number = try? container.decode(UInt64.self) {
      self = .integer(number)
    } else if let number = try? container.decode(Double.self) {
      self = .double(number)
    } else if let text = try? container.decode(String.self) {
      self = .string(text)
    } else if let members = try? container.decode([Value].self) {
      self = .array(members)
    } else {
      self = .map(try container.decode([String: Value].self).map { Pair(.string($0.key), $0.value) })
    }
  }

  /// Writes what the encoder can hold; `ValueEncoder` takes every value as it is. Throws for extensions and for keys that are no
  /// strings.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .nil: try container.encodeNil()
    case .bool(let flag): try container.encode(flag)
    case .int(let number): try container.encode(number)
    case .uint(let number): try container.encode(number)
    case .double(let number): try container.encode(number)
    case .string(let text): try container.encode(text)
    case .binary(let bytes): try container.encode(bytes)
    case .array(let members): try container.encode(members)
    case .map(let pairs):
      var members: [String: Value] = [:]
      for pair in pairs {
        guard case .string(let key) = pair.key else {
          throw ConversionError.needed("a string for a key", not: pair.key)
        }
        members[key] = pair.value
      }
      try container.encode(members)
    case .ext: throw ConversionError.value("\(kind) has no form here")
    }
  }
}
