/// A call as it arrives at a ROUTER.
public struct WireCall: Sendable {
  /// What stands before the four frames: the caller's identity.
  public let envelope: [[UInt8]]
  public let header: [UInt8]
  public let method: String
  public let arguments: [UInt8]
  public let keywords: [UInt8]

  /// The number of the call.
  public var number: UInt32 { header[4..<8].reversed().reduce(0) { $0 << 8 | UInt32($1) } }

  /// The header of a reply to it.
  public func replyHeader(isException: Bool = false) -> [UInt8] { header + [isException ? 1 : 0] }
}

extension WireSocket {
  /// The next call.
  public func call() async throws -> WireCall {
    let frames = try await receive()
    guard frames.count >= 5 else { throw TimedOut("a call has five frames, not \(frames.count)") }
    let own = frames.suffix(4).map { $0 }
    return WireCall(
      envelope: Array(frames.dropLast(4)), header: own[0], method: String(decoding: own[1], as: UTF8.self),
      arguments: own[2], keywords: own[3])
  }

  /// Answers a call with one packed value.
  public func answer(_ call: WireCall, _ body: [UInt8], isException: Bool = false) throws {
    try send(call.envelope + [call.replyHeader(isException: isException), body])
  }
}
