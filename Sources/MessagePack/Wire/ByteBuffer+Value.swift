extension ByteBuffer {
  /// Adds the MessagePack bytes of `value` by this module's own writer; ``Packer`` does the same through msgpack-c.
  ///
  /// Recursive: the tree's depth must be bounded, as that of every tree from ``Unpacker`` is.
  public mutating func appendValue(_ value: Value) {
    switch value {
    case .nil: appendNil()
    case .bool(let flag): appendBool(flag)
    case .int(let number): appendInteger(number)
    case .uint(let number): appendInteger(number)
    case .double(let number): appendDouble(number)
    case .string(let text): appendString(text)
    case .binary(let bytes): bytes.withUnsafeBytes { appendBinary($0) }
    case .ext(let code, let bytes): bytes.withUnsafeBytes { appendExtension(code: code, $0) }
    case .array(let members):
      appendArrayHeader(members.count)
      for member in members { appendValue(member) }
    case .map(let pairs):
      appendMapHeader(pairs.count)
      for pair in pairs {
        appendValue(pair.key)
        appendValue(pair.value)
      }
    }
  }
}
