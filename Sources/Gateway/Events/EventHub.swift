import DequeModule
import Logging
import MessagePack
import Reactor
import ZeroMQ
import ZeroMQRPC

/// Where a service's events come in: one hub for each service, on the service's home shard.
///
/// The way of an event, in the order in which to read it: `Transport`, `Subscriber`, `EventHub`, `EventHistory`, `EventFeed`,
/// `EventStream`, `Exchange`, `Daemon`. What helps them on the way: `Shard.ask` and `Shard.tell` carry messages between hub and
/// feeds, `Subscriptions` counts topics and finds the filters that match, by a `PrefixTrie`; `ServerSentEvents` writes the lines,
/// `TopicFilter` and `StreamGroup` find the streams to wake, `ExchangeState` says when the exchange reads. The subscriber hands the
/// hub each published call. The hub numbers it, encodes it once, keeps it in its history, and at the end of the subscriber's turn
/// hands it, with all that came in that turn and the filters that match, to the feed of each shard that has a stream of the service.
/// Nothing on this way waits for a reader.
///
/// A call longer than `http.limits.inline` is encoded on a thread beside the shard (`EventEncoder`). Until that is done the subscriber
/// reads nothing, so that the events keep their order and nothing else has to be kept.
///
/// A message that cannot be shown becomes a `gap` event, numbered and kept like any other, for the streams that its topic
/// matches.
///
/// Feeds ask the hub to open streams, tell it of those that have closed, and ask for older events; hub and feeds send each other values, and those
/// between two shards arrive in the order in which they were sent. `Subscriptions` says what to subscribe to at the publishers. A
/// prefix that the last stream has left stays subscribed to for `linger`; after that nothing of it comes in. The history stays
/// when the last stream has closed, until its events are too old.
///
/// Streams open, and subscriptions end, in turns of the hub: about 512 prefixes in each. So thousands of streams with hundreds of
/// topics hold up each other, and nothing else on the shard. A stream closes at once.
///
/// When a publisher comes or goes, an `upstream` event takes a number, is kept and handed over like any other, though its lines show
/// no id: each stream learns of it about where it happened among the events of all publishers. Of what is published while the
/// connection is away nothing arrives, and the two `upstream` events, of the loss and of the return, are its only trace. What a
/// publisher or libzmq drops because a queue is full, when events come faster than the hub takes them, leaves no trace at all.
/// In neither case do the numbers have a gap.
final class EventHub: SubscriberDelegate, TimerHandler, Source {
  /// What the feed of a shard asks.
  enum Request: Sendable {
    /// A stream with this filter wants to open. Answered with `opened` or `refused`, in a later turn.
    case open(TopicFilter, ticket: EventFeed.Ticket)
    /// A stream with this filter, which was opened, has closed.
    case closed(TopicFilter)
    /// A stream wants to go on from that sequence, which its feed's window does not hold. Answered with `page`.
    case page(from: UInt64, TopicFilter, ticket: EventFeed.Ticket)
  }

  /// A shard that has streams of the service, which are counted, and is therefore handed all events.
  private struct Member {
    let shard: Shard
    var streams: Int
  }

  /// A stream that wants to open.
  private struct Opening {
    let filter: TopicFilter
    let ticket: EventFeed.Ticket
    let shard: Shard
  }

  /// After so many prefixes a turn ends, long ones counting for more; one filter is always done whole.
  private static let prefixesPerTurn = 512
  /// Events that are let go at once for their age; there may be millions.
  private static let expiriesPerTurn = 1_024

  private enum TimerTag {
    static let linger: UInt32 = 0
    static let age: UInt32 = 1
  }

  /// Whether all publishers are connected.
  var isConnected: Bool { publishers.areComplete }
  private let service: String
  private let shared: SharedService
  private let loop: Loop
  private let logger: Logger
  /// A word drawn when the hub starts, which stands before each number in an event's id: another run of the gateway counts from 1
  /// again, and its ids shall not be taken for these.
  private let epoch = String(UInt64.random(in: .min ... .max), radix: 36)
  private(set) var history: EventHistory
  private var subscriptions: Subscriptions
  private var publishers: Publishers
  private var members: [Member] = []
  /// In the order in which they asked; a connection has one at most.
  private var openings: Deque<Opening> = []
  private let encoder: EventEncoder
  /// Publishers that came and went while a long call was being encoded, which has the next number.
  private var untold: [Publishers] = []
  /// What came in this turn and is not handed over yet: 256 messages at most, or, when a connection ends, 4,096.
  private var batch: [Event] = []
  private var subscriber: Subscriber?
  private var watch: Watch?
  private var lingerTimer: Timer?
  private var ageTimer: Timer?
  private var undecodable = PowerOfTwoCounter()

