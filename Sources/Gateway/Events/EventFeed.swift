import HTTPServer
import Logging
import Reactor
import ZeroMQRPC

/// A service's streams on one shard, and its window: the newest events, which those streams read from. Each stream has its own
/// place in it.
///
/// The hub hands over the events of one turn at a time, and says which filters match; the feed appends them to its window and wakes the
/// streams with those filters. A stream that reads too slowly falls behind the window: then it asks the feed, and the feed the hub, for
/// a page of the history. One that has fallen behind the history as well is told `lagged`, and ends or goes on with what is kept, as `slow`
/// says. Neither holds up the others.
///
/// A stream opens in two steps: the feed asks the hub, which counts its topics, and the answer says from which event on
/// the stream reads, or that it is refused. That event is the next one to come in, or one that the history has: then the stream
/// reads pages until it has come to the window, as a slow one does, so that nothing is lost or comes twice where the two meet. The
/// first page comes with the answer: however fast the history goes on, a stream that resumes gets something of it. When the last
/// stream closes, the window is emptied, and the hub hands nothing over to this shard any more.
///
/// Feed and hub send each other messages through their shards.
final class EventFeed: TimerHandler {
  /// The number of a request to the hub, by which the answer finds its stream.
  typealias Ticket = UInt64

  /// What the hub tells the feed of a shard.
  enum Message: Sendable {
    /// The stream may open, and begins so.
    case opened(ticket: Ticket, StreamBeginning)
    /// With the stream, more prefixes than the service's limit would be subscribed to, those that linger not counted.
    case refused(ticket: Ticket)
    /// What came in one turn of the hub, in sequence, and which streams it is for.
    case events([Event], Subscriptions.Wakes)
    /// The page that a stream asked for.
    case page(EventPage, ticket: Ticket)
    /// What somebody asked.
    case answer(HubAnswer, ticket: Ticket)
  }

  /// Bytes of queries that are read in a turn.
  private static let bytesPerTurn = 32 << 10

  private(set) var settings: Configuration.Subscribe
  /// How many requests wait for what the hub says.
  var waitingRequests: Int { opening.count + asking.count }
  /// Whether no stream is open, and nobody waits.
  var isIdle: Bool { streamCount == 0 && waitingRequests == 0 }
  /// Requests up to this one asked for what was offered before the settings changed.
  private var lastFormerTicket: Ticket = 0
  private let service: SharedService
  let loop: Loop
  private let logger: Logger
  private let shard: Shard
  private let home: Shard
  /// Empty, and its place without meaning, while there is no stream.
  private var window = EventHistory.window(from: 1)
  /// What stands before the number in an event's id; known when the first stream has opened.
  private var epoch = ""
  /// The turn of the loop in which the window grew last.
  private var lastDelivery: UInt64 = 0
  /// Streams with equal filters, which are woken together.
  private var groups: [TopicFilter: StreamGroup] = [:]
  /// How many streams are open.
  private(set) var streamCount = 0
  /// Streams whose opening the hub has not answered yet.
  private var opening: [Ticket: EventStream] = [:]
  /// Open streams that wait for a page.
  private var turningPage: [Ticket: EventStream] = [:]
  /// Requests whose questions the hub has not answered yet.
  private var asking: [Ticket: PendingAnswer] = [:]
  private var lastTicket: Ticket = 0
  private var isDraining = false
  private var farewells: Farewells?
  /// Streams of many topics that are to be opened, by the length of their queries.
  private let work: PiecewiseWork
  /// What has become of the events of streams that have closed.
  private var closedAccounts = EventAccounts()
  private var lagged = PowerOfTwoCounter()
  private var nextTick: Timer?
  private var tick = 0

  init(
    _ service: SharedService, _ settings: Configuration.Subscribe, shard: Shard, home: Shard, loop: Loop, logger: Logger
  ) throws(ReactorError) {
    work = try PiecewiseWork(costPerTurn: Self.bytesPerTurn, on: loop)
    self.service = service
    self.settings = settings
    self.shard = shard
    self.home = home
    self.loop = loop
    self.logger = logger
  }

  /// Other settings hold from now on, for open streams too, but for how long these may be open. Streams end that ask for what is not offered
  /// any more.
  func use(_ settings: Configuration.Subscribe) {
    self.settings = settings
    lastFormerTicket = lastTicket
    if settings.slow == .conflate { window.beginToConflate() }
    if nextTick != nil {
      stopTicking()
      scheduleTick()
    }
    let offered = TopicFilter(settings.topics)
    for (filter, group) in groups where !offered.covers(filter) { group.forEach { $0.end(because: .topics) } }
  }

  // MARK: Streams

  /// Has the hub open a stream. The stream's opener is told once, later, whether it opens.
  func open(_ stream: EventStream) {
    lastTicket += 1
    opening[lastTicket] = stream
    home.ask(service, .open(stream.filter, stream.start, ticket: lastTicket), from: shard)
  }

  /// Has the hub answer a question. The request is told once, later.
  func ask(_ question: HubQuestion, for request: PendingAnswer) {
    lastTicket += 1
    asking[lastTicket] = request
    home.ask(service, .question(question, ticket: lastTicket), from: shard)
  }

  /// Forgets a stream that was open. Does nothing for one that never opened.
  func remove(_ stream: EventStream) {
    guard let group = groups[stream.filter], group.remove(stream) else { return }
    if group.isEmpty { groups[stream.filter] = nil }
    streamCount -= 1
    closedAccounts = closedAccounts + stream.accounts
    if streamCount == 0 {
      window = .window(from: 1)
      stopTicking()
    }
    // An answer that is still to come finds the stream closed, and does nothing.
    home.ask(service, .closed(stream.filter), from: shard)
  }

