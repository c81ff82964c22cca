extension Scan {
  /// Validates the MessagePack body of a call, and tells where its arguments lie in it (contract, section 2).
  ///
  /// The shapes are those of ``JSONToMessagePack/transcodeCall(_:into:)``: an array, a map, a map with only `args` (an
  /// array) and/or `kwargs` (a map), or no bytes at all. Throws as ``validate(_:)`` does, and `badShape` for any other
  /// value.
  public func call(_ bytes: UnsafeRawBufferPointer) throws(TranscodingError) -> CallFrames {
    if bytes.isEmpty { return CallFrames() }
    try validate(bytes)
    do throws(TranscodingFault) {
      var cursor = Cursor(bytes, limits: .init(depth: .max, elements: .max))
      let whole = 0..<bytes.count
      switch try cursor.token() {
      case .array(let count): return CallFrames(arguments: count == 0 ? nil : whole)
      case .map(0): return CallFrames()
      case .map(let count): return try envelope(count, &cursor) ?? CallFrames(keywords: whole)
      default: throw TranscodingFault(.shape, 0)
      }
    } catch {
      throw error.error()
    }
  }

  /// The frames of a map of `count` pairs whose only keys are `args` and `kwargs`; nil when it is something else.
  private func envelope(_ count: Int, _ cursor: inout Cursor) throws(TranscodingFault) -> CallFrames? {
    guard count <= 2 else { return nil }
    var frames = CallFrames()
    var (hasArguments, hasKeywords) = (false, false)
    for _ in 0..<count {
      guard case .string(let key) = try cursor.token() else { return nil }
      let from = cursor.offset
      var peek = cursor
      let value = try peek.token()
      try cursor.skip()
      let range = from..<cursor.offset
      if !hasArguments, key.elementsEqual("args".utf8), case .array(let members) = value {
        frames.arguments = members == 0 ? nil : range
        hasArguments = true
      } else if !hasKeywords, key.elementsEqual("kwargs".utf8), case .map(let members) = value {
        frames.keywords = members == 0 ? nil : range
        hasKeywords = true
      } else {
        return nil
      }
    }
    return frames
  }
}
