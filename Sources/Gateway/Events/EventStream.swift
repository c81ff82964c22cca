import HTTPServer

/// Who asked for a stream. Told once, on the shard, whether it opens. It may be told after the client has left and the connection
/// has another request: then it must answer nothing, and close a stream that has opened.
protocol StreamOpener: AnyObject {
  /// The stream opens, with what follows the event of that id: hand it to the exchange.
  func opened(_ stream: EventStream, after id: EventID)
  /// It does not open, for too many topics or because the gateway stops: answer with the problem.
  func refused(_ problem: Problem)
}

/// One client's stream: a cursor into its feed's window, and nothing queued of its own.
///
/// It waits until the feed wakes it. Then the exchange reads it as fast as the client takes the bytes: the window's events
/// from the cursor on, as far as they match; none is copied before. When the window no longer holds the event at the
/// cursor, the client reads slowly: the stream goes on with pages of the hub's history, a few events at a time, or ends
/// with `lagged` if they are gone from there too.
///
/// A client that reads nothing at all holds one connection and one event, or the rest of one page, no more. When it takes
/// nothing of what the kernel has for it for `http.limits.write-timeout`, the connection ends (see `ConnectionWatch`).
final class EventStream: BodyStream {
  private enum State {
    /// The hub has not let it open yet.
    case opening
    /// Waits for the feed to wake it.
    case waiting
    /// There may be something to read at the cursor.
    case reading
    /// Waits for a page from the hub.
    case turningPage
  }

  private enum Ending {
    case none
    /// The gateway stops: `bye` follows when the stream has caught up with the present.
    case draining
    /// The text is the last one, `bye` or `lagged`: the stream ends when it is written.
    case lastText
  }

  let filter: TopicFilter
  /// Nil for the usual one, whose bytes are those of the events.
  let shape: EventShape?
  /// Where it is to begin.
  let start: Resumption.Start
  private let feed: EventFeed
  /// Told whether it opens; nil from then on.
  private var opener: (any StreamOpener)?
  /// What sends it; nil when it is closed.
  private var exchange: Exchange?
  private var state = State.opening
  private var ending = Ending.none
  /// The sequence of the event to look at next.
  private var cursor: UInt64 = 0
  /// The sequence of an event that is known to match: the one it was woken for.
  private var match: UInt64 = 0
  /// Events of a page that are still to be read, in reverse, so that the next one is the last. All of them lie before the cursor.
  private var pageReversed: [Event] = []
  /// What is to be written, and how much of it is; and the event it is of, which counts in the memory until it is written.
  private var text: [UInt8] = []
  private var event: Event?
  private var offset = 0

  /// A stream that `EventFeed.open` opens.
  init(
    _ filter: TopicFilter, _ shape: EventShape, from start: Resumption.Start, feed: EventFeed, exchange: Exchange,
    opener: any StreamOpener
  ) {
    self.filter = filter
    self.shape = shape.isUsual ? nil : shape
    self.start = start
    self.feed = feed
    self.exchange = exchange
    self.opener = opener
  }

  // MARK: The exchange reads

  func read(into room: UnsafeMutableRawBufferPointer) -> StreamRead {
    var free = room
    while true {
      if offset < text.count {
        offset += text.withUnsafeBytes { free.fill(with: $0, from: offset) }
        if offset < text.count { return .bytes(room.count - free.count) }
        letGo()
      } else if let shape, let event, let parts = event.parts {
        offset += shape.fill(&free, with: event, parts, from: offset)
        if offset < shape.length(of: event, parts) { return .bytes(room.count - free.count) }
        letGo()
      }
      if ending == .lastText || !advance(&free) { break }
    }
    if free.count < room.count { return .bytes(room.count - free.count) }
    return ending == .lastText ? .end : .nothing
  }

  /// Writes the next event, or begins it; false when there is none for now.
  private func advance(_ free: inout UnsafeMutableRawBufferPointer) -> Bool {
    if let event = pageReversed.popLast() {
      write(event, to: &free)
      return true
    }
    while state == .reading {
      guard let event = feed.event(cursor) else {
        if feed.isPast(cursor) {
          state = .turningPage
          feed.requestPage(from: cursor, for: self)
          return false
        }
        state = .waiting
        break
      }
      cursor += 1
      if event.sequence == match || filter.matches(event) {
        write(event, to: &free)
        return true
      }
    }
    guard ending == .draining, state == .waiting else { return false }
    end(with: ServerSentEvents.farewell(retry: feed.settings.retry * Double.random(in: 1...2)))
    return true
  }