  /// Asks every stream to end with `bye`, when its client has taken what came before: many of them one after the other, within the
  /// grace. Those that open after this end at once.
  ///
  /// `Gateway.stop` has all shards do this: `Shard.drain` first makes the servers take no new requests, then drains the feeds, then
  /// waits for the grace at most. `Shard.close` cuts off the streams whose clients have not read all by then.
  func drain(within grace: Duration) {
    isDraining = true
    var streams: [EventStream] = []
    streams.reserveCapacity(streamCount)
    for group in groups.values { group.forEach { streams.append($0) } }
    farewells = Farewells(to: streams, within: grace, on: loop)
  }

  /// What has become of the events of all streams so far.
  var accounts: EventAccounts {
    var accounts = closedAccounts
    for group in groups.values { group.forEach { accounts = accounts + $0.accounts } }
    return accounts
  }

  /// Reads the query of a stream in a turn that has time for so many bytes.
  func readQuery(ofBytes count: Int, _ read: @escaping () -> Void) { work.add(cost: count, read) }

  /// Stops the heartbeats, and refuses the streams that are not open yet. Those that are open, the server ends.
  func close() {
    stopTicking()
    farewells?.cancel()
    work.cancel()
    let (refused, unanswered) = (opening, asking)
    (opening, turningPage, asking) = ([:], [:], [:])
    for stream in refused.values { stream.refused(Problem(.draining, "The gateway stopped before the stream opened.")) }
    for request in unanswered.values { request.refused(Problem(.draining, "The gateway stopped.")) }
  }

  // MARK: Events

  /// Takes what the hub tells.
  func receive(_ message: Message) {
    switch message {
    case .events(let events, let wakes): deliver(events, wakes)
    case .opened(let ticket, let beginning):
      guard let stream = opening.removeValue(forKey: ticket) else { break }
      add(stream, beginning)
      if ticket <= lastFormerTicket, !TopicFilter(settings.topics).covers(stream.filter) {
        stream.end(because: .topics)
      }
    case .refused(let ticket): opening.removeValue(forKey: ticket)?.refused(.tooManyTopics(settings.topicsLimit))
    case .answer(let answer, let ticket): asking.removeValue(forKey: ticket)?.answer(answer)
    case .page(let page, let ticket): turningPage.removeValue(forKey: ticket)?.received(page)
    }
  }

  private func add(_ stream: EventStream, _ beginning: StreamBeginning) {
    if streamCount == 0 { window = .window(from: beginning.end, conflates: settings.slow == .conflate) }
    epoch = beginning.id.epoch
    streamCount += 1
    let group = groups[stream.filter] ?? StreamGroup()
    groups[stream.filter] = group
    group.insert(stream, tick: streamCount % StreamGroup.ticks)
    if nextTick == nil { scheduleTick() }
    // Streams that open together do not end together.
    stream.opened(beginning, until: loop.now + settings.maxAge * Double.random(in: 0.9...1))
    if isDraining { stream.end(because: .draining) }
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

  /// Holds the window to its bounds, unless it has grown in this very turn. It is smaller when the service has taken more than two
  /// thirds of the memory that it may, so that there is room for the next event.
  private func trim() {
    guard loop.turns != lastDelivery else { return }
    window.trim()
    let memory = service.memory
    while window.count > 1, memory.count > 0, !memory.fits(memory.count), window.removeOldest() {}
  }

  /// The event of that sequence, if the window holds it.
  func event(_ sequence: UInt64) -> Event? { window[sequence] }

  /// Whether the window has a later event of the same topic; only where streams conflate.
  func isSuperseded(_ event: Event) -> Bool { window.isSuperseded(event) }

  /// Whether the window has let go the event of that sequence: only the hub may still have it.
  func isPast(_ sequence: UInt64) -> Bool { sequence < window.first }

  /// The sequence that the next event will have: all before it has come to this shard.
  var end: UInt64 { window.end }

  /// The id that stands for all before the event of that sequence.
  func id(before sequence: UInt64) -> EventID { EventID(epoch: epoch, number: sequence - 1) }

  /// The oldest event from which a stream may go on whose next one is gone: the history begins with `first`, and the window perhaps
  /// before it, when the history is configured to be short.
  func oldest(historyFrom first: UInt64) -> UInt64 { min(first, window.first) }

  /// Asks the hub for a page of what the window does not hold. The stream gets it by `received`, later.
  func requestPage(_ pages: EventHub.Pages, from sequence: UInt64, for stream: EventStream) {
    lastTicket += 1
    turningPage[lastTicket] = stream
    home.ask(service, .page(pages, from: sequence, stream.filter, ticket: lastTicket), from: shard)
  }

  /// Ends the wait of a stream.
  func stopWaiting(_ timer: inout Timer?) {
    if let timer = timer.take() { loop.cancel(timer) }
  }

  /// Counts, and writes to the log, that a stream is told what it missed.
  func noteLag() {
    if lagged.increment() {
      logger.notice(
        "a stream read too slowly; it is told what it missed", metadata: ["so-far": .stringConvertible(lagged.count)])
    }
  }

  /// Streams end whose credentials were taken back.
  func endWithoutCredentials() { end { $0.ending } }

  /// All streams end, as those do whose credentials were taken back.
  func endStreams() { end { _ in .revoked } }

  private func end(_ reason: (StreamPermit) -> Notice.Farewell?) {
    for group in groups.values {
      group.forEach { stream in if let reason = reason(stream.permit) { stream.end(because: reason) } }
    }
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
    for group in groups.values { group.beat(tick, at: loop.now) }
    // In silence nothing else would hold the window to its bounds after much came in one turn.
    trim()
    scheduleTick()
  }
}
