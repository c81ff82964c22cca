import Logging
import MessagePack
import Reactor
import ZeroMQRPC

/// Makes events of what comes in for a service: numbers each published call, encodes it once, and keeps it in the history.
///
/// What cannot be shown becomes a gap, which has a number like any event. So does a call for which the service has no memory, when the
/// history has given up all it has.
///
/// A call that is longer than `http.limits.inline` is encoded on a thread beside the shard, which it would hold up; the service's other
/// events wait for it in the `EventBacklog`. So does what is more than a turn of the loop should encode. All else is an event when
/// the call that brings it returns.
final class EventRecorder: Source {
  /// Bytes that are encoded in one turn of the loop; what comes beyond them waits for the next.
  private static let bytesPerTurn = 512 << 10

  /// Told when there are events that came beside the shard.
  weak var hub: EventHub?
  var history: EventHistory { kept.history }
  /// The last call of each topic; nil where the service keeps none.
  var last: LastValues? { kept.last }
  private let kept: KeptEvents
  /// What stands before each number in an event's id.
  let epoch = EventID.newEpoch()
  private let memory: MemoryBudget
  private let longestShortCall: Int
  private let longestFrame: Int
  private let limits: TranscodingLimits
  private var writer: MessagePackToJSON
  private var text: ServerSentEvents
  private let encoding = BackgroundQueue(name: "events")
  private var backlog = EventBacklog()
  /// How many bytes were encoded in that turn.
  private var work = (bytes: 0, turn: UInt64(0))
  /// What was recorded this turn and is not handed over yet: 256 events at most, or, when a connection ends, 4,096.
  private var batch: [Event] = []
  private let loop: Loop
  private let logger: Logger
  private var watch: Watch?
  private var isClosed = false
  /// How many publishers are connected, as streams were told last, and the number of that event.
  private var publishers: Publishers
  private var lastChange: UInt64 = 0
  /// How publishers number their messages, and what their numbers say; nil where they give none.
  private var numbering: Configuration.Numbering?
  private var numbers: PublishedNumbers?
  private var undecodable = PowerOfTwoCounter()
  private var tooLong = PowerOfTwoCounter()
  private var lost = PowerOfTwoCounter()

  init(
    _ service: Configuration.Service, _ subscribe: Configuration.Subscribe, memory: MemoryBudget,
    limits: Configuration.Limits, on loop: Loop, logger: Logger
  ) throws {
    kept = KeptEvents(subscribe, on: loop)
    numbering = subscribe.numbering
    numbers = numbering.map(PublishedNumbers.init)
    self.memory = memory
    publishers = Publishers(connected: 0, all: subscribe.connect.count + subscribe.bind.count)
    longestShortCall = limits.inline
    longestFrame = subscribe.eventLimit
    self.limits = limits.transcoding
    writer = service.writer(limits: limits.transcoding)
    text = ServerSentEvents(writer: writer)
    self.loop = loop
    self.logger = logger
    watch = try loop.watch(nil, self)
  }

  /// What comes from now on is recorded as these settings say; what is kept stays as it was recorded. `isOfOthers`: not all publishers are
  /// those that they were.
  func use(_ service: Configuration.Service, _ subscribe: Configuration.Subscribe, isOfOthers: Bool) {
    kept.use(subscribe)
    writer = service.writer(limits: limits)
    text = ServerSentEvents(writer: writer)
    // Another publisher counts on from a number of its own.
    guard subscribe.numbering != numbering || isOfOthers && numbering?.scope == .publisher else { return }
    numbering = subscribe.numbering
    numbers = numbering.map(PublishedNumbers.init)
  }

  /// Ends the timer, and records nothing more.
  func close() {
    isClosed = true
    backlog = EventBacklog()
    watch?.cancel()
    watch = nil
    kept.stop()
  }

  /// What was recorded since the last time.
  func takeBatch() -> [Event] {
    defer { batch = [] }
    return batch
  }

  // MARK: What comes in

  /// A call was published, in a message that may have a frame more.
  func published(_ call: BorrowedCall, extra: UnsafeRawBufferPointer?) {
    if let gap = numbers?.lost(before: call, extra: extra) {
      // The numbers of a publisher count what is for all streams.
      comes(.gap(gap, topic: numbers?.areOfTopics == true ? call.topic.map(Self.key) : nil))
    }
    if backlog.isEmpty, call.count <= longestShortCall, mayEncode() { return encode(call) }
    let weight = WaitingEvent.weight(of: call)
    if makeRoom(for: weight) {
      comes(.call(WaitingEvent(copying: call, in: memory)))
    } else {
      comes(.gap(lost(weight), topic: call.topic.map(Self.key)))
    }
  }

  /// A message came that is no published call.
  func dropped(topic: UnsafeRawBufferPointer) { comes(.gap(EventGap(reason: .undecodable), topic: Self.key(topic))) }

  /// A message came with a frame of so many bytes, which is more than one may have.
  func dropped(topic: UnsafeRawBufferPointer, frameOf bytes: Int) {
    if tooLong.increment() {
      logger.warning(
        "a published message has a frame longer than subscribe.event-limit; its streams are told of a gap",
        metadata: [
          "bytes": .stringConvertible(bytes), "event-limit": .stringConvertible(longestFrame),
          "so-far": .stringConvertible(tooLong.count),
        ])
    }
    comes(.gap(EventGap(reason: .tooLong), topic: Self.key(topic)))
  }

  /// A publisher came or went.
  func changed(_ publishers: Publishers) { comes(.upstream(publishers)) }

  /// What a stream that begins with that event is told of the publishers first; nil when what it gets tells how many they are now.
  func publishers(before next: UInt64) -> Publishers? { lastChange < next ? publishers : nil }

