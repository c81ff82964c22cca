public import Reactor
public import ZeroMQ

/// Is told how a call ended. Exactly one of these is called, on the engine's thread, unless the call is cancelled.
public protocol ReplyHandler: AnyObject {
  /// The reply came: a result, or an exception (see `RemoteException`), as one MessagePack value that is not yet validated. The
  /// bytes live for the time of this call only.
  func replied(_ body: UnsafeRawBufferPointer, isException: Bool)
  /// The same, of a reply that is longer than `RPCOptions.longestShortReply`.
  func replied(_ reply: LongReply)
  /// The backend was silent until the deadline.
  func timedOut(_ silence: Silence)
  /// There will be no reply.
  func failed(_ failure: CallFailure)
}

extension ReplyHandler {
  public func replied(_ reply: LongReply) {
    reply.body.withUnsafeBytes { replied($0, isException: reply.isException) }
  }

  public func timedOut(_ silence: Silence) { failed(CallFailure(.timeout, sent: true)) }
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

/// What is known of a call that a backend has not answered by its deadline.
public struct Silence: Sendable, Hashable {
  /// How long the call waited in the client before it was sent.
  public let queued: Duration
  /// How long the backend has had it.
  public let waited: Duration
  /// How long the connection that it was sent on has stood; nil when it stands no more.
  public let connected: Duration?
  /// How many other calls were answered on that connection since it was sent.
  public let answeredMeanwhile: Int
  /// Whether a message that is no reply came on that connection since it was sent.
  public let isGarbled: Bool

  /// What is known.
  public init(
    queued: Duration, waited: Duration, connected: Duration?, answeredMeanwhile: Int, isGarbled: Bool = false
  ) {
    self.queued = queued
    self.waited = waited
    self.connected = connected
    self.answeredMeanwhile = answeredMeanwhile
    self.isGarbled = isGarbled
  }
}
