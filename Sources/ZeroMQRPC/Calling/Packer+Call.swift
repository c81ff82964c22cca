import MessagePack

extension Packer {
  /// A call as it travels. Throws `CallFailure` for an empty name, `ConversionError` and `TranscodingError` for arguments that cannot
  /// travel.
  func pack(
    topic: [UInt8]? = nil, _ name: String, _ arguments: [(any ValueEncodable)?], _ keywords: Keywords
  ) throws -> CopiedCall {
    guard !name.isEmpty else { throw CallFailure(.noName, sent: false) }
    let positional = try pack(.array(arguments.map { try $0?.asValue() ?? .nil }))
    let named = try pack(.map(keywords.pairs.map { .init(.string($0), try $1?.asValue() ?? .nil) }))
    return Array(name.utf8).withUnsafeBytes { name in
      positional.withUnsafeBytes { positional in
        named.withUnsafeBytes { named in
          var call = BorrowedCall(method: name, arguments: positional, keywords: named)
          guard let topic else { return CopiedCall(copying: call) }
          return topic.withUnsafeBytes { topic in
            call.topic = topic
            return CopiedCall(copying: call)
          }
        }
      }
    }
  }
}
