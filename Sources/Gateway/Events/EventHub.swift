import DequeModule
import Logging
import Reactor
import ZeroMQ
import ZeroMQRPC

/// Where a service's events come in: one hub for each service, on the service's home shard.
///
/// The way of an event, in the order in which to read it: `LoopSocket`, `Subscriber`, `EventHub`, `EventRecorder`, `EventFeed`,
/// `EventStream`, `Exchange`, `Daemon`. What helps them on the way: `EventHistory` keeps events, `Shard.ask` and `Shard.tell` carry
/// messages between hub and feeds, `Subscriptions` counts topics and finds the filters that match, by a `PrefixTrie`;
/// `ServerSentEvents` writes the lines, `Notice` those of the gateway's own, `TopicFilter` and `StreamGroup` find the streams to
/// wake, `ExchangeState` says when the exchange reads. The subscriber hands the hub each published call. The hub has its recorder number it, encode it once and keep it in the history, and at the end of the
/// subscriber's turn hands it, with all that came in that turn and the filters that match, to the feed of each shard that has a stream
/// of the service. Nothing on this way waits for a reader.
///
/// Feeds ask the hub to open streams, tell it of those that have closed, and ask for older events; hub and feeds send each other values,
/// and those between two shards arrive in the order in which they were sent. `Subscriptions` says what to subscribe to at the publishers. A
/// prefix that the last stream has left stays subscribed to for `linger`; after that nothing of it comes in. The history stays
/// when the last stream has closed, until its events are too old.
///
/// Streams open and get their pages, and subscriptions end, in turns of the hub: about 512 prefixes in each, or 32,768 events that are
/// looked at. So thousands of streams with hundreds of topics, or that resume far back, hold up each other, and nothing else on the
/// shard. A stream closes at once.
///
/// While a history is kept, what the service offers is subscribed to from the start, so that the history has no holes: what streams
/// ask for besides is counted all the same, as a publisher may want to know it.
///
/// When a publisher comes or goes, an `upstream` event takes a number, is kept and handed over like any other, though its lines show
/// no id: each stream learns of it about where it happened among the events of all publishers. Of what is published while the
/// connection is away nothing arrives, and the two `upstream` events, of the loss and of the return, are its only trace. What a
/// publisher or libzmq drops because a queue is full, when events come faster than the hub takes them, leaves no trace at all, unless the
/// publisher numbers its messages (`PublishedNumbers`). In either case the numbers of the hub stay consecutive.
final class EventHub: SubscriberDelegate, TimerHandler, Source {
  /// What the feed of a shard asks.
  enum Request: Sendable {
    /// A stream with this filter wants to open, and to begin there. Answered with `opened` or `refused`, in a later turn.
    case open(TopicFilter, Resumption.Start, ticket: EventFeed.Ticket)
    /// A stream with this filter, which was opened, has closed.
    case closed(TopicFilter)
    /// A stream wants to go on from that sequence, which its feed's window does not hold. Answered with `page`, in a later turn.
    case page(Pages, from: UInt64, TopicFilter, ticket: EventFeed.Ticket)
    /// Somebody wants to know something. Answered with `answer`, in a later turn.
    case question(HubQuestion, ticket: EventFeed.Ticket)
  }

  /// What pages are of.
  enum Pages: Hashable, Sendable {
    /// The history; with the newest event of each topic only, for streams that conflate.
    case history(conflating: Bool)
    /// The last events of topics, as far as they came before the one of that sequence.
    case lastValues(before: UInt64)
  }

  /// What a stream waits for.
  private struct Wish {
    enum Kind {
      case opening(Resumption.Start)
      case page(Pages, from: UInt64)
      case answer(HubQuestion)
    }

    let kind: Kind
    var filter = TopicFilter.none
    let ticket: EventFeed.Ticket
    let shard: Shard
  }

  /// After so many prefixes a turn ends, long ones counting for more; one filter is always done whole.
  private static let prefixesPerTurn = 512
  /// So many events that are looked at for a page count as a prefix.
  private static let eventsPerPrefix: UInt64 = 64