  init(
    _ service: Configuration.Service, _ subscribe: Configuration.Subscribe, shared: SharedService,
    limits: Configuration, context: Context, loop: Loop, logger: Logger
  ) throws {
    self.service = service.name
    self.shared = shared
    self.loop = loop
    self.logger = logger
    history = EventHistory(subscribe.history)
    subscriptions = Subscriptions(limit: subscribe.topicsLimit, linger: subscribe.linger)
    publishers = Publishers(connected: 0, all: subscribe.connect.count)
    encoder = EventEncoder(
      writer: service.json.writer(limits: limits.http.limits.transcoding), longestInline: limits.http.limits.inline,
      on: loop)
    subscriber = try Subscriber(
      connect: subscribe.connect, longestFrame: subscribe.eventLimit,
      in: context, on: loop,
      logger: logger)
    subscriber?.delegate = self
    watch = try loop.watch(nil, self)
  }

  /// Ends the subscriber and the timers, and hands over nothing more. The shard drops the hub with this, so that no request reaches
  /// it any more.
  func close() {
    subscriber?.close()
    subscriber = nil
    watch?.cancel()
    openings = []
    for timer in [lingerTimer, ageTimer] { if let timer { loop.cancel(timer) } }
    members = []
  }

  // MARK: Feeds

  /// Does what the feed of a shard asks.
  func receive(_ request: Request, from shard: Shard) {
    switch request {
    case .open(let filter, let ticket):
      openings.append(Opening(filter: filter, ticket: ticket, shard: shard))
      watch?.schedule()
    case .closed(let filter): streamClosed(filter, shard)
    case .page(let sequence, let filter, let ticket):
      shard.tell(service, .page(history.page(from: sequence, matching: filter), ticket: ticket))
    }
  }

  func turn(_ events: PollEvents) {
    var prefixes = 0
    while prefixes < Self.prefixesPerTurn, let opening = openings.popFirst() { prefixes += 1 + open(opening) }
    while prefixes < Self.prefixesPerTurn, let work = subscriptions.expire(at: loop.now) { prefixes += perform(work) }
    scheduleLinger()
  }

  func isReady() -> Bool { !openings.isEmpty || subscriptions.nextExpiry.map { $0 <= loop.now } == true }

  /// Does the next step for a stream that wants to open. Returns how many prefixes it took.
  private func open(_ opening: Opening) -> Int {
    let shard = opening.shard
    switch subscriptions.add(opening.filter) {
    case .refused:
      shard.tell(service, .refused(ticket: opening.ticket))
      return opening.filter.prefixes.count
    case .makingRoom(let work):
      openings.prepend(opening)
      return perform(work)
    case .opened(let work):
      let prefixes = perform(work)
      // The stream begins with the next event. Those that came before it in this turn go to the shards that had streams already.
      handOver()
      if let index = members.firstIndex(where: { $0.shard === shard }) {
        members[index].streams += 1
      } else {
        members.append(Member(shard: shard, streams: 1))
      }
      shard.tell(service, .opened(ticket: opening.ticket, next: history.end, publishers))
      return prefixes
    }
  }

  private func streamClosed(_ filter: TopicFilter, _ shard: Shard) {
    subscriptions.remove(filter, at: loop.now)
    scheduleLinger()
    guard let index = members.firstIndex(where: { $0.shard === shard }) else { return }
    members[index].streams -= 1
    if members[index].streams == 0 { members.remove(at: index) }
  }

  /// Gives each member what has come in since the last time.
  private func handOver() {
    guard !batch.isEmpty else { return }
    let events = batch
    batch = []
    guard !members.isEmpty else { return }
    let wakes = subscriptions.wakes(for: events)
    for member in members { member.shard.tell(service, .events(events, wakes)) }
  }

