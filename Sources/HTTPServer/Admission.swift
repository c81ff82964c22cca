import Synchronization

/// Counts the open connections of servers that share one limit. Exact, without a lock.
public final class Admission: Sendable {
  /// Connections accepted beyond the limit, so that their clients are told instead of waiting unseen; more are closed at once.
  public static let surplus = 64

  /// Open connections that are served; those above are told that there are too many.
  public let limit: Int
  private let open = Atomic<Int>(0)

  /// Nothing open.
  public init(limit: Int) { self.limit = limit }

  /// How many are open.
  public var count: Int { open.load(ordering: .relaxed) }

  /// Counts one more; false when it is one too many. Either way it has to `leave`.
  func enter() -> Bool { open.wrappingAdd(1, ordering: .relaxed).newValue <= limit }

  func leave() { open.wrappingSubtract(1, ordering: .relaxed) }
}
