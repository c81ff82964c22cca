/// What has become of the events of streams: each number that a stream has come past counts once for that stream.
///
/// A stream's numbers begin behind the event that its client names, else with the first one that it is to get, and end with the last
/// one that came to its thread while it was open. Where nobody knows how many are missing (a `gap` whose `missed` is null), they begin
/// behind the gap.
public struct EventAccounts: Sendable, Hashable {
  /// Numbers that were given: to published calls, to gaps in the place of such, and to changes of the publishers.
  public internal(set) var numbered = 0
  /// Streams that have opened.
  public internal(set) var streams = 0
  /// Numbers of all streams together.
  public internal(set) var passed = 0
  /// Events that were handed to the connection of a stream.
  public internal(set) var delivered = 0
  /// Events that a stream had not asked for.
  public internal(set) var filtered = 0
  /// Events in whose place a stream was told that they are missing, by `gap` or `lagged`. A gap that stands for several messages
  /// has one number.
  public internal(set) var lost = 0
  /// Numbers before a snapshot, in whose place the stream got the last values of its topics: those of other topics among them, as
  /// nobody knows any more which they were.
  public internal(set) var superseded = 0
  /// Events that a stream had not been given, or not been told of, when it ended; of one that is open, those that wait for it.
  public internal(set) var unsent = 0
  /// Streams whose own numbers do not add up. There are none, unless the gateway has a fault.
  public internal(set) var unbalancedStreams = 0

  /// Whether each number that a stream has come past has had exactly one end, for each stream.
  public var areBalanced: Bool {
    unbalancedStreams == 0 && passed == delivered + filtered + lost + superseded + unsent
  }

  static func + (left: EventAccounts, right: EventAccounts) -> EventAccounts {
    var sum = EventAccounts()
    sum.numbered = left.numbered + right.numbered
    sum.streams = left.streams + right.streams
    sum.passed = left.passed + right.passed
    sum.delivered = left.delivered + right.delivered
    sum.filtered = left.filtered + right.filtered
    sum.lost = left.lost + right.lost
    sum.superseded = left.superseded + right.superseded
    sum.unsent = left.unsent + right.unsent
    sum.unbalancedStreams = left.unbalancedStreams + right.unbalancedStreams
    return sum
  }
}
