import DequeModule
import Logging
import Reactor

/// One daemon of a server and its place in the loop. Its epoll descriptor is nested in the loop's; whatever a turn answers or wakes
/// is sent by one run at the turn's end, if it is due.
final class NestedDaemon: EndOfTurn {
  /// Between runs of a daemon that wants to run and does nothing, again and again.
  private static let pause = Duration.milliseconds(5)
  /// Runs in a row that do nothing, and are followed by the next at once: between requests that were sent together there are such.
  private static let idleRunsAtMost = 3
  /// Streams that are written in a turn, before others have theirs.
  private static let streamsPerTurn = 100

  /// Kept until the server stops, and lets go of its daemons.
  private let server: Server
  let isForStreams: Bool
  /// Bytes that the library has for the head of each connection.
  let connectionMemory: Int
  let logger: Logger
  private let loop: Loop
  private var daemon: Daemon?
  private var watch: Watch?
  private let mark = DueMark()
  /// The daemon has called back in its present run.
  private var hasCalledBack = false
  /// Runs in a row that nothing asked for, and that did nothing.
  private var idleRuns = 0
  private var due = Instant(nanoseconds: .max)
  /// The exchanges whose answers the next run writes, and those of the present run.
  private var answering: [Exchange] = []
  private var running: [Exchange] = []
  /// The exchanges whose streams have something to be written, each once.
  private var writing: Deque<Exchange> = []
  /// Connections that were handed over, and are not opened yet, by descriptor.
  private var arriving: [CInt: Accepted] = [:]
  /// Requests that have begun on its connections, and not ended.
  private(set) var requests = 0
  /// Connections it was handed, and has not closed.
  private(set) var connections = 0

  /// Starts a daemon without connections. Throws when it cannot start, or not that strictly.
  init(
    isForStreams: Bool, limits: Daemon.Limits, strictness: ParserStrictness, server: Server, on loop: Loop
  ) throws(HTTPServerError) {
    self.isForStreams = isForStreams
    connectionMemory = limits.connectionMemory
    self.server = server
    self.loop = loop
    logger = server.logger
    let daemon = try Daemon(limits: limits, strictness: strictness, owner: self)
    do throws(ReactorError) {
      watch = try loop.watch(daemon.epollDescriptor, mark)
    } catch {
      daemon.stop()
      throw HTTPServerError(call: error.call, message: error.description)
    }
    self.daemon = daemon
  }

  /// Hands a connection over. Not while the daemon runs.
  func take(_ accepted: Accepted) {
    connections += 1
    arriving[accepted.descriptor] = accepted
    if daemon?.add(accepted) != true { lose() }
    schedule()
  }

  /// Writes streams, and runs the daemon if it is due.
  func endTurn() -> Instant? {
    writeStreams(atMost: Self.streamsPerTurn)
    if mark.isDue || due <= loop.now {
      let wasAsked = mark.isDue
      mark.isDue = false
      hasCalledBack = false
      run()
      due = daemon?.patience.map { loop.now + .milliseconds($0) } ?? Instant(nanoseconds: .max)
      // A line of a chunked body that is longer than the connection's memory makes libmicrohttpd 0.9.75 want to run at once for
      // as long as the connection lasts, with nothing to do.
      idleRuns = wasAsked || hasCalledBack ? 0 : idleRuns + 1
      if idleRuns > Self.idleRunsAtMost { due = max(due, loop.now + Self.pause) }
    }
    return due.nanoseconds < .max ? due : nil
  }

  /// Writes what streams have that were woken: so many of them.
  func writeStreams(atMost count: Int) {
    for _ in 0..<min(count, writing.count) { writing.popFirst()?.writeStream() }
    mark.hasStreams = !writing.isEmpty
  }

  /// Runs the daemon now; twice when there are answers to calls: the second time it looks for the next requests of those whose
  /// answers it has written.
  func run() {
    swap(&answering, &running)
    daemon?.run()
    if !running.isEmpty {
      for exchange in running { exchange.hasRun() }
      running.removeAll(keepingCapacity: true)
      daemon?.run()
    }
    if !arriving.isEmpty { lose() }
  }

  /// What the library has not opened by now, it has closed.
  private func lose() {
    let lost = arriving
    arriving = [:]
    connections -= lost.count
    for accepted in lost.values { server.connectionLost(accepted) }
  }

  /// Closes what it has. No connection may be suspended.
  func stop() {
    watch?.cancel()
    watch = nil
    daemon?.stop()
    daemon = nil
  }

  /// Makes the daemon run at the end of this turn.
  func schedule() { mark.isDue = true }

  /// Goes on with a connection that is suspended, at the end of this turn. When it goes first, its exchange is told when that has begun
  /// (`Exchange.hasRun()`).
  func resume(_ connection: Daemon.Connection, of exchange: Exchange) {
    if connection.isFirst { answering.append(exchange) }
    connection.resume()
    schedule()
  }

  /// Calls `Exchange.writeStream()` at the end of this turn, or of a later one when there are many.
  func writeStream(of exchange: Exchange) {
    writing.append(exchange)
    guard !mark.hasStreams else { return }
    mark.hasStreams = true
    watch?.schedule()
  }

  /// Whether an answer closes its connection: no more requests are accepted, it was let in for one only, or it has the memory of a
  /// stream, in which the next head might find no room.
  func closesAfterAnswer(_ admission: Admission) -> Bool {
    isForStreams || admission.kind != .regular || server.isQuiesced
  }

  // MARK: From the daemon

  /// The daemon is getting on with something.
  func calledBack() { hasCalledBack = true }

  func requestBegan() { requests += 1 }
  func requestEnded() { requests -= 1 }

  /// The daemon has a connection that was handed over. The server holds the exchange until `closed`.
  func opened(_ connection: Daemon.Connection) -> Exchange? {
    arriving.removeValue(forKey: connection.descriptor).map { server.connectionOpened(connection, of: self, $0) }
  }

  func closed(_ exchange: Exchange) {
    calledBack()
    connections -= 1
    server.connectionClosed(exchange)
  }
}

/// That a daemon is due for a run, because something is ready or somebody asked for it; and that there are streams to be written.
///
/// The loop refers to its sources weakly. What is referred to weakly takes several times as long to be retained, and each call and each
/// event retains the daemon; so this is the source in its place.
private final class DueMark: Source {
  var isDue = true
  var hasStreams = false

  func turn(_ events: PollEvents) { if !events.isEmpty { isDue = true } }

  func isReady() -> Bool { hasStreams }
}
