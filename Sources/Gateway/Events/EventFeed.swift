import Logging
import Reactor

/// A service's streams on one shard, and the events they read: streams are cursors into its ring.
final class EventFeed: TimerHandler {
  let settings: Configuration.Subscribe
  private(set) var ring: EventRing
  /// Whether a publisher is connected; nil as long as the hub has not said so.
  private(set) var isUpstream: Bool?
  private let service: String
  private let loop: Loop
  private let shard: Shard
  private let home: Shard
  /// Streams with equal filters are matched once.
  private var groups: [TopicFilter: StreamGroup] = [:]
  private var needed: [[UInt8]: Int] = [:]
  private(set) var streamCount = 0
  /// Counts the times this shard went from no stream to some.
  private var generation: UInt64 = 0
  private var beat: Timer?
  private var beatNumber = 0

  init(_ service: String, _ settings: Configuration.Subscribe, shard: Shard, home: Shard, loop: Loop) {
    self.service = service
    self.settings = settings
    self.shard = shard
    self.home = home
    self.loop = loop
    ring = EventRing(settings.history)
  }

  // MARK: Streams

  func open(_ stream: EventStream) {
    streamCount += 1
    if groups[stream.filter] == nil { groups[stream.filter] = StreamGroup() }
    groups[stream.filter]?.insert(stream, beat: streamCount % Self.beats)
    if streamCount == 1 {
      generation += 1
      tell { [generation] hub, shard in hub.attach(shard, generation: generation) }
    }
    for prefix in stream.filter.prefixes {
      needed[prefix, default: 0] += 1
      if needed[prefix] == 1 { tell { hub, _ in hub.need(prefix) } }
    }
    if beat == nil { scheduleBeat() }
  }

  func close(_ stream: EventStream) {
    guard let group = groups[stream.filter], group.remove(stream) else { return }
    if group.streams.isEmpty { groups[stream.filter] = nil }
    streamCount -= 1
    for prefix in stream.filter.prefixes {
      guard let count = needed[prefix] else { continue }
      needed[prefix] = count > 1 ? count - 1 : nil
      if count == 1 { tell { hub, _ in hub.release(prefix) } }
    }
    guard streamCount == 0 else { return }
    tell { hub, shard in hub.detach(shard) }
    ring.removeAll()
    isUpstream = nil
    if let beat { loop.cancel(beat) }
    beat = nil
  }

  /// Ends every stream with a farewell; what they have not read yet comes first.
  func drain() {
    for group in groups.values {
      for stream in group.streams { stream.drain() }
    }
  }

  func close() {
    if let beat { loop.cancel(beat) }
    beat = nil
  }

  private func tell(_ message: @escaping @Sendable (EventHub, Shard) -> Void) {
    let (service, shard) = (service, shard)
    home.post { home in
      if let hub = home.hubs[service] { message(hub, shard) }
    }
  }

  // MARK: Events

  /// Takes the events of one turn of the hub and wakes the streams that wait for any of them.
  func deliver(_ events: [Event], _ generation: UInt64, isUpstream: Bool) {
    // The last stream may have closed while these were on their way, and another one opened.
    guard streamCount > 0, generation == self.generation else { return }
    self.isUpstream = isUpstream
    for event in events { ring.append(event) }
    for (filter, group) in groups {
      guard let first = events.first(where: filter.matches) else { continue }
      for stream in group.streams { stream.wake(at: first.sequence) }
    }
  }

  /// The hub has taken this shard in. Streams that opened meanwhile hear it if no publisher is there.
  func attached(_ generation: UInt64, isUpstream: Bool) {
    guard streamCount > 0, generation == self.generation else { return }
    self.isUpstream = isUpstream
    guard !isUpstream else { return }
    for group in groups.values {
      for stream in group.streams { stream.notify(ServerSentEvents.upstream(isUp: false)) }
    }
  }

  // MARK: Heartbeat

  /// Each stream beats once in so many ticks; streams are spread over them, so that no tick wakes them all.
  private static let beats = 16

  private func scheduleBeat() {
    beat = loop.schedule(at: loop.now + settings.heartbeat / Self.beats, self)
  }

  func fired(_ deadline: Timer) {
    beatNumber = (beatNumber + 1) % Self.beats
    for group in groups.values {
      for stream in group.streams where stream.beat == beatNumber { stream.sendHeartbeat() }
    }
    scheduleBeat()
  }
}

/// The streams with one filter.
final class StreamGroup {
  private(set) var streams: [EventStream] = []

  func insert(_ stream: EventStream, beat: Int) {
    stream.place = streams.count
    stream.beat = beat
    streams.append(stream)
  }

  /// False when it was removed before.
  func remove(_ stream: EventStream) -> Bool {
    guard streams.indices.contains(stream.place), streams[stream.place] === stream else { return false }
    let last = streams.removeLast()
    if last !== stream {
      streams[stream.place] = last
      last.place = stream.place
    }
    return true
  }
}