  /// Copies an event that fits. Of one that does not, the rest is held until there is room for it.
  private func write(_ event: Event, to free: inout UnsafeMutableRawBufferPointer) {
    if let shape {
      if event.parts == nil { write(shape.control(event.text)) } else { self.event = event }
    } else if event.text.count <= free.count {
      _ = event.text.withUnsafeBytes { free.fill(with: $0) }
    } else {
      write(event.text)
      self.event = event
    }
  }

  private func write(_ bytes: [UInt8]) {
    text = bytes
    offset = 0
  }

  /// What the gateway itself tells, as the stream writes it.
  private func control(_ bytes: [UInt8]) -> [UInt8] { shape?.control(bytes) ?? bytes }

  /// Lets go of what is written.
  private func letGo() {
    write([])
    event = nil
  }

  private func end(with bytes: [UInt8]) {
    write(control(bytes))
    ending = .lastText
  }

  /// The stream is over, whoever ended it.
  func closed() {
    exchange = nil
    pageReversed = []
    letGo()
    feed.remove(self)
  }

  // MARK: The feed tells

  /// The hub lets it open.
  func opened(_ beginning: StreamBeginning) {
    // A gap has the id: a client that loses the connection before it has read of the gap is to be told again.
    text = ServerSentEvents.opening(retry: feed.settings.retry, id: beginning.gap == nil ? beginning.id : nil)
    if let gap = beginning.gap { text += ServerSentEvents.gap(id: beginning.id, gap) }
    // A stream that is told nothing of publishers has them all.
    if !beginning.publishers.areComplete { text += ServerSentEvents.upstream(beginning.publishers) }
    text = control(text)
    read(beginning.page)
    opener.take()?.opened(self, after: beginning.id)
  }

  /// The hub refuses it.
  func refused(_ problem: Problem) {
    exchange = nil
    opener.take()?.refused(problem)
  }

  /// An event that matches is in the window: read on from there, unless the stream is still reading older ones.
  func wake(at sequence: UInt64) {
    guard state == .waiting else { return }
    // The event may lie before the cursor: the last page had it already.
    cursor = max(cursor, sequence)
    match = sequence
    state = .reading
    exchange?.wake()
  }

  /// The page came: older events, or newer ones when those that were asked for are gone.
  func received(_ page: EventHistory.Page) {
    guard let exchange else { return }
    if page.first > cursor { lag(page.first) } else { read(page) }
    exchange.wake()
  }

  /// Reads on with the events of a page.
  private func read(_ page: EventHistory.Page) {
    pageReversed = page.events.reversed()
    cursor = page.next
    state = .reading
  }

  /// The history has gone on without the stream, and begins with that event now. Which events it did not get, of those that its filter
  /// matches, can no longer be told: all of the service are counted.
  private func lag(_ first: UInt64) {
    let oldest = feed.oldest(historyFrom: first)
    feed.noteLag()
    end(with: ServerSentEvents.lagged(id: feed.id(before: oldest), missed: oldest - cursor))
  }

  /// A comment, unless there is something to be read anyway. When events have come that were not for it, it says to which the stream has
  /// come: they are not missing to a client that resumes.
  func sendHeartbeat() {
    guard state == .waiting, offset == text.count, event == nil, ending == .none else { return }
    let hasPassed = cursor < feed.end
    write(control(hasPassed ? ServerSentEvents.heartbeat(id: feed.id(before: feed.end)) : ServerSentEvents.heartbeat))
    cursor = max(cursor, feed.end)
    exchange?.wake()
  }

  /// Ends with `bye`, after what is still to be read.
  func drain() {
    if ending == .none { ending = .draining }
    exchange?.wake()
  }
}

extension UnsafeMutableRawBufferPointer {
  /// Copies the bytes from that place on, as many as there is room for, and goes on behind them. Returns how many they were.
  mutating func fill(with bytes: UnsafeRawBufferPointer, from start: Int = 0) -> Int {
    let part = UnsafeRawBufferPointer(rebasing: bytes[start...].prefix(count))
    copyMemory(from: part)
    self = UnsafeMutableRawBufferPointer(rebasing: self[part.count...])
    return part.count
  }
}
