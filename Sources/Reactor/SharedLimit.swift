import Synchronization

/// A limit that shards share: how many of something may be in use at once. Exact, without a lock.
public final class SharedLimit: Sendable {
  /// The most that may be in use at once.
  public let limit: Int
  private let taken = Atomic<Int>(0)

  /// A limit with nothing in use.
  public init(limit: Int) { self.limit = limit }

  /// How many are in use.
  public var count: Int { taken.load(ordering: .relaxed) }

  /// Takes a place; false, with nothing taken, when all are in use.
  public func enter() -> Bool {
    if add() { return true }
    leave()
    return false
  }

  /// Takes a place even when all are in use; false when it is one beyond the limit. Either way it has to be given back.
  public func add() -> Bool { taken.wrappingAdd(1, ordering: .relaxed).newValue <= limit }

  /// Gives a place back.
  public func leave() { taken.wrappingSubtract(1, ordering: .relaxed) }
}
