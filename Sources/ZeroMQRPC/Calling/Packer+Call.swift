import MessagePack

extension Packer {
  /// A call as it travels. Throws `CallFailure` for an empty name, `ConversionError` and `TranscodingError` for arguments that cannot
  /// travel.
  func pack(
    topic: [UInt8]? = nil, _ name: String, _ arguments: [(any ValueEncodable)?], _ keywords: Keywords
  ) throws -> CopiedCall {
    try pack(topic, name, arguments.count, keywords) { bytes in
      // Not one after the other: each would be copied.
      try arguments.withUnsafeBufferPointer { arguments in
        for index in arguments.indices { try pack(arguments[index]?.asValue() ?? .nil, into: &bytes, inside: 1) }
      }
    }
  }

  /// The same of a call that is written out: what has no name is an argument by position.
  func pack(
    topic: [UInt8]? = nil, _ name: String, _ arguments: KeyValuePairs<String, (any ValueEncodable)?>
  ) throws -> CopiedCall {
    let count = arguments.count { $0.key.isEmpty }
    return try pack(topic, name, count, count < arguments.count ? Keywords(of: arguments) : .none) { bytes in
      for argument in arguments where argument.key.isEmpty {
        try pack(argument.value?.asValue() ?? .nil, into: &bytes, inside: 1)
      }
    }
  }

  private func pack(
    _ topic: [UInt8]?, _ name: String, _ count: Int, _ keywords: Keywords, arguments: (inout ByteBuffer) throws -> Void
  ) throws -> CopiedCall {
    guard !name.isEmpty else { throw CallFailure(.noName, sent: false) }
    var bytes = ByteBuffer()
    topic?.withUnsafeBytes { bytes.append($0) }
    bytes.append(utf8: name)
    let methodEnd = bytes.count
    bytes.appendArrayHeader(count)
    try arguments(&bytes)
    let argumentsEnd = bytes.count
    if keywords.pairs.isEmpty {
      bytes.appendMapHeader(0)
    } else {
      try pack(.map(keywords.pairs.map { .init(.string($0), try $1?.asValue() ?? .nil) }), into: &bytes)
    }
    return CopiedCall(bytes, topicEnd: topic?.count, methodEnd: methodEnd, argumentsEnd: argumentsEnd)
  }
}
