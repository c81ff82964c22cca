/// A stream that is one JSON document: it ends when it has sent what there is, or when nothing has come for as long as its client wants to
/// wait. How far it has come, as a value without I/O; the stream is an `EventStream` like any other.
struct EventPoll {
  /// The longest time that a client may wait.
  static let longestWait = 60
  /// A document has so many events at most, and ends with the event that makes it longer than so many bytes.
  private static let mostEvents = 1_000
  private static let mostBytes = 1 << 20

  /// What the document begins with.
  static let beginning = Array("{\"events\":[\n".utf8)

  private var count = 0
  private var bytes = 0
  /// The sequence of the last event that was sent, or told of.
  private(set) var last: UInt64?
  /// The client does not want to wait any longer.
  var isTimeUp = false

  /// Whether no more events go into the document.
  var isFull: Bool { count >= Self.mostEvents || bytes >= Self.mostBytes }
  /// Whether the document ends as soon as there is nothing more to send.
  var isDue: Bool { count > 0 || isTimeUp }

  /// Counts what goes into the document next, an event or what stands for all up to that sequence; returns what comes before it.
  mutating func add(_ event: Event? = nil, upTo sequence: UInt64? = nil) -> [UInt8] {
    defer {
      count += 1
      bytes += event?.text.count ?? 0
      last = event?.sequence ?? sequence ?? last
    }
    return count == 0 ? [] : [UInt8(ascii: ",")]
  }

  /// What the document ends with: a poll that names the cursor goes on behind it.
  static func end(_ cursor: EventID) -> [UInt8] { Array("],\"cursor\":\"\(cursor)\"}\n".utf8) }
}
