import DequeModule
import Reactor

/// Which topics a service is subscribed to upstream: those that its streams ask for, and for a while those that they
/// asked for. A value without I/O: it says what to tell the publishers.
///
/// Both kinds together never exceed the limit. A stream is refused only when those that streams ask for would exceed it: prefixes
/// that merely linger are given up, oldest first, when their room is needed.
struct Subscriptions {
  /// What to tell the publishers.
  enum Action: Hashable, Sendable {
    case subscribe([UInt8])
    case unsubscribe([UInt8])
  }

  /// The end of a subscription that nobody needs any more, unless a stream comes before it.
  private struct Farewell {
    let number: UInt64
    let prefix: [UInt8]
    let deadline: Instant
  }

  private let limit: Int
  private let linger: Duration
  /// How many streams ask for each prefix.
  private var counts: [[UInt8]: Int] = [:]
  /// Prefixes that no stream asks for any more, each with the number of its farewell.
  private var lingering: [[UInt8]: UInt64] = [:]
  /// In the order of their deadlines; holds some besides that mean nothing any more, because a stream came.
  private var farewells: Deque<Farewell> = []
  private var lastNumber: UInt64 = 0

  /// Nothing is subscribed to yet. At most `limit` different prefixes; `linger` is how long a subscription outlives the
  /// last stream that needs it.
  init(limit: Int, linger: Duration) {
    self.limit = limit
    self.linger = linger
  }

  /// How many different prefixes streams ask for.
  var count: Int { counts.count }
  /// When `expire(at:)` has something to do at the earliest; nil for never.
  var nextExpiry: Instant? { farewells.first?.deadline }

  /// A stream opens that asks for these prefixes, each named once. Returns nil, with nothing changed, when all streams
  /// together would ask for more than the limit allows.
  mutating func add(_ prefixes: [[UInt8]]) -> [Action]? {
    let new = prefixes.filter { counts[$0] == nil }
    guard counts.count + new.count <= limit else { return nil }
    for prefix in prefixes { counts[prefix, default: 0] += 1 }
    let unknown = new.filter { lingering.removeValue(forKey: $0) == nil }
    var actions: [Action] = []
    while counts.count + lingering.count > limit, let oldest = farewells.popFirst() { end(oldest, &actions) }
    for prefix in unknown { actions.append(.subscribe(prefix)) }
    return actions
  }

  /// A stream that asked for these prefixes has closed. Their subscriptions linger.
  mutating func remove(_ prefixes: [[UInt8]], at now: Instant) {
    for prefix in prefixes {
      guard let count = counts[prefix] else { continue }
      counts[prefix] = count > 1 ? count - 1 : nil
      guard count == 1 else { continue }
      lastNumber += 1
      lingering[prefix] = lastNumber
      farewells.append(Farewell(number: lastNumber, prefix: prefix, deadline: now + linger))
    }
    // Where streams come and go quickly, most of them mean nothing any more.
    if farewells.count > 2 * lingering.count + 64 { farewells.removeAll { lingering[$0.prefix] != $0.number } }
  }

  /// Ends the subscriptions that have lingered long enough.
  mutating func expire(at now: Instant) -> [Action] {
    var actions: [Action] = []
    while let oldest = farewells.first, oldest.deadline <= now {
      farewells.removeFirst()
      end(oldest, &actions)
    }
    return actions
  }

  private mutating func end(_ farewell: Farewell, _ actions: inout [Action]) {
    guard lingering[farewell.prefix] == farewell.number else { return }
    lingering[farewell.prefix] = nil
    actions.append(.unsubscribe(farewell.prefix))
  }
}
