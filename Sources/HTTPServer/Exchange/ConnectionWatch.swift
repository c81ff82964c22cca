import CLinux
import Reactor

/// Watches one connection's socket and clock.
///
/// libmicrohttpd sees nothing of a suspended connection, and its own timeout starts anew with each byte. The watch asks the
/// socket for hang-ups only, once for the whole connection, so it costs nothing per request; the timer is moved only when
/// it fires or would fire too late.
final class ConnectionWatch: TimerHandler {
  /// What a connection may take, in nanoseconds.
  struct Times {
    /// A head, from its first byte; the slack of a body.
    let read: Int64
    /// The slack of a client that is to read.
    let write: Int64
    /// The next request.
    let idle: Int64
    /// A client that has half-closed, or was refused, until all that it holds is freed.
    let grace: Int64

    /// The grace less what the end takes itself.
    fileprivate var untilEnd: Int64 { grace - grace / 10 }
    /// How often the slack of a reader is looked at.
    fileprivate var betweenLooks: Int64 { max(write / 8, 1) }
    /// For how long an idle connection may begin the next request without being watched for its first byte. Most begin it
    /// sooner, and are spared two calls of the kernel.
    fileprivate var unwatched: Int64 { min(read / 8, 1_000_000_000) }
  }

  /// What the clock runs for.
  enum Wait {
    case nothing, head, body, reader, request, end
    /// A reader of an endless stream.
    case listener
  }

  /// Who has sent so many bytes behind the request of an endless stream, which nobody reads, is taken to have left: with as many as the
  /// kernel holds, the end of the client cannot be seen.
  private static let surplusAtMost: UInt32 = 8 << 10
  /// A client whose machine answers none of so many retransmissions in a row, which are sent over six seconds or more, has vanished.
  private static let unansweredAtMost = 5

  /// Whoever sends or takes less than 1 KiB a second uses up its slack.
  private static let nanosecondsPerByte: Int64 = 976_563
  /// What a reader takes faster than that, it may hold in its machine, which takes no more until it has read much of it. So it may take
  /// nothing for a second more for each KiB that it is ahead, but of no more than Linux holds by default: one that stands still ends in
  /// minutes, whatever it took before.
  private static let aheadAtMost: Int64 = (128 << 10) * nanosecondsPerByte

  // Safe: the exchange cancels its watch, which ends all calls, before the server lets go of it.
  private unowned let exchange: Exchange
  private let descriptor: CInt
  /// What has the client's own socket, in the place of the descriptor; nil: nothing.
  private let tls: TLSConnection?
  private let times: Times
  private let loop: Loop
  private var watch: Watch?
  private var socket: SocketEvents?
  private var timer: Timer?
  private var firesAt = Instant(nanoseconds: .max)
  private var wait = Wait.nothing
  private var since = Instant(nanoseconds: 0)
  private var deadline = Instant(nanoseconds: .max)
  /// When the socket of this reader was looked at last, and how many bytes waited there to be taken.
  private var lastLook: (at: Instant, unsent: UInt32)?
  /// How many bytes the client had taken at the last look at any of its answers, and until when it may take nothing by then.
  private var taken: UInt64 = 0
  private var patience = Instant(nanoseconds: 0)
  /// A next request is waited for, and the kernel still has some of the last answer: until that is taken, the client is a reader and
  /// not idle.
  private var isUnread = false
  /// Reported always: the ends, and of the client of an endless stream what it sends.
  private var always: PollEvents = [.peerClosed, .edge]
  /// What the socket reports besides: the next bytes of the client, or room for what it is to read.
  private var reported: PollEvents = []
  /// Whether room is waited for.
  private var awaitsRoom = false
  /// Of a Unix socket the kernel does not count what the client has taken: it tells each time when three quarters of the room for it have
  /// become free, or, of less, anything.
  private let isUnixSocket: Bool
  private var hasTaken = false

  init(_ exchange: Exchange, _ accepted: Accepted, times: Times, on loop: Loop) throws(ReactorError) {
    self.exchange = exchange
    (descriptor, tls) = (accepted.descriptor, accepted.tls)
    isUnixSocket = accepted.admission.address == .unix
    self.times = times
    self.loop = loop
    let socket = SocketEvents(self)
    watch = try loop.watch(descriptor, for: always, socket)
    self.socket = socket
    tls?.clientLeft = { [weak self] in self?.saw(.peerClosed) }
  }

  /// Ends the watch; the descriptor may be closed after it.
  func cancel() {
    watch?.cancel()
    watch = nil
    if let timer { loop.cancel(timer) }
    timer = nil
  }

  /// Calls `Exchange.expired()` when the client has used up its time for what is waited for now, or since then.
  func expect(_ awaited: Wait, since start: Instant? = nil) {
    let wait = awaited == .listener ? .reader : awaited
    if awaited == .listener { noticeSurplus(true) } else if wait == .request { noticeSurplus(false) }
    if isUnixSocket, wait == .reader {
      if !reported.contains(.writable) { report(.writable) }
    } else if reported.contains(.readable) || isUnixSocket && reported.contains(.writable) && !awaitsRoom {
      report([])
    }
    self.wait = wait
    since = start ?? loop.now
    lastLook = nil
    isUnread = false
    deadline =
      switch wait {
      case .nothing: Instant(nanoseconds: .max)
      case .head, .body: after(times.read, from: since)
      case .reader, .listener: readerDeadline
      case .request: after(times.idle)
      case .end: after(times.untilEnd)
      }
    arm()
  }

  /// Part of a body came: it has one second more for each KiB, but never more than its slack. So what came fast gives no right
  /// to silence afterwards.
  func bodyArrived(bytes: Int) {
    extend(by: bytes, slack: wait == .end ? times.untilEnd : times.read)
  }

