public import ZeroMQ

/// Why a call has no reply, and whether it may have run all the same.
public struct CallFailure: Error, Hashable, Sendable {
  /// What went wrong.
  public struct Code: RawRepresentable, Hashable, Sendable {
    /// The name, as the gateway's problem details use it.
    public let rawValue: String
    /// Any name.
    public init(rawValue: String) { self.rawValue = rawValue }
    /// No backend is connected.
    public static let noBackend = Code(rawValue: "no-backend")
    /// As many calls as the service allows are under way.
    public static let overloaded = Code(rawValue: "overloaded")
    /// The memory that calls may take is used up.
    public static let memoryFull = Code(rawValue: "memory-full")
    /// No connected backend takes more calls, and no more may wait.
    public static let queueFull = Code(rawValue: "queue-full")
    /// Each connected endpoint is left alone because calls to it failed.
    public static let breakerOpen = Code(rawValue: "breaker-open")
    /// The deadline passed before any backend had room.
    public static let queueTimeout = Code(rawValue: "queue-timeout")
    /// The backend was silent until the deadline.
    public static let timeout = Code(rawValue: "timeout")
    /// The connection went away after the call was sent.
    public static let backendLost = Code(rawValue: "backend-lost")
    /// The reply has not the frames of a reply.
    public static let badReply = Code(rawValue: "bad-reply")
    /// The reply is longer than the client accepts.
    public static let replyTooLarge = Code(rawValue: "reply-too-large")
    /// The call has an empty name, with which nothing can be called.
    public static let noName = Code(rawValue: "no-name")
    /// The client was closed.
    public static let closed = Code(rawValue: "closed")
  }

  /// What went wrong.
  public let code: Code
  /// True when the call was handed to a connected backend, so that it may have run.
  public let sent: Bool
  /// Of `noBackend`: why there is none, when that is known.
  public let reason: ConnectFault.Code?
  /// Of `breakerOpen`: how long until an endpoint is tried again.
  public let retryAfter: Duration?

  /// A failure.
  public init(_ code: Code, sent: Bool, reason: ConnectFault.Code? = nil, retryAfter: Duration? = nil) {
    self.code = code
    self.sent = sent
    self.reason = reason
    self.retryAfter = retryAfter
  }
}