  // MARK: Upstream

  /// Changes the subscriptions of the socket. libzmq refuses prefixes that are too long, but those are refused where topics are read
  /// (`NameRules.longestTopic`); what is left is a socket that has failed, and then the streams are told that all publishers are
  /// gone. Returns how many prefixes the work took: libzmq takes the longer for one the longer it is.
  private func perform(_ work: Subscriptions.Work) -> Int {
    var bytes = 0
    for action in work.actions {
      do {
        switch action {
        case .subscribe(let prefix):
          bytes += prefix.count
          try subscriber?.subscribe(prefix)
        case .unsubscribe(let prefix):
          bytes += prefix.count
          try subscriber?.unsubscribe(prefix)
        }
      } catch {
        logger.error("cannot change the subscription at the publishers", metadata: ["error": "\(error)"])
      }
    }
    return work.prefixes + bytes / 16
  }

  /// Numbers and encodes a call. One that has no form in JSON is told as a gap.
  func published(_ call: BorrowedCall) {
    // A subscriber's calls always have one.
    guard let topic = call.topic else { return }
    if let lines = encoder.lines(id: nextID, topic: topic, call) { return append(lines, topic: topic) }
    subscriber?.isReading = false
    encoder.writeLong(id: nextID, topic: topic, call) { [weak self, topic = Array(topic)] lines in
      self?.longCallEncoded(lines, topic: topic)
    }
  }

  private func longCallEncoded(_ lines: EventEncoder.Lines, topic: [UInt8]) {
    topic.withUnsafeBytes { append(lines, topic: $0) }
    for publishers in untold { tell(publishers) }
    untold = []
    handOver()
    subscriber?.isReading = true
  }

  private func append(_ lines: EventEncoder.Lines, topic: UnsafeRawBufferPointer) {
    switch lines {
    case .success(let lines): append(lines, topic: topic)
    case .failure(let error):
      if undecodable.increment() {
        logger.warning(
          "a published message has no form in JSON; its streams are told of a gap",
          metadata: ["reason": "\(error)", "so-far": "\(undecodable.count)"])
      }
      dropped(topic: topic)
    }
  }

  func dropped(topic: UnsafeRawBufferPointer) { append(ServerSentEvents.undecodable(id: nextID), topic: topic) }

  private var nextID: String { "\(epoch)-\(history.end)" }

  func publishedAll() { handOver() }

  func upstreamChanged(connected: Int, of endpoints: Int) {
    let now = Publishers(connected: connected, all: endpoints)
    guard now != publishers else { return }
    publishers = now
    shared.connectedPublishers = connected
    if encoder.isBusy { return untold.append(now) }
    tell(now)
    handOver()
  }

  private func tell(_ publishers: Publishers) { append(ServerSentEvents.upstream(publishers), topic: nil) }

  private func append(_ lines: [UInt8], topic: UnsafeRawBufferPointer?) {
    // No prefix is longer.
    let topic = topic.map { Array(UnsafeRawBufferPointer(rebasing: $0.prefix(NameRules.longestTopic))) }
    let event = Event(sequence: history.end, topic: topic, text: lines, time: loop.now)
    history.append(event)
    history.trim()
    batch.append(event)
    if ageTimer == nil { scheduleAge() }
  }

  // MARK: Time

  func fired(_ timer: Timer) {
    if timer.tag == TimerTag.linger {
      lingerTimer = nil
      watch?.schedule()
    } else {
      ageTimer = nil
      history.expire(at: loop.now, atMost: Self.expiriesPerTurn)
      scheduleAge()
    }
  }

  private func scheduleLinger() {
    guard let deadline = subscriptions.nextExpiry else { return }
    if deadline <= loop.now {
      watch?.schedule()
    } else if lingerTimer == nil {
      lingerTimer = loop.schedule(at: deadline, self, tag: TimerTag.linger)
    }
  }

  /// Looks at the age of events once a second at most, so that many go at once; they stay up to a second longer than configured.
  private func scheduleAge() {
    guard let expiry = history.nextExpiry else { return }
    let deadline = expiry < loop.now ? loop.now + .milliseconds(1) : max(expiry, loop.now + .seconds(1))
    ageTimer = loop.schedule(at: deadline, self, tag: TimerTag.age)
  }
}