  /// Takes something that came behind all that waits.
  private func comes(_ item: EventBacklog.Item) {
    backlog.append(item)
    workOff()
  }

  /// Records what waits for nothing any more.
  private func workOff() {
    while mayEncode(), let item = backlog.next() {
      work.bytes += 256  // So that the number of items is bounded too.
      switch item {
      case .call(let call) where call.count > longestShortCall: encodeBeside(call)
      case .call(let call): call.lend(encode)
      case .gap(let gap, let topic): append(gap, topic: topic)
      case .upstream(let publishers):
        (self.publishers, lastChange) = (publishers, history.end)
        append(.upstream(publishers), topic: nil)
      }
    }
    if backlog.hasNext { watch?.schedule() }
  }

  func turn(_ events: PollEvents) {
    workOff()
    hub?.handOver()
  }

  func isReady() -> Bool { backlog.hasNext }

  // MARK: Encoding

  /// Whether this turn has encoded less than it may.
  private func mayEncode() -> Bool {
    if loop.turns != work.turn { work = (0, loop.turns) }
    return work.bytes < Self.bytesPerTurn
  }

  private func encode(_ call: BorrowedCall) {
    // A subscriber's calls always have one.
    guard let topic = call.topic else { return }
    work.bytes += call.count
    do throws(TranscodingError) {
      let (lines, parts) = try text.call(call, on: topic, id: nextID.description)
      append(lines, parts, topic: Self.key(topic))
    } catch {
      undecodable(error, topic: Self.key(topic))
    }
  }

  private func encodeBeside(_ call: WaitingEvent) {
    backlog.holdUp()
    // Until it is done, no other event takes this number.
    let (id, topic) = (
      nextID.description, call.lend { Self.key($0.topic ?? UnsafeRawBufferPointer(start: nil, count: 0)) }
    )
    let waiting = Guarded<WaitingEvent?>(call)
    // Safe: only the shard's thread looks at it, in what is submitted.
    nonisolated(unsafe) weak let recorder = self
    encoding.add { [writer, reactor = loop.reactor] in
      guard let text = Self.encode(waiting, id: id, writer) else { return }
      reactor?.submit { recorder?.encoded(text, topic: topic) }
    }
  }

  /// Encodes a call and lets it go, on any thread.
  private static func encode(
    _ waiting: Guarded<WaitingEvent?>, id: String, _ writer: MessagePackToJSON
  ) -> Result<(lines: [UInt8], parts: Event.Parts), TranscodingError>? {
    guard let call = waiting.withLock({ $0.take() }) else { return nil }
    var text = ServerSentEvents(writer: writer)
    return call.lend { call in
      do throws(TranscodingError) {
        return .success(try text.call(call, on: call.topic ?? UnsafeRawBufferPointer(start: nil, count: 0), id: id))
      } catch {
        return .failure(error)
      }
    }
  }

  private func encoded(_ text: Result<(lines: [UInt8], parts: Event.Parts), TranscodingError>, topic: [UInt8]) {
    guard !isClosed else { return }
    backlog.goOn()
    switch text {
    case .success(let (lines, parts)): append(lines, parts, topic: topic)
    case .failure(let error): undecodable(error, topic: topic)
    }
    workOff()
    hub?.handOver()
  }

  private func undecodable(_ error: TranscodingError, topic: [UInt8]) {
    if undecodable.increment() {
      logger.warning(
        "a published message has no form in JSON; its streams are told of a gap",
        metadata: ["reason": "\(error)", "so-far": .stringConvertible(undecodable.count)])
    }
    append(EventGap(reason: .undecodable), topic: topic)
  }

  // MARK: The history

  private var nextID: EventID { EventID(epoch: epoch, number: history.end) }

  /// As much of a topic as an event keeps of it.
  private static func key(_ topic: UnsafeRawBufferPointer) -> [UInt8] {
    Array(UnsafeRawBufferPointer(rebasing: topic.prefix(NameRules.longestTopic + 1)))
  }

  /// Takes a published call, or a gap in its place when there is no room for it.
  private func append(_ lines: [UInt8], _ parts: Event.Parts, topic: [UInt8]) {
    guard lines.count < MemoryBudget.smallest || makeRoom(for: lines.count) else {
      return append(lost(lines.count), topic: topic)
    }
    let event = Event(
      sequence: history.end, topic: topic, text: lines, parts: parts, time: loop.now, memory: memory)
    kept.keepAsLast(event)
    append(event)
  }

  private func append(_ gap: EventGap, topic: [UInt8]?) { append(.gap(id: nextID, gap), topic: topic) }

  /// Takes what the gateway itself tells. It is short: there is always room for it.
  private func append(_ notice: Notice, topic: [UInt8]?) {
    append(Event(sequence: history.end, topic: topic, notice, time: loop.now))
  }

  private func append(_ event: Event) {
    kept.keep(event)
    batch.append(event)
  }

  /// Whether the service has memory for so many bytes, when the oldest events have made room if need be.
  private func makeRoom(for bytes: Int) -> Bool {
    while !memory.fits(bytes) {
      // When nothing of the service counts, its events are short ones: letting them go would make no room.
      guard memory.count > 0, kept.removeOldest() else { return false }
    }
    return true
  }

  private func lost(_ bytes: Int) -> EventGap {
    if lost.increment() {
      logger.warning(
        "there is no memory for a published message; its streams are told of a gap",
        metadata: ["bytes": .stringConvertible(bytes), "so-far": .stringConvertible(lost.count)])
    }
    return EventGap(reason: .memory)
  }
}
