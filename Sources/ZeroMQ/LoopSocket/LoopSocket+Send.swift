extension LoopSocket {
  /// As `send` of frames that are lent, for those who hold arrays.
  public func send(_ frames: [[UInt8]]) throws(ZMQError) -> Bool {
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: frames.reduce(0) { $0 + $1.count }, alignment: 1)
    defer { bytes.deallocate() }
    var end = 0
    let parts = frames.map { frame in
      let part = UnsafeMutableRawBufferPointer(rebasing: bytes[end..<end + frame.count])
      part.copyBytes(from: frame)
      end += frame.count
      return UnsafeRawBufferPointer(part)
    }
    return try send(parts.span)
  }
}
