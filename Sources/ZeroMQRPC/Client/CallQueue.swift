import DequeModule
import Reactor

/// The numbers of the calls that no connected backend had room for, in their order. A bound, which engines of several threads may
/// share, says how many calls wait.
struct CallQueue {
  /// False while a call may wait; it may have ended.
  private(set) var isEmpty = true
  private var numbers: Deque<UInt32> = []
  private let limit: SharedLimit

  init(limit: SharedLimit) { self.limit = limit }

  /// A call waits; false when as many do as may, or as may fill that share of the places, in hundredths. Numbers of calls that have ended are skipped when their turn comes; when it does not
  /// come, they are let go here.
  mutating func enter(_ number: UInt32, _ pending: PendingCalls<PendingCall>, within share: Int = 100) -> Bool {
    guard limit.enter(within: share) else { return false }
    if numbers.count > 2 * pending.count + 64 { numbers.removeAll { pending[$0] == nil } }
    numbers.append(number)
    isEmpty = false
    return true
  }

  /// A call waits no more, as it was sent or has ended. Its number may stay.
  func leave() { limit.leave() }

  /// Whose turn it is.
  var first: UInt32? { numbers.first }

  /// The first one has had its turn.
  mutating func removeFirst() {
    numbers.removeFirst()
    isEmpty = numbers.isEmpty
  }
}
