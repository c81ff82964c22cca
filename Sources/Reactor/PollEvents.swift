import CLinux

/// What an epoll descriptor reports, and what it is asked to report (`epoll_ctl(2)`).
public struct PollEvents: OptionSet, Hashable, Sendable {
  /// The bits as epoll knows them.
  public let rawValue: UInt32
  /// Any set of epoll's bits.
  public init(rawValue: UInt32) { self.rawValue = rawValue }
  /// Something to read, or a nested epoll descriptor with something ready.
  public static let readable = PollEvents(rawValue: EPOLLIN.rawValue)
  /// Room to write.
  public static let writable = PollEvents(rawValue: EPOLLOUT.rawValue)
  /// The peer has stopped sending: it closed, or shut down its half.
  public static let peerClosed = PollEvents(rawValue: EPOLLRDHUP.rawValue)
  /// Both directions are gone. Always reported.
  public static let hangUp = PollEvents(rawValue: EPOLLHUP.rawValue)
  /// The descriptor failed. Always reported.
  public static let failed = PollEvents(rawValue: EPOLLERR.rawValue)
  /// Report a change once, and not for as long as it lasts.
  public static let edge = PollEvents(rawValue: EPOLLET.rawValue)
}

/// One epoll descriptor. A value with one owner; closes itself.
struct Poller: ~Copyable {
  private static let capacity = 256
  private let descriptor: CInt
  private let ready: UnsafeMutablePointer<epoll_event>

  init() throws(ReactorError) {
    descriptor = epoll_create1(CInt(EPOLL_CLOEXEC))
    guard descriptor >= 0 else { throw .last("epoll_create1") }
    ready = .allocate(capacity: Self.capacity)
  }

  deinit {
    close(descriptor)
    ready.deallocate()
  }

  func add(_ watched: CInt, _ events: PollEvents, token: UInt64) throws(ReactorError) {
    var event = epoll_event(events: events.rawValue, data: epoll_data_t(u64: token))
    guard epoll_ctl(descriptor, EPOLL_CTL_ADD, watched, &event) == 0 else { throw .last("epoll_ctl") }
  }

  /// The descriptor may be closed already, which has removed it: that is no error.
  func remove(_ watched: CInt) {
    var event = epoll_event()
    _ = epoll_ctl(descriptor, EPOLL_CTL_DEL, watched, &event)
  }

  /// Waits at most that many milliseconds (-1: for ever) and hands each ready token to the body.
  func wait(milliseconds: CInt, _ body: (UInt64, PollEvents) -> Void) {
    let count = epoll_wait(descriptor, ready, CInt(Self.capacity), milliseconds)
    // Less than zero is EINTR: the turn goes on, and the next wait sees what is left.
    for index in 0..<max(0, Int(count)) {
      let event = ready[index]
      body(event.data.u64, PollEvents(rawValue: event.events))
    }
  }
}
