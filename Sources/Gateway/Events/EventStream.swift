import HTTPServer

/// One client's stream: a cursor into its feed's ring, and nothing queued of its own.
final class EventStream: BodyStream {
  let filter: TopicFilter
  /// Where the feed keeps it.
  var place = 0
  /// In which tick of the heartbeat it beats.
  var beat = 0
  private let feed: EventFeed
  private unowned let exchange: Exchange
  /// The event to look at next; nil while the stream has seen all and waits.
  private var cursor: UInt64?
  /// What is being written, and how far.
  private var text: [UInt8]
  private var offset = 0
  /// What comes before the next event.
  private var notice: [UInt8] = []
  private var ending = Ending.none

  private enum Ending {
    case none
    /// Ends when all events are read.
    case asked
    /// Ends when the text is written.
    case last
  }

  init(_ filter: TopicFilter, feed: EventFeed, opening: [UInt8], exchange: Exchange) {
    self.filter = filter
    self.feed = feed
    self.exchange = exchange
    text = opening
  }

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
    if !notice.isEmpty {
      write(notice)
      notice = []
      return true
    }
    while let sequence = cursor {
      guard let event = feed.ring[sequence] else {
        let missed = feed.ring.missed(since: sequence)
        if missed == 0 { break }
        write(ServerSentEvents.control("lagged", #"{"missed":\#(missed)}"#))
        ending = .last
        return true
      }
      cursor = sequence + 1
      if filter.matches(event) {
        write(event.text)
        return true
      }
    }
    cursor = nil
    guard ending == .asked else { return false }
    write(ServerSentEvents.farewell(retry: feed.settings.retry * Double.random(in: 1...2)))
    ending = .last
    return true
  }

  private func write(_ bytes: [UInt8]) {
    text = bytes
    offset = 0
  }

  /// An event that matches is in the ring: read from there, unless the stream is still reading older ones.
  func wake(at sequence: UInt64) {
    guard cursor == nil else { return }
    cursor = sequence
    exchange.wake()
  }

  /// Something for this stream alone, before the events that follow.
  func notify(_ text: [UInt8]) {
    notice += text
    exchange.wake()
  }

  /// A comment, unless there is something to be read anyway.
  func sendHeartbeat() {
    guard cursor == nil, offset == text.count, notice.isEmpty, ending == .none else { return }
    write(ServerSentEvents.heartbeat)
    exchange.wake()
  }

  /// Ends after what is still to be read.
  func drain() {
    if ending == .none { ending = .asked }
    exchange.wake()
  }

  func closed() { feed.close(self) }
}
