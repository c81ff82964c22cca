/// Arguments that a client sends as MessagePack: checked, and passed on as they came.
///
/// What a service could not read, or should not, is refused: a key of a map that is neither string nor binary or comes twice, a
/// string that is not UTF-8, an extension that the rules do not list. Where the rules say that dates are pickled, those of codes
/// 123 to 127 that are values of Python's `datetime` are written afresh; other bytes of these codes are never passed on.
public struct MessagePackArguments: Sendable, Hashable {
  /// Depth and number of values that a document may have.
  public let limits: TranscodingLimits
  /// Which extensions may come.
  public let extensions: ExtensionRules

  /// Arguments by these rules.
  public init(limits: TranscodingLimits = .init(), extensions: ExtensionRules = .init()) {
    self.limits = limits
    self.extensions = extensions
  }

  /// Appends one value of any kind. Throws as ``passCall(_:into:)`` does, but for the shape; `buffer` is then as it was before.
  public func pass(_ bytes: UnsafeRawBufferPointer, into buffer: inout ByteBuffer) throws(TranscodingError) {
    _ = try MessagePackPass.run(bytes, .toService(extensions), limits, &buffer)
  }

  /// Appends the arguments of a call and tells where they lie.
  ///
  /// An array holds positional arguments, a map keyword arguments, a map with only `args` (an array) and/or `kwargs` (a map)
  /// both; no bytes at all, none. Throws `badMessagePack`, `notEncodable`, `tooDeep`, `tooManyElements` and, for any other
  /// value, `badShape`; `buffer` is then as it was before.
  public func passCall(
    _ bytes: UnsafeRawBufferPointer, into buffer: inout ByteBuffer
  ) throws(TranscodingError) -> CallFrames {
    if bytes.isEmpty { return CallFrames() }
    let before = buffer.count
    let hasBinaryKeys = try MessagePackPass.run(bytes, .toService(extensions), limits, &buffer)
    do throws(TranscodingFault) {
      let whole = before..<buffer.count
      return try buffer.withUnsafeBytes(whole) { bytes throws(TranscodingFault) in
        let frames = try Self.frames(bytes, before)
        guard hasBinaryKeys, let keywords = frames.keywords else { return frames }
        try Self.requireNames(
          UnsafeRawBufferPointer(rebasing: bytes[(keywords.lowerBound - before)..<(keywords.upperBound - before)]))
        return frames
      }
    } catch {
      buffer.truncate(to: before)
      throw error.error { "" }
    }
  }

  /// The frames of a call in checked bytes, which begin at `base` of the buffer.
  private static func frames(_ bytes: UnsafeRawBufferPointer, _ base: Int) throws(TranscodingFault) -> CallFrames {
    let whole = base..<(base + bytes.count)
    var cursor = Cursor(bytes, limits: .unbounded)
    switch try cursor.token() {
    case .array(0), .map(0): return CallFrames()
    case .array: return CallFrames(arguments: whole, at: .init(.bare))
    case .map(let count): return try envelope(count, &cursor, base) ?? CallFrames(keywords: whole, at: .init(.bare))
    default: throw TranscodingFault(.shape, 0)
    }
  }

  /// The frames within a map of one or two members; nil when it has others than `args` and `kwargs`.
  private static func envelope(_ count: Int, _ cursor: inout Cursor, _ base: Int) throws(TranscodingFault)
    -> CallFrames?
  {
    guard count <= 2 else { return nil }
    var frames = CallFrames()
    for _ in 0..<count {
      guard case .string(let name) = try cursor.token() else { return nil }
      let start = cursor
      let value = try cursor.token()
      cursor = start
      try cursor.skip()
      let range = (base + start.offset)..<(base + cursor.offset)
      switch value {
      case .array(let members) where name.elementsEqual("args".utf8): frames.arguments = members == 0 ? nil : range
      case .map(let members) where name.elementsEqual("kwargs".utf8): frames.keywords = members == 0 ? nil : range
      default: return nil
      }
    }
    return frames
  }

  /// Refuses keyword arguments that are named by bytes.
  private static func requireNames(_ keywords: UnsafeRawBufferPointer) throws(TranscodingFault) {
    var cursor = Cursor(keywords, limits: .unbounded)
    guard case .map(let count) = try cursor.token() else { return }
    for _ in 0..<count {
      guard case .string = try cursor.token() else { throw TranscodingFault(.keywordType, 0) }
      try cursor.skip()
    }
  }
}
