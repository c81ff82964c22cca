import GatewayTracing
import HTTPServer
import MessagePack
import Reactor

/// What a method that `methods.context` names is told of who calls it: one keyword argument more, `_ctx`.
///
/// The gateway alone says it: a caller that sends a keyword of that name to such a method is refused.
struct CallerContext {
  /// The name of the keyword argument.
  static let keyword = "_ctx"

  private let subject: String?
  private let requestID: String
  private let traceparent: String?

  /// `traceparent` is that of the call, where requests are traced.
  init(_ request: GatewayRequest, traceparent: String?) {
    subject = request.caller.flatMap { $0.subject.isEmpty ? nil : $0.subject }
    requestID = request.exchange.requestID
    let isAlone = request.exchange.count(of: .traceparent) == 1
    self.traceparent =
      traceparent ?? (isAlone ? request.header(.traceparent).flatMap { TraceParent($0)?.text } : nil)
  }

  /// Appends the keywords that lie in the buffer once more, with the context among them; `time` is how long the call may take.
  func add(to frames: inout CallFrames, in buffer: inout ByteBuffer, time: Duration) throws(Problem) {
    let keywords = frames.keywords.map { range in buffer.withUnsafeBytes { Array($0[range]) } } ?? []
    let count = try Self.countPairs(keywords)
    let start = buffer.count
    buffer.appendMapHeader(count + 1)
    keywords.dropFirst(Self.headerLength(keywords)).withUnsafeBytes { buffer.append($0) }
    buffer.appendString(Self.keyword)
    buffer.appendMapHeader(4)
    buffer.appendString("subject")
    buffer.append(optional: subject)
    buffer.appendString("request_id")
    buffer.appendString(requestID)
    buffer.appendString("deadline")
    buffer.append(float: Double(time.nanoseconds) / 1e9)
    buffer.appendString("traceparent")
    buffer.append(optional: traceparent)
    frames.keywords = start..<buffer.count
  }

  /// How many keywords there are; refuses the one that only the gateway may say.
  private static func countPairs(_ keywords: [UInt8]) throws(Problem) -> Int {
    guard !keywords.isEmpty else { return 0 }
    do throws(TranscodingError) {
      let count = try keywords.span.withUnsafeBytes { bytes throws(TranscodingError) -> Int? in
        var cursor = Cursor(bytes)
        guard case .map(let count) = try cursor.next() else { return 0 }
        for _ in 0..<count {
          if case .string(let name) = try cursor.next(), name.elementsEqual(keyword.utf8) { return nil }
          try cursor.skipValue()
        }
        return count
      }
      if let count { return count }
    } catch {
      throw Problem(arguments: error)
    }
    throw Problem(.invalidArgument, "\"\(keyword)\" is what the gateway itself tells this method; leave it out.")
  }

  /// Bytes before the pairs of a map (MessagePack, "map format family").
  private static func headerLength(_ map: [UInt8]) -> Int {
    switch map.first {
    case 0xDE: 3
    case 0xDF: 5
    case nil: 0
    default: 1
    }
  }
}

extension ByteBuffer {
  /// A string, or nil.
  fileprivate mutating func append(optional text: String?) {
    if let text { appendString(text) } else { append(0xC0) }
  }

  /// A float64.
  fileprivate mutating func append(float value: Double) {
    append(0xCB)
    Swift.withUnsafeBytes(of: value.bitPattern.bigEndian) { append($0) }
  }
}
