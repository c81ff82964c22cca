import CLinux

/// Something that does its work in turns on a reactor: a socket, a daemon, a connection.
public protocol Source: AnyObject {
  /// One bounded piece of work. The events are those that fired since the last turn; none when the source was
  /// scheduled by `Watch.schedule()`.
  func turn(_ events: PollEvents)
  /// Asked as the last thing before the loop sleeps, of each source that had a turn or was scheduled since: is there
  /// still something to do? An edge-triggered library such as libzmq answers by looking at its own state.
  func isReady() -> Bool
}

extension Source {
  public func isReady() -> Bool { false }
}

/// A source's place in a loop: with a descriptor that wakes it, or without.
///
/// The source owns it: when the watch is dropped, or the source is gone, no turn follows.
public final class Watch {
  let descriptor: CInt?
  let token: UInt64
  var fired: PollEvents = []
  var isScheduled = false
  private(set) weak var source: (any Source)?
  private var loop: Loop?

  init(descriptor: CInt?, token: UInt64, loop: Loop, source: any Source) {
    self.descriptor = descriptor
    self.token = token
    self.loop = loop
    self.source = source
  }

  deinit { cancel() }

  /// Gives the source a turn in this round of the loop if it is not over, else in the next, before the loop sleeps.
  public func schedule() {
    guard !isScheduled, let loop else { return }
    isScheduled = true
    loop.enqueue(self)
  }

  /// Reports these events from now on, and at once those that hold already. Not of a watch without a descriptor.
  public func change(to events: PollEvents) {
    if let loop, let descriptor { loop.change(descriptor, to: events, token: token) }
  }

  /// Ends the watch: no turn follows. Call it before the descriptor is closed.
  public func cancel() {
    guard let loop = loop.take() else { return }
    source = nil
    if let descriptor { loop.remove(descriptor, token: token) }
  }
}

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