  /// How many numbers it has given.
  var numbered: Int { Int(history.end - 1) }
  /// Whether all publishers are connected.
  var isConnected: Bool { publishers.areComplete }
  private let service: SharedService
  private let loop: Loop
  private let recorder: EventRecorder
  var history: EventHistory { recorder.history }
  private var subscriptions: Subscriptions
  private var publishers: Publishers
  private var shards = StreamShards()
  /// In the order in which they asked; a connection has one at most.
  private var wishes: Deque<Wish> = []
  private var socket: PublisherSocket?
  private var watch: Watch?
  private var lingerTimer: Timer?

  init(
    _ service: Configuration.Service, _ subscribe: Configuration.Subscribe, shared: SharedService,
    limits: Configuration, context: Context, loop: Loop, logger: Logger
  ) throws {
    self.service = shared
    self.loop = loop
    subscriptions = Subscriptions(limit: subscribe.topicsLimit, linger: subscribe.linger)
    publishers = Publishers(connected: 0, all: subscribe.connect.count + subscribe.bind.count)
    recorder = try EventRecorder(
      service, subscribe, memory: shared.memory, limits: limits.http.limits, on: loop, logger: logger)
    socket = try PublisherSocket(
      service, subscribe, states: shared.incoming, delegate: self, in: context, on: loop, logger: logger)
    watch = try loop.watch(nil, self)
    recorder.hub = self
  }

  /// Ends the subscriber and the timers, and hands over nothing more. The shard drops the hub with this, so that no request reaches
  /// it any more.
  func close() {
    socket?.close()
    socket = nil
    watch?.cancel()
    wishes = []
    recorder.close()
    if let lingerTimer { loop.cancel(lingerTimer) }
    shards = StreamShards()
  }

  // MARK: Settings

  /// Begins to connect to those of the endpoints that are new, and stays connected to the others. Throws when one cannot be used.
  func connect(_ endpoints: [Endpoint]) throws(ZMQError) { try socket?.connect(endpoints) }

  /// What comes from now on is subscribed to, recorded and kept as these settings say. Numbers and what is kept go on.
  func use(_ service: Configuration.Service, _ subscribe: Configuration.Subscribe) {
    subscriptions.use(limit: subscribe.topicsLimit, linger: subscribe.linger)
    let isOfOthers = socket?.use(subscribe, history) ?? false
    recorder.use(service, subscribe, isOfOthers: isOfOthers)
    tellPublishers()
  }

  // MARK: Feeds

  /// Does what the feed of a shard asks.
  func receive(_ request: Request, from shard: Shard) {
    switch request {
    case .open(let filter, let start, let ticket):
      wishes.append(Wish(kind: .opening(start), filter: filter, ticket: ticket, shard: shard))
      watch?.schedule()
    case .closed(let filter): streamClosed(filter, shard)
    case .page(let pages, let sequence, let filter, let ticket):
      wishes.append(Wish(kind: .page(pages, from: sequence), filter: filter, ticket: ticket, shard: shard))
      watch?.schedule()
    case .question(let question, let ticket):
      wishes.append(Wish(kind: .answer(question), ticket: ticket, shard: shard))
      watch?.schedule()
    }
  }

  func turn(_ events: PollEvents) {
    var prefixes = 0
    while prefixes < Self.prefixesPerTurn, let wish = wishes.popFirst() { prefixes += 1 + fulfil(wish) }
    while prefixes < Self.prefixesPerTurn, let work = subscriptions.expire(at: loop.now) { prefixes += perform(work) }
    scheduleLinger()
  }

  func isReady() -> Bool { !wishes.isEmpty || subscriptions.nextExpiry.map { $0 <= loop.now } == true }

  /// Does the next step of what a stream waits for. Returns how many prefixes it took.
  private func fulfil(_ wish: Wish) -> Int {
    switch wish.kind {
    case .opening(let start): return open(wish, start)
    case .page(let pages, let sequence):
      let page = page(pages, from: sequence, wish.filter)
      wish.shard.tell(service, .page(page.page, ticket: wish.ticket))
      return page.cost
    case .answer(.topics(let access)):
      var topics = subscriptions.live(seen: access)
      if access == nil { topics.streams = shards.streams }
      wish.shard.tell(service, .answer(.topics(topics), ticket: wish.ticket))
      return Self.prefixesPerTurn
    case .answer(.last(let topic)):
      wish.shard.tell(service, .answer(.last(recorder.last?[topic]), ticket: wish.ticket))
      return 0
    }
  }

