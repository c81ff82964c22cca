import Synchronization

/// A cap on the calls of one service that are queued or sent, shared by the shards that make them. Exact, without a lock.
public final class InFlight: Sendable {
  /// The most that may be under way at once.
  public let limit: Int
  private let taken = Atomic<Int>(0)

  /// A cap with nothing under way.
  public init(limit: Int) { self.limit = limit }

  /// How many are under way.
  public var count: Int { taken.load(ordering: .relaxed) }

  /// Takes a place; false when all are taken.
  public func enter() -> Bool {
    if taken.wrappingAdd(1, ordering: .relaxed).newValue <= limit { return true }
    leave()
    return false
  }

  /// Gives a place back.
  public func leave() { taken.wrappingSubtract(1, ordering: .relaxed) }
}
