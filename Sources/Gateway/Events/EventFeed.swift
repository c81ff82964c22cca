import HTTPServer
import Logging
import Reactor
import ZeroMQRPC

/// A service's streams on one shard, and its window: the newest events, which those streams read from. Each stream has its own
/// place in it.
///
/// The hub hands over the events of one turn at a time, and says which filters match; the feed appends them to its window and wakes the
/// streams with those filters. A stream that reads too slowly falls behind the window: then it asks the feed, and the feed the hub, for
/// a page of the history. One that has fallen behind the history as well is told `lagged` and ends. Neither holds up the others.
///
/// A stream opens in two steps: the feed asks the hub, which counts its topics, and the answer says from which event on
/// the stream reads, or that it is refused. That event is always the next one to come in: no stream begins in the past, and an id
/// that a client sends back is not looked up. The history serves streams that are open and slow; the ids that events carry, epoch
/// and number, tell a client only whether two events are the same. When the last stream
/// closes, the window is emptied, and the hub hands nothing over to this shard any more.
///
/// Feed and hub send each other messages through their shards. When both are on the same shard a message is a direct call, so the
/// answer may come before the request returns: an `EventStream` may get a page while it asks for it, in the midst of being read.
final class EventFeed: TimerHandler {
  /// The number of a request to the hub, by which the answer finds its stream.
  typealias Ticket = UInt64

  /// What the hub tells the feed of a shard.
  enum Message: Sendable {
    /// The stream may open and reads from the event with this sequence on, which is the next one to come.
    case opened(ticket: Ticket, next: UInt64, Publishers)
    /// With the stream, more prefixes than the service's limit would be subscribed to, those that linger not counted.
    case refused(ticket: Ticket)
    /// What came in one turn of the hub, in sequence, and which streams it is for.
    case events([Event], Subscriptions.Wakes)
    /// The page that a stream asked for.
    case page(EventHistory.Page, ticket: Ticket)
  }

  /// Bytes of queries that are read in a turn.
  private static let bytesPerTurn = 32 << 10
  /// Streams that are asked to end in a turn.
  private static let endsPerTurn = 256

  let settings: Configuration.Subscribe
  /// How many streams wait for the hub to let them open.
  var openingStreams: Int { opening.count }
  private let service: String
  private let loop: Loop
  private let logger: Logger
  private let shard: Shard
  private let home: Shard
  /// Empty, and its place without meaning, while there is no stream.
  private var window = EventHistory.window(from: 1)
  /// The turn of the loop in which the window grew last.
  private var lastDelivery: UInt64 = 0
  /// Streams with equal filters, which are woken together.
  private var groups: [TopicFilter: StreamGroup] = [:]
  private var streamCount = 0
  /// Streams whose opening the hub has not answered yet.
  private var opening: [Ticket: EventStream] = [:]
  /// Open streams that wait for a page.
  private var turningPage: [Ticket: EventStream] = [:]
  private var lastTicket: Ticket = 0
  private var isDraining = false
  /// Streams of many topics that are to be opened, by the length of their queries, and streams that are to end.
  private let work: PiecewiseWork
  private var lagged = PowerOfTwoCounter()
  private var nextTick: Timer?
  private var tick = 0

  init(
    _ service: String, _ settings: Configuration.Subscribe, shard: Shard, home: Shard, loop: Loop, logger: Logger
  ) throws(ReactorError) {
    work = try PiecewiseWork(costPerTurn: Self.bytesPerTurn, on: loop)
    self.service = service
    self.settings = settings
    self.shard = shard
    self.home = home
    self.loop = loop
    self.logger = logger
  }

  // MARK: Streams

  /// Has the hub open a stream. The stream's opener is told once, later, whether it opens.
  func open(_ stream: EventStream) {
    lastTicket += 1
    opening[lastTicket] = stream
    home.ask(service, .open(stream.filter, ticket: lastTicket), from: shard)
  }

  /// Forgets a stream that was open. Does nothing for one that never opened.
  func remove(_ stream: EventStream) {
    guard let group = groups[stream.filter], group.remove(stream) else { return }
    if group.isEmpty { groups[stream.filter] = nil }
    streamCount -= 1
    if streamCount == 0 {
      window = .window(from: 1)
      stopTicking()
    }
    // An answer that is still to come finds the stream closed, and does nothing.
    home.ask(service, .closed(stream.filter), from: shard)
  }

  /// Asks every stream to end with `bye`, when its client has taken what came before; also those that open after this.
  ///
  /// `Gateway.stop` has all shards do this: `Shard.drain` first makes the servers take no new requests, then drains the feeds, then
  /// waits for the grace at most. `Shard.close` cuts off the streams whose clients have not read all by then.
  func drain() {
    isDraining = true
    for group in groups.values {
      group.forEach { stream in
        work.add(cost: Self.bytesPerTurn / Self.endsPerTurn) { stream.drain() }
      }
    }
  }

