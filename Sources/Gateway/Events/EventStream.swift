import HTTPServer

/// Who asked for a stream. Told once, on the shard, whether it opens.
protocol StreamOpener: AnyObject {
  /// The stream opens: hand it to the exchange.
  func opened(_ stream: EventStream)
  /// It does not open: answer with the problem.
  func refused(_ problem: Problem)
}

/// One client's stream: a cursor into its feed's window, and nothing queued of its own.
///
/// It waits until the feed wakes it. Then the exchange reads it as fast as the client takes the bytes: the window's events
/// from the cursor on, as far as they match; none is copied before. When the window no longer holds the event at the
/// cursor, the client reads slowly: the stream goes on with pages of the hub's history, a few events at a time, or ends
/// with `lagged` if they are gone from there too.
final class EventStream: BodyStream {
  private enum State {
    /// Waits for the feed to wake it.
    case waiting
    /// There may be something to read at the cursor.
    case reading
    /// Waits for an answer of the hub.
    case asking
  }

  private enum Ending {
    case none
    /// Ends when all events are read.
    case asked
    /// Ends when the text is written.
    case last
  }

  let filter: TopicFilter
  private let feed: EventFeed
  /// Told whether it opens; nil from then on.
  private var opener: (any StreamOpener)?
  /// What sends it; nil when it is closed.
  private var exchange: Exchange?
  private var state = State.asking
  private var ending = Ending.none
  /// The sequence of the event to look at next.
  private var cursor: UInt64 = 0
  /// What came from the hub and comes before the cursor, the next one last.
  private var page: [Event] = []
  /// What is being written, and how far.
  private var text: [UInt8]
  private var offset = 0

  /// A stream that begins with the text `opening`. `EventFeed.open` opens it.
  init(_ filter: TopicFilter, feed: EventFeed, opening: [UInt8], exchange: Exchange, opener: any StreamOpener) {
    self.filter = filter
    self.feed = feed
    self.exchange = exchange
    self.opener = opener
    text = opening
  }

  // MARK: The exchange reads

  func read(into room: UnsafeMutableRawBufferPointer) -> StreamRead {
    var written = 0
    while true {
      if offset < text.count {
        let count = min(text.count - offset, room.count - written)
        text.withUnsafeBytes { bytes in
          let part = UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + count)])
          UnsafeMutableRawBufferPointer(rebasing: room[written...]).copyMemory(from: part)
        }
        written += count
        offset += count
        if offset < text.count { return .bytes(written) }
      }
      if ending == .last { return written > 0 ? .bytes(written) : .end }
      guard advance() else { return written > 0 ? .bytes(written) : .nothing }
    }
  }

  /// Finds the next thing to write; false when there is none for now.
  private func advance() -> Bool {
    if let event = page.popLast() {
      write(event.text)
      return true
    }
    while state == .reading {
      guard let event = feed.event(cursor) else {
        if feed.isPast(cursor) {
          state = .asking
          feed.fetch(from: cursor, for: self)
        } else {
          state = .waiting
        }
        break
      }
      cursor += 1
      if filter.matches(event) {
        write(event.text)
        return true
      }
    }
    guard ending == .asked, state == .waiting else { return false }
    end(with: ServerSentEvents.farewell(retry: feed.settings.retry * Double.random(in: 1...2)))
    return true
  }

  private func write(_ bytes: [UInt8]) {
    text = bytes
    offset = 0
  }

  private func end(with bytes: [UInt8]) {
    write(bytes)
    ending = .last
  }

  /// The stream is over, whoever ended it.
  func closed() {
    exchange = nil
    page = []
    feed.close(self)
  }

  // MARK: The feed tells

  /// The hub lets it open: it sends what has the sequence `next` or a later one.
  func opened(at next: UInt64, _ publishers: Publishers) {
    cursor = next
    state = .waiting
    if !publishers.areComplete { text += ServerSentEvents.upstream(publishers) }
    opener.take()?.opened(self)
  }

  /// The hub refuses it.
  func refused(_ problem: Problem) {
    exchange = nil
    opener.take()?.refused(problem)
  }

  /// An event that matches is in the window: read on from there, unless the stream is still reading older ones.
  func wake(at sequence: UInt64) {
    guard state == .waiting else { return }
    // A page may have held it already.
    cursor = max(cursor, sequence)
    state = .reading
    exchange?.wake()
  }

  /// The hub has older events, or had them.
  func turn(to page: EventHistory.Page) {
    guard let exchange else { return }
    switch page {
    case .events(let events, let next):
      self.page = events.reversed()
      cursor = next
      state = .reading
    case .evicted(let first):
      end(with: ServerSentEvents.control("lagged", #"{"missed":\#(feed.lose(from: cursor, first: first))}"#))
    }
    exchange.wake()
  }

  /// A comment, unless there is something to be read anyway.
  func sendHeartbeat() {
    guard state == .waiting, offset == text.count, ending == .none else { return }
    write(ServerSentEvents.heartbeat)
    exchange?.wake()
  }

  /// Ends after what is still to be read.
  func drain() {
    if ending == .none { ending = .asked }
    if state != .asking { exchange?.wake() }
  }
}
