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

/// How many bytes clients may make a program keep for them at one time, on all its threads together. Exact, without a lock.
///
/// Only what is long is counted: short pieces are many, and bounded by other limits.
public final class MemoryBudget: Sendable {
  /// Pieces shorter than this are not counted.
  public static let smallest = 4 << 10

  /// The most that may be kept.
  public let limit: Int
  private let taken = Atomic<Int>(0)

  /// A budget of that many bytes, none of them taken.
  public init(limit: Int) { self.limit = limit }

  /// Bytes that are taken now.
  public var count: Int { taken.load(ordering: .relaxed) }

  /// Whether a piece of that length would fit now. A short one always does.
  public func hasRoom(for bytes: Int) -> Bool { bytes < Self.smallest || count + bytes <= limit }

  /// Counts bytes, beyond the limit too; they have to be given back.
  package func take(_ bytes: Int) { taken.wrappingAdd(bytes, ordering: .relaxed) }

  /// Gives bytes back.
  package func give(_ bytes: Int) { taken.wrappingSubtract(bytes, ordering: .relaxed) }
}

/// What one owner has taken of a budget. It is given back when the owner goes.
package struct MemoryShare: ~Copyable {
  private let budget: MemoryBudget
  private var bytes = 0

  package init(of budget: MemoryBudget) { self.budget = budget }

  deinit { if bytes > 0 { budget.give(bytes) } }

  /// Makes the share that large; false, with nothing changed, when the budget has no room for more. Less can always be held.
  package mutating func hold(_ wanted: Int) -> Bool {
    let wanted = wanted < MemoryBudget.smallest ? 0 : wanted
    if wanted == bytes { return true }
    guard wanted < bytes || budget.count + wanted - bytes <= budget.limit else { return false }
    budget.take(wanted - bytes)
    bytes = wanted
    return true
  }

  /// Makes the share that large, whether there is room or not: the bytes are there already.
  package mutating func force(_ wanted: Int) {
    let wanted = wanted < MemoryBudget.smallest ? 0 : wanted
    if wanted != bytes { budget.take(wanted - bytes) }
    bytes = wanted
  }
}