  /// Reads the query of a stream in a turn that has time for so many bytes.
  func readQuery(ofBytes count: Int, _ read: @escaping () -> Void) { work.add(cost: count, read) }

  /// Stops the heartbeats, and refuses the streams that are not open yet. Those that are open, the server ends.
  func close() {
    stopTicking()
    work.cancel()
    let refused = opening
    (opening, turningPage) = ([:], [:])
    for stream in refused.values { stream.refused(Problem(.draining, "The gateway stopped before the stream opened.")) }
  }

  // MARK: Events

  /// Takes what the hub tells.
  func receive(_ message: Message) {
    switch message {
    case .events(let events, let wakes): deliver(events, wakes)
    case .opened(let ticket, let next, let publishers):
      if let stream = opening.removeValue(forKey: ticket) { add(stream, next, publishers) }
    case .refused(let ticket): opening.removeValue(forKey: ticket)?.refused(tooManyTopics)
    case .page(let page, let ticket): turningPage.removeValue(forKey: ticket)?.received(page)
    }
  }

  private func add(_ stream: EventStream, _ next: UInt64, _ publishers: Publishers) {
    if streamCount == 0 { window = .window(from: next) }
    streamCount += 1
    let group = groups[stream.filter] ?? StreamGroup()
    groups[stream.filter] = group
    group.insert(stream, tick: streamCount % StreamGroup.ticks)
    if nextTick == nil { scheduleTick() }
    stream.opened(at: next, publishers)
    if isDraining { stream.drain() }
  }

  private var tooManyTopics: Problem {
    Problem(
      .tooManyTopics,
      "With this stream, those of the service would ask for more different topics than the \(settings.topicsLimit) it allows."
    )
  }

  /// Appends the events to the window and wakes the streams that wait for any of them.
  ///
  /// Woken streams read at the end of the turn. In one turn more may come than the window's bounds allow, when a publisher goes and
  /// all that it had sent is received at once: it stays until the streams have had that chance to read.
  private func deliver(_ events: [Event], _ wakes: Subscriptions.Wakes) {
    // The last stream has closed while these were on their way.
    guard streamCount > 0 else { return }
    trim()
    lastDelivery = loop.turns
    for event in events { window.append(event) }
    for (filter, first) in wakes.filters { groups[filter]?.wake(at: first) }
    // After the others, which are to read from an earlier event on: a stream that has been woken hears of no second one.
    if let first = wakes.all { for group in groups.values { group.wake(at: first) } }
  }

  /// Holds the window to its bounds, unless it has grown in this very turn.
  private func trim() {
    if loop.turns != lastDelivery { window.trim() }
  }

  /// The event of that sequence, if the window holds it.
  func event(_ sequence: UInt64) -> Event? { window[sequence] }

  /// Whether the window has let go the event of that sequence: only the hub may still have it.
  func isPast(_ sequence: UInt64) -> Bool { sequence < window.first }

  /// Asks the hub for a page of the history: events that the window has let go. The stream gets it by `received`, perhaps within
  /// this call.
  func requestPage(from sequence: UInt64, for stream: EventStream) {
    lastTicket += 1
    turningPage[lastTicket] = stream
    home.ask(service, .page(from: sequence, stream.filter, ticket: lastTicket), from: shard)
  }

  /// Counts, and writes to the log, a stream that has fallen behind the history, which begins at `first`. Returns how many events
  /// of the service it has missed, from its place on to the oldest one kept anywhere. They include those that its filter does not
  /// match: which those were can no longer be told.
  func noteLag(at sequence: UInt64, historyFrom first: UInt64) -> UInt64 {
    if lagged.increment() {
      logger.notice("a stream read too slowly and is ended", metadata: ["so-far": "\(lagged.count)"])
    }
    // The window may begin before a history that is configured to be short.
    return min(first, window.first) - sequence
  }

  // MARK: Heartbeat

  private func scheduleTick() {
    nextTick = loop.schedule(at: loop.now + settings.heartbeat / StreamGroup.ticks, self)
  }

  private func stopTicking() {
    if let nextTick { loop.cancel(nextTick) }
    nextTick = nil
  }

  func fired(_ timer: Timer) {
    tick = (tick + 1) % StreamGroup.ticks
    for group in groups.values { group.sendHeartbeats(of: tick) }
    // In silence nothing else would hold the window to its bounds after much came in one turn.
    trim()
    scheduleTick()
  }
}
