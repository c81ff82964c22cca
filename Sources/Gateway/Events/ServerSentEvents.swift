import MessagePack
import Reactor
import ZeroMQRPC

/// The lines of server-sent events (WHATWG HTML, 9.2). JSON text has no line breaks, so one `data` line holds it.
struct ServerSentEvents: ~Copyable {
  private let writer: MessagePackToJSON
  private var buffer = ByteBuffer(capacity: 1_024)
  private var name = ByteBuffer(capacity: 256)

  /// What stands before each part of a published call.
  static let id: StaticString = "id: "
  static let data: StaticString = "\ndata: "
  static let topic: StaticString = "{\"topic\":"
  static let method: StaticString = ",\"method\":"
  static let arguments: StaticString = ",\"args\":"

  init(writer: MessagePackToJSON) { self.writer = writer }

  /// The lines of a published call, and where its parts end. Throws when a part of it is not MessagePack or has no form in JSON.
  mutating func call(
    _ call: BorrowedCall, on topic: UnsafeRawBufferPointer, id: String
  ) throws(TranscodingError) -> (lines: [UInt8], parts: Event.Parts) {
    guard Self.isArray(call.arguments), Self.isMap(call.keywords) else {
      throw TranscodingError(
        code: .badMessagePack, message: "the arguments of a published call are an array, and its keywords a map",
        offset: 0)
    }
    buffer.removeAll()
    buffer.append(Self.id)
    buffer.append(utf8: id)
    let idEnd = buffer.count
    buffer.append(Self.data)
    buffer.append(Self.topic)
    try appendName(topic)
    let topicEnd = buffer.count
    buffer.append(Self.method)
    try appendName(call.method)
    let methodEnd = buffer.count
    buffer.append(Self.arguments)
    try writer.transcode(call.arguments, into: &buffer)
    let parts = Event.Parts(id: idEnd, topic: topicEnd, method: methodEnd, arguments: buffer.count)
    buffer.append(",\"kwargs\":")
    try writer.transcode(call.keywords, into: &buffer)
    buffer.append("}\n\n")
    return (buffer.withUnsafeBytes { Array($0) }, parts)
  }

  private static func isArray(_ value: UnsafeRawBufferPointer) -> Bool {
    value.first.map { 0x90...0x9F ~= $0 || $0 == 0xDC || $0 == 0xDD } ?? false
  }

  private static func isMap(_ value: UnsafeRawBufferPointer) -> Bool {
    value.first.map { 0x80...0x8F ~= $0 || $0 == 0xDE || $0 == 0xDF } ?? false
  }

  /// Bytes that should be text: a string, or `{"$bin":...}` when they are not UTF-8.
  private mutating func appendName(_ bytes: UnsafeRawBufferPointer) throws(TranscodingError) {
    name.removeAll()
    name.appendString(bytes)
    try name.withUnsafeBytes { bytes throws(TranscodingError) in try writer.transcode(bytes, into: &buffer) }
  }

  /// An event of the gateway itself. Name and data are its own and hold no line breaks.
  static func control(_ name: StaticString, _ data: String) -> [UInt8] {
    Array("event: \(name)\ndata: \(data)\n\n".utf8)
  }

  /// The result of a watched call, as JSON.
  static func result(id: String, _ json: UnsafeRawBufferPointer) -> [UInt8] {
    Array("id: \(id)\ndata: ".utf8) + json + Array("\n\n".utf8)
  }

  /// Events that the stream does not get: the id is that of the last of them.
  static func gap(id: EventID, _ gap: EventGap) -> [UInt8] {
    let missed = gap.missed.map { "\($0)" } ?? "null"
    let upstream = gap.reason == .lost ? #","upstream":true"# : ""
    return at(id) + control("gap", #"{"reason":"\#(gap.reason.rawValue)","missed":\#(missed)\#(upstream)}"#)
  }

  /// Says, in front of what follows, that the stream has come to that event.
  private static func at(_ id: EventID) -> [UInt8] { Array("id: \(id)\n".utf8) }

  /// How many of the publishers are connected; without any the service is down.
  static func upstream(_ publishers: Publishers) -> [UInt8] {
    let state = publishers.connected > 0 ? "up" : "down"
    return control("upstream", #"{"state":"\#(state)","connected":\#(publishers.connected),"of":\#(publishers.all)}"#)
  }

  /// The first bytes of a stream: a comment, so that the client sees it open, how long to wait before it reconnects, and the id that
  /// stands for all before its first event: one that loses the connection before that misses nothing.
  static func opening(retry: Duration, id: EventID? = nil) -> [UInt8] {
    Array(": ok\nretry: \(retry.millisecondsRoundedDown)\n".utf8) + (id.map(at) ?? []) + Array("\n".utf8)
  }

  /// A comment that keeps proxies from closing a silent stream.
  static let heartbeat = Array(":\n\n".utf8)

  /// As a heartbeat, on a stream that has come to that event without a word: what came was not for it.
  static func heartbeat(id: EventID) -> [UInt8] { Array(":\n".utf8) + at(id) + Array("\n".utf8) }

  /// A stream that has read too slowly has missed so many events, of which the last has that id.
  static func lagged(id: EventID, missed: UInt64) -> [UInt8] { at(id) + control("lagged", #"{"missed":\#(missed)}"#) }

  /// Why the gateway ends a stream.
  enum Farewell: String, Sendable {
    /// The gateway stops.
    case draining
    /// The stream has been open for as long as one may.
    case aged = "max-age"
  }

  /// The last event of a stream, which has come to the event of that id.
  static func farewell(_ reason: Farewell, retry: Duration, id: EventID? = nil) -> [UInt8] {
    (id.map(at) ?? [])
      + Array("event: bye\nretry: \(retry.millisecondsRoundedDown)\ndata: {\"reason\":\"\(reason.rawValue)\"}\n\n".utf8)
  }
}
