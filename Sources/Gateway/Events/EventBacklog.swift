import DequeModule
import Reactor
import ZeroMQRPC

/// What has come in for a service and is not numbered yet: it waits, in its order, for an event longer than `http.limits.inline` that
/// is being encoded beside the shard. A value without I/O; the recorder adds to it and takes from it.
///
/// Its bound is the service's memory: a call that has no room there is added as a gap, and gaps that follow each other are one.
struct EventBacklog {
  enum Item {
    case call(WaitingEvent)
    /// Calls that were lost; of their topics, the one that all had.
    case gap(EventGap, topic: [UInt8]?)
    case upstream(Publishers)
  }

  private var items: Deque<Item> = []
  /// A call that was taken is being encoded: what came after it waits.
  private var isHeldUp = false

  /// Whether nothing waits, so that what comes may be numbered at once.
  var isEmpty: Bool { items.isEmpty && !isHeldUp }
  /// Whether there is something that waits for nothing.
  var hasNext: Bool { !items.isEmpty && !isHeldUp }

  mutating func append(_ item: Item) {
    guard case .gap(let gap, let topic) = item, case .gap(var last, let lastTopic)? = items.last,
      last.reason == gap.reason
    else { return items.append(item) }
    last.missed = last.missed.flatMap { missed in gap.missed.map { missed + $0 } }
    items[items.count - 1] = .gap(last, topic: topic == lastTopic ? topic : nil)
  }

  /// Takes the next one; nil while there is none, or while one that was taken is being encoded.
  mutating func next() -> Item? { isHeldUp ? nil : items.popFirst() }

  /// The call that was taken last takes a while.
  mutating func holdUp() { isHeldUp = true }

  /// It is done.
  mutating func goOn() { isHeldUp = false }
}

/// Events that are not shown, in the place of which streams are told so.
struct EventGap: Hashable, Sendable {
  enum Reason: String, Sendable {
    /// They came after the event that the client saw last, and are not kept any more.
    case evicted
    /// The event that the client saw last is of another run of the gateway.
    case restart
    /// The client names an event that is none of the service's.
    case unknownID = "unknown-id"
    /// A publisher has sent them, by the numbers that it gives, and they did not arrive.
    case lost
    /// It is no call of aiozmq.rpc, or has no form in JSON.
    case undecodable
    /// It has a frame longer than `subscribe.event-limit`.
    case tooLong = "too-long"
    /// There was no room for it in `http.limits.memory`.
    case memory
  }

  let reason: Reason
  /// How many; nil when that is not known.
  var missed: Int? = 1
}

/// A published call that waits to be encoded. It counts in the service's memory, also when it is short: short ones may be many.
final class WaitingEvent: Sendable {
  /// What it takes besides its bytes, roughly.
  private static let overhead = 256

  private let call: CopiedCall
  private let memory: MemoryBudget

  /// Bytes of a call when it waits.
  static func weight(of call: BorrowedCall) -> Int { call.count + overhead }

  /// Copies a call for which there is room.
  init(copying call: BorrowedCall, in memory: MemoryBudget) {
    self.call = CopiedCall(copying: call)
    self.memory = memory
    memory.take(Self.weight(of: call))
  }

  deinit { memory.give(call.count + Self.overhead) }

  /// Bytes of the call.
  var count: Int { call.count }

  func lend<Result>(_ body: (BorrowedCall) -> Result) -> Result { call.lend(body) }
}
