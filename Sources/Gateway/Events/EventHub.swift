import Logging
import MessagePack
import Reactor
import ZeroMQ
import ZeroMQRPC

/// Receives a service's events on its home shard, numbers them, encodes each once, and hands them to the shards that
/// have streams of the service. Subscribed upstream to what streams need, and to nothing else.
final class EventHub: SubscriberOwner, Alarm {
  /// What has happened since the start.
  struct Counters: Sendable, Hashable {
    /// Events received and encoded.
    var events: UInt64 = 0
    /// Messages that are no published calls, or cannot be shown as JSON.
    var undecodable: UInt64 = 0
  }

  /// Events up to this length are taken however little history is kept; a longer one ends the connection.
  private static let longestFrame = 8 << 20

  private(set) var counters = Counters()
  private let service: String
  private let linger: Duration
  private let loop: Loop
  private let logger: Logger
  /// Names this run of the hub: a sequence means nothing beyond it.
  private let epoch = String(UInt64.random(in: .min ... .max), radix: 36)
  private var sequence: UInt64 = 0
  private var text: EventText
  private var batch: [Event] = []
  private var subscriber: Subscriber?
  private var shards: [Shard] = []
  /// For each prefix, how many shards need it.
  private var needed: [[UInt8]: Int] = [:]
  /// Prefixes that nobody needs any more and whose subscription ends at the deadline.
  private var lingering: [[UInt8]: Deadline] = [:]
  private var hadUpstream = false

  init(
    _ service: Configuration.Service, _ subscribe: Configuration.Subscribe, limits: Configuration, context: Context,
    loop: Loop, logger: Logger
  ) throws {
    self.service = service.name
    linger = subscribe.linger
    self.loop = loop
    self.logger = logger
    text = EventText(writer: service.json.writer(limits: limits.transcoding))
    subscriber = try Subscriber(
      connect: subscribe.connect.map(\.description), longestFrame: max(subscribe.history.bytes, Self.longestFrame),
      in: context, on: loop)
    subscriber?.owner = self
  }

  // MARK: Shards

  /// The shard has a first stream that needs the prefix.
  func need(_ prefix: [UInt8], for shard: Shard) {
    needed[prefix, default: 0] += 1
    guard needed[prefix] == 1 else { return }
    if let deadline = lingering.removeValue(forKey: prefix) { return loop.cancel(deadline) }
    do {
      try subscriber?.subscribe(prefix)
    } catch {
      logger.error("cannot subscribe upstream", metadata: ["service": "\(service)", "error": "\(error)"])
    }
  }

  /// The shard's last stream that needed the prefix has closed.
  func release(_ prefix: [UInt8], for shard: Shard) {
    guard let count = needed[prefix] else { return }
    if count > 1 { return needed[prefix] = count - 1 }
    needed[prefix] = nil
    lingering[prefix] = loop.schedule(at: loop.now + linger, self)
  }

  /// Streams that come and go quickly do not make the upstream subscription flap.
  func ring(_ deadline: Deadline) {
    guard let prefix = lingering.first(where: { $0.value == deadline })?.key else { return }
    lingering[prefix] = nil
    try? subscriber?.unsubscribe(prefix)
  }

  /// The shard wants every event from now on.
  func attach(_ shard: Shard, as attachment: UInt64) {
    if !shards.contains(where: { $0 === shard }) { shards.append(shard) }
    let isUp = hadUpstream
    let service = service
    shard.post { $0.feeds[service]?.attached(attachment, isUp: isUp) }
  }

  /// The shard has no stream left.
  func detach(_ shard: Shard) { shards.removeAll { $0 === shard } }

  func close() {
    subscriber?.close()
    subscriber = nil
    for deadline in lingering.values { loop.cancel(deadline) }
    lingering = [:]
    shards = []
  }

  // MARK: Upstream

  func published(
    topic: UnsafeRawBufferPointer, method: UnsafeRawBufferPointer, arguments: UnsafeRawBufferPointer,
    keywords: UnsafeRawBufferPointer
  ) {
    do throws(TranscodingError) {
      let id = "\(epoch)-\(sequence + 1)"
      let lines = try text.call(id: id, topic: topic, method: method, arguments: arguments, keywords: keywords)
      append(lines, topic: Array(topic))
      counters.events += 1
    } catch {
      counters.undecodable += 1
      logger.warning(
        "a published message cannot be shown and is left out",
        metadata: ["service": "\(service)", "reason": "\(error)", "so-far": "\(counters.undecodable)"])
    }
  }

  func publishedAll() {
    guard !batch.isEmpty else { return }
    let events = batch
    batch = []
    let service = service
    for shard in shards { shard.post { $0.feeds[service]?.deliver(events) } }
  }

  func upstreamChanged(connected: Int) {
    let isUp = connected > 0
    guard isUp != hadUpstream else { return }
    hadUpstream = isUp
    append(EventText.upstream(isUp: isUp), topic: nil)
    publishedAll()
    let service = service
    for shard in shards { shard.post { $0.feeds[service]?.upstreamChanged(isUp: isUp) } }
  }

  private func append(_ lines: [UInt8], topic: [UInt8]?) {
    sequence += 1
    batch.append(Event(sequence: sequence, topic: topic, text: lines, time: loop.now))
  }
}
