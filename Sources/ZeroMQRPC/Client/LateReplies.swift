import Reactor

/// Replies that came after their call had ended: how many, and how late. A value without I/O.
///
/// The latest calls that ended without a reply are remembered, at most `memory` of them, from the first one on. A reply of one that is
/// forgotten is counted, and its time is not known.
public struct LateReplies: Sendable, Hashable {
  private static let memory = 256

  private struct EndedCall: Sendable, Hashable {
    var number: UInt32
    var sent: Instant
    var measurement: MethodLatencies.Measurement
  }

  /// How many there were.
  public private(set) var count = 0
  /// Of how many of them the time is known.
  public private(set) var timed = 0
  /// From sending to reply, of all whose time is known together.
  public private(set) var total = Duration.zero
  /// From sending to reply, of the slowest of them.
  public private(set) var longest = Duration.zero
  /// Each at the place that the low bits of its number say.
  private var ended: [EndedCall?] = []

  /// None yet.
  public init() {}

  /// A call that was sent has ended without a reply: one may still come.
  mutating func expect(_ number: UInt32, sent: Instant, _ measurement: MethodLatencies.Measurement) {
    if ended.isEmpty { ended = Array(repeating: nil, count: Self.memory) }
    ended[Int(number) % Self.memory] = EndedCall(number: number, sent: sent, measurement: measurement)
  }

  /// A reply came whose call is not under way. Returns how long it took, if that is known, and how its call is measured.
  mutating func came(
    _ number: UInt32, at now: Instant
  ) -> (latency: Duration, measurement: MethodLatencies.Measurement)? {
    count += 1
    let place = Int(number) % Self.memory
    guard !ended.isEmpty, let call = ended[place], call.number == number else { return nil }
    ended[place] = nil
    let latency = now - call.sent
    timed += 1
    total += latency
    longest = max(longest, latency)
    return (latency, call.measurement)
  }
}

extension LateReplies {
  /// Those of several clients together, without the calls that are remembered.
  public static func + (left: LateReplies, right: LateReplies) -> LateReplies {
    var sum = LateReplies()
    sum.count = left.count + right.count
    sum.timed = left.timed + right.timed
    sum.total = left.total + right.total
    sum.longest = max(left.longest, right.longest)
    return sum
  }
}
