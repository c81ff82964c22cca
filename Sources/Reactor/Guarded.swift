import CLinux

/// A value behind one mutex, for the few things that cross threads. Hold it for a few instructions only: nothing
/// that waits belongs inside.
///
/// A `pthread_mutex_t` and not `Synchronization.Mutex`, in which ThreadSanitizer sees races that are not there.
public final class Guarded<Value>: @unchecked Sendable {
  // Safe: `value` is touched only between lock and unlock.
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private var value: Value

  /// Guards an initial value.
  public init(_ value: sending Value) {
    mutex = .allocate(capacity: 1)
    mutex.initialize(to: pthread_mutex_t())
    pthread_mutex_init(mutex, nil)
    self.value = value
  }

  deinit {
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
  }

  /// Runs the body with exclusive access to the value.
  public func withLock<Result, Failure: Error>(
    _ body: (inout Value) throws(Failure) -> sending Result
  ) throws(Failure) -> sending Result {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return try body(&value)
  }
}
