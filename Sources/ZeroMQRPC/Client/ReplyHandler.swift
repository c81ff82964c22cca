public import Reactor
public import ZeroMQ

/// Is told how a call ended. Exactly one of the two is called, on the engine's thread, unless the call is cancelled.
public protocol ReplyHandler: AnyObject {
  /// The reply came: a result, or an exception (see `RemoteException`), as one MessagePack value that is not yet validated. The
  /// bytes live for the time of this call only.
  func replied(_ body: UnsafeRawBufferPointer, isException: Bool)
  /// The same, of a reply that is longer than `RPCOptions.longestShortReply`.
  func replied(_ reply: LongReply)
  /// There will be no reply.
  func failed(_ failure: CallFailure)
}

extension ReplyHandler {
  public func replied(_ reply: LongReply) {
    reply.body.withUnsafeBytes { replied($0, isException: reply.isException) }
  }
}

/// A reply to keep: to be read later, or on another thread.
public struct LongReply: Sendable {
  /// One MessagePack value that is not yet validated.
  public let body: KeptFrame
  /// Whether it is an exception.
  public let isException: Bool
  /// When the caller will have waited for as long as it wants to.
  public let deadline: Instant
}
