/// JSON text to MessagePack bytes in one pass: exact, or refused.
///
/// Strict RFC 8259. Integers stay integers, numbers with a fraction or exponent become float64, and an object whose only
/// key is `$bin`, `$timestamp`, `$map`, `$ext` or one of the dates (`$datetime`, `$date`, `$time`, `$timedelta`) becomes what it
/// stands for.
///
///     var buffer = ByteBuffer()
///     let frames = try JSONToMessagePack().transcodeCall(body, into: &buffer)
public struct JSONToMessagePack: Sendable, Hashable {
  /// Depth and number of values that a document may have.
  public let limits: TranscodingLimits
  /// What `{"$ext":[code,...]}` is accepted for, and whether dates are.
  public let extensions: ExtensionRules

  /// A transcoder with these rules.
  public init(limits: TranscodingLimits = .init(), extensions: ExtensionRules = .init()) {
    self.limits = limits
    self.extensions = extensions
  }

  /// Appends the MessagePack form of exactly one JSON value of any kind.
  ///
  /// Throws `badJSON`, `notEncodable`, `tooDeep` or `tooManyElements`; `buffer` is then as it was before.
  public func transcode(_ json: UnsafeRawBufferPointer, into buffer: inout ByteBuffer) throws(TranscodingError) {
    _ = try run(json, &buffer, isCall: false)
  }

  /// Appends the arguments of a call and tells where they lie.
  ///
  /// An array holds positional arguments, an object keyword arguments, an object with only `args` (an array) and/or
  /// `kwargs` (an object) both; an empty text, or only white space, none. Throws as ``transcode(_:into:)`` does, and
  /// `badShape` for any other value; `buffer` is then as it was before.
  public func transcodeCall(
    _ json: UnsafeRawBufferPointer, into buffer: inout ByteBuffer
  ) throws(TranscodingError) -> CallFrames {
    if json.first ?? 0x20 <= 0x20, json.allSatisfy({ $0 == 0x20 || $0 == 0x0a || $0 == 0x0d || $0 == 0x09 }) {
      return CallFrames()
    }
    return try run(json, &buffer, isCall: true)
  }

  private func run(
    _ json: UnsafeRawBufferPointer, _ buffer: inout ByteBuffer, isCall: Bool
  ) throws(TranscodingError) -> CallFrames {
    guard json.count <= TranscodingLimits.largestDocument else { throw TranscodingFault(.tooLarge, 0).error() }
    let start = json.baseAddress?.assumingMemoryBound(to: UInt8.self) ?? Cursor.nowhere
    buffer.reserve((extensions.picklesDates ? 4 : 3) * json.count + JSONParser.slack)
    let output = buffer.base + buffer.count
    let before = buffer.count
    let result = try withUnsafeTemporaryAllocation(
      byteCount: JSONParser.lentBytes, alignment: 8
    ) { memory throws(TranscodingError) in
      var parser = JSONParser(
        start: start, end: start + json.count, output: output, limits: limits, extensions: extensions,
        frames: BorrowedStack(in: UnsafeMutableRawBufferPointer(rebasing: memory[..<JSONParser.lentToFrames])),
        keys: SeenKeys(in: UnsafeMutableRawBufferPointer(rebasing: memory[JSONParser.lentToFrames...])))
      do throws(TranscodingFault) {
        let count = try parser.run()
        return (count, isCall ? try parser.frames(count, before) : CallFrames())
      } catch {
        throw error.error { parser.pointer(error) }
      }
    }
    buffer.count = before + result.0
    return result.1
  }
}
