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

  /// The result of a watched call, as JSON.
  static func result(id: String, _ json: UnsafeRawBufferPointer) -> [UInt8] {
    Array("id: \(id)\ndata: ".utf8) + json + Array("\n\n".utf8)
  }
}
