import MessagePack

extension Query {
  /// Appends the arguments of a GET as MessagePack and tells where they lie: positionals as one array, keywords as one map.
  func transcode(
    _ reader: JSONToMessagePack, into buffer: inout ByteBuffer
  ) throws(TranscodingError) -> CallFrames {
    var frames = CallFrames()
    if !positionals.isEmpty {
      let start = buffer.count
      buffer.appendArrayHeader(positionals.count)
      for argument in positionals { try argument.transcode(reader, into: &buffer) }
      frames.arguments = start..<buffer.count
    }
    if !keywords.isEmpty {
      let start = buffer.count
      buffer.appendMapHeader(keywords.count)
      for argument in keywords {
        (argument.name ?? []).withUnsafeBytes { buffer.appendString($0) }
        try argument.transcode(reader, into: &buffer)
      }
      frames.keywords = start..<buffer.count
    }
    return frames
  }
}

extension Query.Argument {
  fileprivate func transcode(_ reader: JSONToMessagePack, into buffer: inout ByteBuffer) throws(TranscodingError) {
    let span = value.span
    try span.withUnsafeBytes { bytes throws(TranscodingError) in
      if isJSON { try reader.transcode(bytes, into: &buffer) } else { buffer.appendString(bytes) }
    }
  }
}
