/// What has become of the events of streams: each event that a stream has come past counts once for that stream.
public struct EventAccounts: Sendable, Hashable {
  /// Numbers that were given: to published calls, to gaps in the place of such, and to changes of the publishers.
  public internal(set) var numbered = 0
  /// Events that streams have come past, each from the event with which it began.
  public internal(set) var passed = 0
  /// Events that were handed to the connection of a stream.
  public internal(set) var delivered = 0
  /// Events that a stream had not asked for.
  public internal(set) var filtered = 0
  /// Events that a stream read too slowly for: it was told how many.
  public internal(set) var lost = 0

  /// Whether each event that a stream has come past has had exactly one end.
  public var areBalanced: Bool { passed == delivered + filtered + lost }

  static func + (left: EventAccounts, right: EventAccounts) -> EventAccounts {
    var sum = EventAccounts()
    sum.numbered = left.numbered + right.numbered
    sum.passed = left.passed + right.passed
    sum.delivered = left.delivered + right.delivered
    sum.filtered = left.filtered + right.filtered
    sum.lost = left.lost + right.lost
    return sum
  }
}
