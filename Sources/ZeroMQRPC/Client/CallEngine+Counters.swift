extension CallEngine {
  /// What has happened since the start.
  public struct Counters: Sendable, Hashable {
    /// Calls whose deadline passed while they waited.
    public internal(set) var queueTimeouts = 0
    /// Calls whose deadline passed when a backend had them.
    public internal(set) var timeouts = 0
    /// Replies to calls that had ended before.
    public internal(set) var lateReplies = LateReplies()
    /// Messages that are no replies, or replies to calls that another backend has.
    public var malformedReplies: Int { malformed.count }
    /// Connections replaced after a row of timeouts.
    public internal(set) var replacedConnections = 0
    /// Calls sent once more because their connection was lost.
    public internal(set) var retriedCalls = 0
    /// Calls of which a second copy was sent.
    public internal(set) var hedgedCalls = 0
    /// Calls refused for want of room.
    public internal(set) var shed = ShedCalls()
    var malformed = PowerOfTwoCounter()

    /// None yet.
    public init() {}

    /// Counts a call that there is no room for. Returns what its caller is told.
    mutating func shed(_ code: CallFailure.Code, _ priority: CallPriority) -> CallFailure {
      shed.count(priority)
      return CallFailure(code, sent: false)
    }
  }
}