  /// Calls `Exchange.hasRoom()` when there is room in the socket, and be it at once.
  func reportRoom() {
    awaitsRoom = true
    report(.writable)
  }

  private func noticeSurplus(_ notices: Bool) {
    guard always.contains(.readable) != notices else { return }
    if notices { always.insert(.readable) } else { always.remove(.readable) }
    report(reported)
  }

  private func report(_ events: PollEvents) {
    reported = events
    watch?.change(to: events.union(always))
  }

  private func extend(by bytes: Int, slack: Int64) {
    guard deadline.nanoseconds < .max else { return }
    let (credit, overflow) = Int64(bytes).multipliedReportingOverflow(by: Self.nanosecondsPerByte)
    deadline = min(after(overflow ? .max : credit, from: deadline), after(slack))
  }

  /// `Duration` computes in 128 bits, which shows at several deadlines a request.
  private func after(_ nanoseconds: Int64, from start: Instant? = nil) -> Instant {
    let (sum, overflow) = (start ?? loop.now).nanoseconds.addingReportingOverflow(nanoseconds)
    return Instant(nanoseconds: overflow ? .max : sum)
  }

  private func arm() {
    guard deadline.nanoseconds < .max else { return }
    let wanted =
      switch wait {
      case _ where isReader: min(deadline, after(times.betweenLooks, from: lastLook?.at ?? since))
      case .request where !reported.contains(.readable): min(deadline, after(times.unwatched, from: since))
      default: deadline
      }
    if let timer {
      guard wanted < firesAt else { return }
      loop.cancel(timer)
    }
    firesAt = wanted
    timer = loop.schedule(at: wanted, self)
  }

  func fired(_ timer: Timer) {
    self.timer = nil
    switch wait {
    case _ where isReader: look()
    case .request where !reported.contains(.readable) && loop.now >= after(times.unwatched, from: since):
      report(isUnixSocket ? [.readable, .writable] : .readable)
      // What libmicrohttpd has read before is reported no more.
      exchange.rests()
      if wait == .request { lookForRest() }
    default: break
    }
    guard loop.now >= deadline else { return arm() }
    if isReader { discardUnsent() }
    wait = .nothing
    deadline = Instant(nanoseconds: .max)
    exchange.perform { $0.expired() }
  }

  /// How far the client has come; nil when it has gone, of which the socket is to tell yet.
  private var progress: clinux_progress? {
    guard let tls else { return clinux_progress_of(descriptor) }
    return tls.progress
  }

  private var isReader: Bool { wait == .reader || isUnread }

  /// Of one that begins to read, which may still have earlier answers to read.
  private var readerDeadline: Instant { max(after(times.write), patience) }

  /// Sees whether the last answer is being taken still. Most that is sent and not acknowledged is so in a moment, and says nothing.
  private func lookForRest() {
    guard let progress, progress.held > 0 || progress.unanswered > 0 else { return }
    isUnread = true
    deadline = readerDeadline
    count(progress)
  }

  /// Sees what a reader has taken since the last look.
  private func look() {
    guard let progress else { return lastLook = (loop.now, 0) }
    // All that waited for it at the last look: it keeps up, however little that was.
    let keepsUp =
      isUnixSocket
      ? hasTaken || progress.unsent == 0 : lastLook.map { progress.taken - taken >= UInt64($0.unsent) } ?? false
    if keepsUp { deadline = max(deadline, after(times.write)) }
    hasTaken = false
    count(progress)
    if progress.unsent == 0 {
      if isUnread { deadline = after(times.idle) }
      isUnread = false
      exchange.perform { $0.drained() }
    }
    if progress.unanswered >= Self.unansweredAtMost {
      // Nothing that it holds is being read.
      deadline = min(deadline, after(times.write))
      exchange.perform { $0.hungUp() }
    }
  }

  /// Extends the deadline by what was taken since the last look, also at an earlier answer: that may still be in the client's machine.
  private func count(_ progress: clinux_progress) {
    extend(by: Int(clamping: progress.taken - taken), slack: times.write + Self.aheadAtMost)
    taken = progress.taken
    patience = deadline
    lastLook = (loop.now, progress.unsent)
  }

  /// Throws away what the client has not taken.
  private func discardUnsent() {
    if let tls { tls.discardUnsent() } else { resetWhenClosed(descriptor) }
  }

  fileprivate func saw(_ events: PollEvents) {
    if !events.isDisjoint(with: [.hangUp, .failed]) { return exchange.perform { $0.hungUp() } }
    if always.contains(.readable), events.contains(.readable), clinux_unread(descriptor) >= Self.surplusAtMost {
      return exchange.perform { $0.halfClosed() }
    }
    if reported.contains(.readable), events.contains(.readable) { exchange.perform { $0.requestArrives() } }
    if reported.contains(.writable), events.contains(.writable) {
      hasTaken = true
      if awaitsRoom {
        awaitsRoom = false
        report(isUnixSocket ? .writable : [])
        exchange.perform { $0.hasRoom() }
      }
    }
    if events.contains(.peerClosed) { exchange.perform { $0.halfClosed() } }
  }
}

/// Hands on what the socket reports. The loop refers to its sources weakly, and what is referred to weakly takes several times as long to
/// be retained: each call and each event retains the watch.
private final class SocketEvents: Source {
  // Safe: the watch ends all turns, in `cancel`, before it goes.
  private unowned let watch: ConnectionWatch

  init(_ watch: ConnectionWatch) { self.watch = watch }

  func turn(_ events: PollEvents) { watch.saw(events) }
}
