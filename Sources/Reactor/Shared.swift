import CLinux
import Synchronization

/// A value behind one mutex, for the few things that cross threads. Hold it for a few instructions only: nothing
/// that waits belongs inside.
///
/// A `pthread_mutex_t` and not `Synchronization.Mutex`, in which ThreadSanitizer sees races that are not there.
public final class Guarded<Value>: @unchecked Sendable {
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  // Safe: touched only between lock and unlock. A pointer, behind the mutex in one block, because an access to a property of a class
  // would be checked at run time to be exclusive, which the mutex sees to.
  @usableFromInline let value: UnsafeMutablePointer<Value>

  /// Guards an initial value.
  public init(_ value: sending Value) {
    let alignment = max(MemoryLayout<pthread_mutex_t>.alignment, MemoryLayout<Value>.alignment)
    let offset = (MemoryLayout<pthread_mutex_t>.size + alignment - 1) / alignment * alignment
    let block = UnsafeMutableRawPointer.allocate(
      byteCount: offset + MemoryLayout<Value>.size, alignment: alignment)
    mutex = block.initializeMemory(as: pthread_mutex_t.self, to: pthread_mutex_t())
    pthread_mutex_init(mutex, nil)
    self.value = (block + offset).initializeMemory(as: Value.self, to: value)
  }

  deinit {
    value.deinitialize(count: 1)
    pthread_mutex_destroy(mutex)
    UnsafeMutableRawPointer(mutex).deallocate()
  }

  /// Runs the body with exclusive access to the value.
  @inlinable
  public func withLock<Result, Failure: Error>(
    _ body: (inout Value) throws(Failure) -> sending Result
  ) throws(Failure) -> sending Result {
    lock()
    defer { unlock() }
    return try body(&value.pointee)
  }

  @usableFromInline func lock() { pthread_mutex_lock(mutex) }

  @usableFromInline func unlock() { pthread_mutex_unlock(mutex) }
}

/// A limit that shards share: how many of something may be in use at once. Exact, without a lock.
public final class SharedLimit: Sendable {
  private let most: Atomic<Int>
  private let taken = Atomic<Int>(0)

  /// A limit with nothing in use.
  public init(limit: Int) { most = Atomic(limit) }

  /// The most that may be in use at once. When it is lowered, what is in use beyond it stays so until it is given back.
  public var limit: Int {
    get { most.load(ordering: .relaxed) }
    set { most.store(newValue, ordering: .relaxed) }
  }

  /// How many are in use.
  public var count: Int { taken.load(ordering: .relaxed) }

  /// Takes a place; false, with nothing taken, when all are in use.
  public func enter() -> Bool {
    if taken.wrappingAdd(1, ordering: .relaxed).newValue <= limit { return true }
    leave()
    return false
  }

  /// The same of a part of the places, in hundredths, rounded up: the rest is left to others.
  public func enter(within share: Int) -> Bool {
    if taken.wrappingAdd(1, ordering: .relaxed).newValue <= (limit * share + 99) / 100 { return true }
    leave()
    return false
  }

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
  /// What this is a part of.
  private let whole: MemoryBudget?
  private let taken = Atomic<Int>(0)

  /// A budget of that many bytes, none of them taken.
  public init(limit: Int) {
    self.limit = limit
    whole = nil
  }

  /// A part of a budget, for one of those who share it. What it takes, the whole has taken. It may take as much as it leaves to
  /// all others: half of the whole while they have nothing, and half of the rest while they have something. So one that takes all it
  /// can get leaves room to each other.
  public init(partOf whole: MemoryBudget) {
    limit = whole.limit
    self.whole = whole
  }

  /// Bytes that are taken now.
  public var count: Int { taken.load(ordering: .relaxed) }

  /// Whether a piece of that length would fit now. A short one always does.
  public func hasRoom(for bytes: Int) -> Bool { bytes < Self.smallest || fits(bytes) }

  /// Whether so many bytes more would fit now, however few they are.
  package func fits(_ bytes: Int) -> Bool { count + bytes <= limit - (whole?.count ?? 0) }

  /// Counts bytes, beyond the limit too; they have to be given back.
  package func take(_ bytes: Int) {
    taken.wrappingAdd(bytes, ordering: .relaxed)
    whole?.take(bytes)
  }

  /// Gives bytes back.
  package func give(_ bytes: Int) {
    taken.wrappingSubtract(bytes, ordering: .relaxed)
    whole?.give(bytes)
  }
}

/// What one owner has taken of a budget. It is given back when the owner goes.
package final class MemoryShare {
  private let budget: MemoryBudget
  private var bytes = 0

  package init(of budget: MemoryBudget) { self.budget = budget }

  deinit { if bytes > 0 { budget.give(bytes) } }

  /// Makes the share that large; false, with nothing changed, when the budget has no room for more. Less can always be held.
  package func hold(_ wanted: Int) -> Bool {
    let more = Self.counted(wanted) - bytes
    guard more <= 0 || budget.fits(more) else { return false }
    force(wanted)
    return true
  }

  /// Makes the share that large, whether there is room or not: the bytes are there already.
  package func force(_ wanted: Int) {
    let wanted = Self.counted(wanted)
    if wanted != bytes { budget.take(wanted - bytes) }
    bytes = wanted
  }

  private static func counted(_ bytes: Int) -> Int { bytes < MemoryBudget.smallest ? 0 : bytes }
}
