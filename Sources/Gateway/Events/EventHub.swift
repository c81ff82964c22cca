import Logging
import MessagePack
import Reactor
import ZeroMQ
import ZeroMQRPC

/// Receives a service's events on its home shard, numbers them, encodes each once, and hands them to the shards that
/// have streams of the service. Subscribed upstream to what streams need, and to nothing else.
final class EventHub: SubscriberDelegate, TimerHandler {
  /// What has happened since the start.
  struct Counters: Sendable, Hashable {
    /// Events received and encoded.
    var events: UInt64 = 0
    /// Messages that are no published calls, or cannot be shown as JSON.
    var undecodable: UInt64 = 0
  }

  /// Whether all publishers are connected.
  var isConnected: Bool { subscriber?.isConnected ?? false }
  private(set) var counters = Counters()
  private let service: String
  private let shared: SharedService
  private let linger: Duration
  private let loop: Loop
  private let logger: Logger
  /// Names this run of the hub: a sequence means nothing beyond it.
  private let epoch = String(UInt64.random(in: .min ... .max), radix: 36)
  private var sequence: UInt64 = 0
  private var text: ServerSentEvents
  private var batch: [Event] = []
  private var subscriber: Subscriber?
  private var attached: [Attachment] = []
  /// For each prefix, how many shards need it.
  private var needed: [[UInt8]: Int] = [:]
  /// Prefixes that nobody needs any more and whose subscription ends at the deadline.
  private var lingering: [[UInt8]: Timer] = [:]
  private var hadUpstream = false

  /// A shard that wants events. It may go and come back while events are on their way to it: the generation tells which of
  /// its visits they were meant for.
  private struct Attachment {
    let shard: Shard
    let generation: UInt64
  }

  init(
    _ service: Configuration.Service, _ subscribe: Configuration.Subscribe, shared: SharedService,
    limits: Configuration,
    context: Context, loop: Loop, logger: Logger
  ) throws {
    self.service = service.name
    self.shared = shared
    linger = subscribe.linger
    self.loop = loop
    self.logger = logger
    text = ServerSentEvents(writer: service.json.writer(limits: limits.http.limits.transcoding))
    subscriber = try Subscriber(
      connect: subscribe.connect.map(\.description), longestFrame: subscribe.eventLimit, in: context, on: loop,
      logger: logger)
    subscriber?.owner = self
  }

  // MARK: Shards

  /// A shard has a first stream that needs the prefix.
  func need(_ prefix: [UInt8]) {
    needed[prefix, default: 0] += 1
    guard needed[prefix] == 1 else { return }
    if let deadline = lingering.removeValue(forKey: prefix) { return loop.cancel(deadline) }
    do {
      try subscriber?.subscribe(prefix)
    } catch {
      logger.error("cannot subscribe upstream", metadata: ["service": "\(service)", "error": "\(error)"])
    }
  }

  /// A shard's last stream that needed the prefix has closed.
  func release(_ prefix: [UInt8]) {
    guard let count = needed[prefix] else { return }
    if count > 1 { return needed[prefix] = count - 1 }
    needed[prefix] = nil
    lingering[prefix] = loop.schedule(at: loop.now + linger, self)
  }

  /// Streams that come and go quickly do not make the upstream subscription flap.
  func fired(_ deadline: Timer) {
    guard let prefix = lingering.first(where: { $0.value == deadline })?.key else { return }
    lingering[prefix] = nil
    try? subscriber?.unsubscribe(prefix)
  }

  /// The shard wants every event from now on, and is told whether a publisher is there.
  func attach(_ shard: Shard, generation: UInt64) {
    detach(shard)
    attached.append(Attachment(shard: shard, generation: generation))
    let (service, isUp) = (service, hadUpstream)
    shard.post { $0.feeds[service]?.attached(generation, isUpstream: isUp) }
  }

  /// The shard has no stream left.
  func detach(_ shard: Shard) { attached.removeAll { $0.shard === shard } }

  func close() {
    subscriber?.close()
    subscriber = nil
    for deadline in lingering.values { loop.cancel(deadline) }
    lingering = [:]
    attached = []
  }

  // MARK: Upstream

  func published(_ call: BorrowedCall) {
    // What is subscribed to has a topic.
    guard let topic = call.topic else { return }
    do throws(TranscodingError) {
      let id = "\(epoch)-\(sequence + 1)"
      let lines = try text.call(
        id: id, topic: topic, method: call.method, arguments: call.arguments, keywords: call.keywords)
      append(lines, topic: Array(topic))
      counters.events += 1
    } catch {
      counters.undecodable += 1
      // A publisher that sends nothing else must not fill the log: the first, the second, the fourth and so on.
      if counters.undecodable.nonzeroBitCount == 1 {
        logger.warning(
          "a published message cannot be shown and is left out",
          metadata: ["service": "\(service)", "reason": "\(error)", "so-far": "\(counters.undecodable)"])
      }
    }
  }

  func publishedAll() {
    guard !batch.isEmpty else { return }
    let events = batch
    batch = []
    let service = service
    let isUp = hadUpstream
    for attachment in attached {
      let generation = attachment.generation
      attachment.shard.post { $0.feeds[service]?.deliver(events, generation, isUpstream: isUp) }
    }
  }

  func upstreamChanged(connected: Int, of endpoints: Int) {
    shared.connectedPublishers = connected
    let isUp = connected > 0
    guard isUp != hadUpstream else { return }
    hadUpstream = isUp
    append(ServerSentEvents.upstream(isUp: isUp), topic: nil)
    publishedAll()
  }

  private func append(_ lines: [UInt8], topic: [UInt8]?) {
    sequence += 1
    batch.append(Event(sequence: sequence, topic: topic, text: lines, time: loop.now))
  }
}
