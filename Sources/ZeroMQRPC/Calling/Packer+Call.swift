import MessagePack

extension Packer {
  /// A call as it travels. Throws `CallFailure` for an empty name, `ConversionError` and `TranscodingError` for arguments that cannot
  /// travel.
  func pack(
    topic: [UInt8]? = nil, _ name: String, _ arguments: [(any ValueEncodable)?], _ keywords: Keywords
  ) throws -> CopiedCall {
    guard !name.isEmpty else { throw CallFailure(.noName, sent: false) }
    var bytes = ByteBuffer()
    topic?.withUnsafeBytes { bytes.append($0) }
    bytes.append(utf8: name)
    let methodEnd = bytes.count
    bytes.appendArrayHeader(arguments.count)
    for argument in arguments { try pack(argument?.asValue() ?? .nil, into: &bytes, inside: 1) }
    let argumentsEnd = bytes.count
    try pack(.map(keywords.pairs.map { .init(.string($0), try $1?.asValue() ?? .nil) }), into: &bytes)
    return CopiedCall(bytes, topicEnd: topic?.count, methodEnd: methodEnd, argumentsEnd: argumentsEnd)
  }
}
