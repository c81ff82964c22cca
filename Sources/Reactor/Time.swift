import CLinux

/// A point on the monotonic clock, in nanoseconds. It never jumps with the wall clock (`CLOCK_MONOTONIC`).
public struct Instant: Hashable, Comparable, Sendable {
  /// Nanoseconds since the clock's own start.
  public var nanoseconds: Int64

  /// An instant that many nanoseconds after the clock's start.
  public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  /// Now, read from the kernel.
  public static func monotonic() -> Instant {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Instant(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
  }

  public static func < (a: Instant, b: Instant) -> Bool { a.nanoseconds < b.nanoseconds }

  /// The instant after a duration; saturates at the end of the clock.
  public static func + (instant: Instant, duration: Duration) -> Instant {
    let (sum, overflow) = instant.nanoseconds.addingReportingOverflow(duration.nanoseconds)
    return Instant(nanoseconds: overflow ? .max : sum)
  }

  /// The time from the second instant to the first.
  public static func - (later: Instant, earlier: Instant) -> Duration {
    .nanoseconds(later.nanoseconds - earlier.nanoseconds)
  }
}

extension Duration {
  /// Whole nanoseconds; saturates at ±292 years.
  public var nanoseconds: Int64 {
    // Up to nine seconds, as most are, 64 bits hold it, and are divided several times as fast.
    if let attoseconds = Int64(exactly: attoseconds) { return attoseconds / 1_000_000_000 }
    return Int64(clamping: attoseconds / 1_000_000_000)
  }

  /// Whole milliseconds, a part of one counted as one: what a wait must not fall short of. Saturates as ``nanoseconds``.
  package var millisecondsRoundedUp: Int64 {
    let (whole, part) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000)
    return part > 0 ? whole + 1 : whole
  }

  /// Whole milliseconds, what is left of one not counted. Saturates as ``nanoseconds``.
  package var millisecondsRoundedDown: Int64 { nanoseconds / 1_000_000 }

  /// That many hours.
  package static func hours(_ count: Int) -> Duration { .seconds(3_600 * count) }
}

/// What a timer wakes.
public protocol TimerHandler: AnyObject {
  /// The deadline has passed. Runs on the reactor's thread, once for each timer.
  func fired(_ timer: Timer)
}

/// Names one scheduled deadline. A name is never used twice, so a stale one cancels nothing.
public struct Timer: Hashable, Sendable {
  let slot: UInt32
  let generation: UInt32
  /// What the owner wants to know again when it fires, such as the number of a call.
  public let tag: UInt32
}

/// Deadlines in a binary heap: schedule and cancel cost O(log n), the next deadline O(1). A value without I/O.
struct Timers {
  private struct Slot {
    var handler: (any TimerHandler)?
    var generation: UInt32 = 0
    var tag: UInt32 = 0
    var position = 0
  }
  private struct Entry {
    var deadline: Instant
    var slot: UInt32
  }

  private var heap: [Entry] = []
  private var slots: [Slot] = []
  private var free: [UInt32] = []

  var count: Int { heap.count }
  var next: Instant? { heap.first?.deadline }

  mutating func schedule(_ deadline: Instant, _ handler: any TimerHandler, tag: UInt32 = 0) -> Timer {
    let slot: UInt32
    if let reused = free.popLast() {
      slot = reused
    } else {
      slot = UInt32(slots.count)
      slots.append(Slot())
    }
    slots[Int(slot)].handler = handler
    slots[Int(slot)].tag = tag
    heap.append(Entry(deadline: deadline, slot: slot))
    siftUp(heap.count - 1)
    return name(slot)
  }

  /// Forgets a timer; false when it has fired or was cancelled before.
  @discardableResult
  mutating func cancel(_ timer: Timer) -> Bool {
    let slot = Int(timer.slot)
    guard slot < slots.count, slots[slot].generation == timer.generation, slots[slot].handler != nil else {
      return false
    }
    remove(at: slots[slot].position)
    return true
  }

  /// Takes the earliest timer that is due.
  mutating func popDue(_ now: Instant) -> (Timer, any TimerHandler)? {
    guard let first = heap.first, first.deadline <= now, let handler = slots[Int(first.slot)].handler else {
      return nil
    }
    let timer = name(first.slot)
    remove(at: 0)
    return (timer, handler)
  }

  private func name(_ slot: UInt32) -> Timer {
    Timer(slot: slot, generation: slots[Int(slot)].generation, tag: slots[Int(slot)].tag)
  }

  private mutating func remove(at position: Int) {
    let slot = Int(heap[position].slot)
    slots[slot].handler = nil
    slots[slot].generation &+= 1
    free.append(UInt32(slot))
    let last = heap.removeLast()
    guard position < heap.count else { return }
    heap[position] = last
    slots[Int(last.slot)].position = position
    siftUp(position)
    siftDown(slots[Int(last.slot)].position)
  }

  private mutating func siftUp(_ start: Int) {
    var position = start
    let entry = heap[position]
    while position > 0 {
      let parent = (position - 1) / 2
      guard entry.deadline < heap[parent].deadline else { break }
      heap[position] = heap[parent]
      slots[Int(heap[position].slot)].position = position
      position = parent
    }
    heap[position] = entry
    slots[Int(entry.slot)].position = position
  }

  private mutating func siftDown(_ start: Int) {
    var position = start
    let entry = heap[position]
    while true {
      var child = 2 * position + 1
      guard child < heap.count else { break }
      if child + 1 < heap.count, heap[child + 1].deadline < heap[child].deadline { child += 1 }
      guard heap[child].deadline < entry.deadline else { break }
      heap[position] = heap[child]
      slots[Int(heap[position].slot)].position = position
      position = child
    }
    heap[position] = entry
    slots[Int(entry.slot)].position = position
  }
}