  private func page(
    _ pages: Pages, from sequence: UInt64, _ filter: TopicFilter
  ) -> (page: EventPage, cost: Int) {
    switch pages {
    case .history(let conflating):
      let page = history.page(from: sequence, matching: filter, conflating: conflating)
      return (page, Int((page.next - page.first) / Self.eventsPerPrefix))
    case .lastValues(let end):
      // Nobody asks where none are kept.
      let page = recorder.last?.page(from: sequence, before: end, matching: filter) ?? EventPage(from: end)
      return (page, EventPage.reach / Int(Self.eventsPerPrefix))
    }
  }

  /// Does the next step for a stream that wants to open.
  private func open(_ opening: Wish, _ start: Resumption.Start) -> Int {
    let shard = opening.shard
    switch subscriptions.add(opening.filter) {
    case .refused:
      shard.tell(service, .refused(ticket: opening.ticket))
      return opening.filter.prefixes.count
    case .makingRoom(let work):
      wishes.prepend(opening)
      return perform(work)
    case .opened(let work):
      let prefixes = perform(work)
      // What has come before in this turn goes to the shards that had streams already: what comes next is new to all windows.
      handOver()
      shards.opened(on: shard)
      let resumption = Resumption(start, epoch: recorder.epoch, in: history) {
        socket?.standing.areWhole(for: opening.filter, after: $0) ?? true
      }
      let page =
        start == .snapshot
        ? page(.lastValues(before: history.end), from: 1, opening.filter)
        : page(.history(conflating: false), from: resumption.next, opening.filter)
      let beginning = StreamBeginning(
        id: EventID(epoch: recorder.epoch, number: resumption.next - 1), gap: resumption.gap,
        publishers: recorder.publishers(before: resumption.next),
        page: page.page, end: history.end)
      shard.tell(service, .opened(ticket: opening.ticket, beginning))
      return prefixes + page.cost
    }
  }

  private func streamClosed(_ filter: TopicFilter, _ shard: Shard) {
    subscriptions.remove(filter, at: loop.now)
    scheduleLinger()
    shards.closed(on: shard)
  }

  /// Gives each shard that has streams what has been recorded since the last time.
  func handOver() {
    let events = recorder.takeBatch()
    guard !events.isEmpty, !shards.isEmpty else { return }
    let wakes = subscriptions.wakes(for: events)
    shards.forEach { $0.tell(service, .events(events, wakes)) }
  }

  // MARK: Upstream

  private func perform(_ work: Subscriptions.Work) -> Int { socket?.perform(work) ?? work.prefixes }

  func published(_ call: BorrowedCall) { recorder.published(call, extra: nil) }

  func published(_ call: BorrowedCall, extra: UnsafeRawBufferPointer) { recorder.published(call, extra: extra) }

  func dropped(topic: UnsafeRawBufferPointer) { recorder.dropped(topic: topic) }

  func dropped(topic: UnsafeRawBufferPointer, frameOf bytes: Int) { recorder.dropped(topic: topic, frameOf: bytes) }

  func publishedAll() { handOver() }

  func upstreamChanged(connected: Int, of endpoints: Int) { tellPublishers() }

  private func tellPublishers() {
    guard let now = socket?.publishers, now != publishers else { return }
    publishers = now
    self.service.connectedPublishers = now.connected
    recorder.changed(now)
    handOver()
  }

  // MARK: Time

  func fired(_ timer: Timer) {
    lingerTimer = nil
    watch?.schedule()
  }

  private func scheduleLinger() {
    guard let deadline = subscriptions.nextExpiry else { return }
    if deadline <= loop.now {
      watch?.schedule()
    } else if lingerTimer == nil {
      lingerTimer = loop.schedule(at: deadline, self)
    }
  }
}
