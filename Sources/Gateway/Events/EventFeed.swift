import HTTPServer
import Logging
import Reactor
import ZeroMQRPC

/// A service's streams on one shard, and the events they are about to read: streams are cursors into its window.
///
/// The hub hands over the events of one turn at a time; the feed appends them to its window and wakes the streams that
/// match. A stream that reads too slowly falls behind the window: then it asks the feed, and the feed the hub, for a page
/// of the history. One that has fallen behind the history as well is told `lagged` and ends. Neither holds up the others.
///
/// A stream opens in two steps: the feed asks the hub, which counts its topics, and the answer says from which event on
/// the stream reads, or that it is refused. When the last stream closes, the window is dropped, and the hub hands nothing
/// over to this shard any more.
final class EventFeed: TimerHandler {
  /// Names a question to the hub, so that the answer finds the stream that it is for.
  typealias Ticket = UInt64

  /// What the hub tells the feed of a shard.
  enum Message: Sendable {
    /// The stream may open and gets what has this sequence or a later one.
    case opened(ticket: Ticket, next: UInt64, Publishers)
    /// The stream would need more topics than the service may be subscribed to.
    case refused(ticket: Ticket)
    /// What came in one turn of the hub, in sequence.
    case events([Event])
    /// Older events, or that they are gone.
    case page(EventHistory.Page, ticket: Ticket)
  }

  let settings: Configuration.Subscribe
  private let service: String
  private let loop: Loop
  private let logger: Logger
  private let shard: Shard
  private let home: Shard
  private var window = EventHistory.window(from: 1)
  /// Streams with equal filters are matched once.
  private var groups: [TopicFilter: StreamGroup] = [:]
  private var streamCount = 0
  /// Streams that wait for an answer of the hub.
  private var asking: [Ticket: EventStream] = [:]
  private var lastTicket: Ticket = 0
  private var lagged = PowerOfTwoCounter()
  private var beat: Timer?
  private var tick = 0

  init(
    _ service: String, _ settings: Configuration.Subscribe, shard: Shard, home: Shard, loop: Loop, logger: Logger
  ) {
    self.service = service
    self.settings = settings
    self.shard = shard
    self.home = home
    self.loop = loop
    self.logger = logger
  }

  // MARK: Streams

  /// Opens a stream, or has its opener refuse it; either happens once, now or when the hub has answered.
  func open(_ stream: EventStream) {
    home.ask(service, .open(prefixes: stream.filter.prefixes, ticket: ticket(for: stream)), from: shard)
  }

  /// Forgets a stream that was opened.
  func close(_ stream: EventStream) {
    guard let group = groups[stream.filter], group.remove(stream) else { return }
    if group.isEmpty { groups[stream.filter] = nil }
    streamCount -= 1
    if streamCount == 0 {
      window = .window(from: 1)
      stopBeating()
    }
    home.ask(service, .close(prefixes: stream.filter.prefixes), from: shard)
  }

  /// Ends every stream with a farewell; what they have not read yet comes first.
  func drain() {
    for group in groups.values { group.drain() }
    for stream in asking.values { stream.drain() }
  }

  /// Wakes no stream any more.
  func close() {
    stopBeating()
    asking = [:]
  }

  // MARK: Events

  /// Takes what the hub tells.
  func receive(_ message: Message) {
    switch message {
    case .events(let events): deliver(events)
    case .opened(let ticket, let next, let publishers):
      if let stream = asking.removeValue(forKey: ticket) { opened(stream, next, publishers) }
    case .refused(let ticket): asking.removeValue(forKey: ticket)?.refused(tooManyTopics)
    case .page(let page, let ticket): asking.removeValue(forKey: ticket)?.turn(to: page)
    }
  }

  private func opened(_ stream: EventStream, _ next: UInt64, _ publishers: Publishers) {
    if streamCount == 0 { window = .window(from: next) }
    streamCount += 1
    let group = groups[stream.filter] ?? StreamGroup()
    groups[stream.filter] = group
    group.insert(stream, beat: streamCount % StreamGroup.beats)
    if beat == nil { scheduleBeat() }
    stream.opened(at: next, publishers)
  }

  private var tooManyTopics: Problem {
    Problem(
      .tooManyTopics,
      "With this stream, those of the service would ask for more different topics than the \(settings.topicsLimit) it allows."
    )
  }

  /// Appends the events to the window and wakes the streams that wait for any of them.
  private func deliver(_ events: [Event]) {
    // The last stream has closed while these were on their way.
    guard streamCount > 0 else { return }
    for event in events { window.append(event) }
    for (filter, group) in groups {
      if let first = events.first(where: filter.matches) { group.wake(at: first.sequence) }
    }
  }

  /// The event of that sequence, if the window holds it.
  func event(_ sequence: UInt64) -> Event? { window[sequence] }

  /// Whether the window has let go the event of that sequence: only the hub may still have it.
  func isPast(_ sequence: UInt64) -> Bool { sequence < window.first }

  /// Asks the hub for what the window has let go. The stream gets a page.
  func fetch(from sequence: UInt64, for stream: EventStream) {
    home.ask(service, .read(from: sequence, stream.filter, ticket: ticket(for: stream)), from: shard)
  }

  /// A stream reads so slowly that events it has not seen are gone: how many. It ends.
  func lose(from sequence: UInt64, first: UInt64) -> UInt64 {
    if lagged.increment() {
      logger.notice("a stream read too slowly and is ended", metadata: ["so-far": "\(lagged.count)"])
    }
    // Where less history is kept than the window holds, the window has the older ones.
    return min(first, window.first) - sequence
  }

  private func ticket(for stream: EventStream) -> Ticket {
    lastTicket += 1
    asking[lastTicket] = stream
    return lastTicket
  }

  // MARK: Heartbeat

  private func scheduleBeat() {
    beat = loop.schedule(at: loop.now + settings.heartbeat / StreamGroup.beats, self)
  }

  private func stopBeating() {
    if let beat { loop.cancel(beat) }
    beat = nil
  }

  func fired(_ timer: Timer) {
    tick = (tick + 1) % StreamGroup.beats
    for group in groups.values { group.beat(tick) }
    scheduleBeat()
  }
}
