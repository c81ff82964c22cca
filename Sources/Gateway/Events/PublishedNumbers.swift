import DequeModule
import MessagePack
import ZeroMQRPC

/// What publishers have sent and did not arrive, by the numbers that they give their messages. A value without I/O.
///
/// The last number of so many topics is remembered. When there are more, the topic that came first is forgotten: the next message on
/// it is not compared with any.
struct PublishedNumbers {
  /// What can be counted exactly in JSON everywhere; a number that is further ahead is no count.
  static let mostLost: UInt64 = 1 << 53 - 1

  private let numbering: Configuration.Numbering
  private var last: [[UInt8]: UInt64] = [:]
  /// Those topics, in the order in which they came.
  private var topics: Deque<[UInt8]> = []

  init(_ numbering: Configuration.Numbering) { self.numbering = numbering }

  /// Whether what is lost is of one topic.
  var areOfTopics: Bool { numbering.scope == .topic }

  /// A message came: what was lost before it. Nil when nothing was, or when it has no number. `extra` is the frame behind the
  /// call's own.
  mutating func lost(before call: BorrowedCall, extra: UnsafeRawBufferPointer?) -> EventGap? {
    guard let number = number(of: call, extra), let topic = call.topic else { return nil }
    return lost(before: number, on: Array(topic))
  }

  /// A message of that number came on a topic.
  mutating func lost(before number: UInt64, on topic: [UInt8]) -> EventGap? {
    let topic = numbering.scope == .topic ? topic : []
    guard let before = last.updateValue(number, forKey: topic) else {
      topics.append(topic)
      if topics.count > numbering.topics, let first = topics.popFirst() { last[first] = nil }
      return nil
    }
    guard number > before else { return EventGap(reason: .lost, missed: nil) }
    let missed = number - before - 1
    if missed == 0 { return nil }
    return EventGap(reason: .lost, missed: missed <= Self.mostLost ? Int(missed) : nil)
  }

  private func number(of call: BorrowedCall, _ extra: UnsafeRawBufferPointer?) -> UInt64? {
    switch numbering.place {
    case .frame: extra.flatMap(Self.number(inFrame:))
    case .keyword(let name): try? Self.number(named: name, in: call.keywords)
    }
  }

  /// Eight bytes, the first the highest, or an integer of MessagePack, which never has eight.
  private static func number(inFrame bytes: UnsafeRawBufferPointer) -> UInt64? {
    if bytes.count == 8 { return UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)) }
    var cursor = Cursor(bytes)
    guard let number = try? number(&cursor), cursor.isAtEnd else { return nil }
    return number
  }

  private static func number(named name: String, in keywords: UnsafeRawBufferPointer) throws(TranscodingError)
    -> UInt64?
  {
    var cursor = Cursor(keywords)
    guard case .map(let count) = try cursor.next() else { return nil }
    for _ in 0..<count {
      if case .string(let key) = try cursor.next(), key.elementsEqual(name.utf8) { return try number(&cursor) }
      try cursor.skipValue()
    }
    return nil
  }

  private static func number(_ cursor: inout Cursor) throws(TranscodingError) -> UInt64? {
    switch try cursor.next() {
    case .int(let number): UInt64(exactly: number)
    case .uint(let number): number
    default: nil
    }
  }
}
