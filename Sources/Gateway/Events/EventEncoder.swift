import MessagePack
import Reactor
import ZeroMQRPC

/// Writes published calls as events: short ones at once, and those longer than `http.limits.inline` on a thread beside the shard, where
/// nothing else of it waits for them. One long call at a time.
final class EventEncoder {
  /// The lines of an event, or why there are none.
  typealias Lines = Result<[UInt8], TranscodingError>

  /// Whether a long call is being written.
  var isBusy: Bool { longCallWritten != nil }
  private let writer: MessagePackToJSON
  private let longestInline: Int
  private let loop: Loop
  private var text: ServerSentEvents
  private let queue = BackgroundQueue(name: "events")
  private var longCallWritten: ((Lines) -> Void)?

  init(writer: MessagePackToJSON, longestInline: Int, on loop: Loop) {
    self.writer = writer
    self.longestInline = longestInline
    self.loop = loop
    text = ServerSentEvents(writer: writer)
  }

  /// The lines of a short call; nil for a long one.
  func lines(id: String, topic: UnsafeRawBufferPointer, _ call: BorrowedCall) -> Lines? {
    guard call.method.count + call.arguments.count + call.keywords.count <= longestInline else { return nil }
    return Result { () throws(TranscodingError) in
      try text.call(id: id, topic: topic, method: call.method, arguments: call.arguments, keywords: call.keywords)
    }
  }

  /// Tells the lines of a long call in a later turn. Not while another one is being written: that is a programming error and traps.
  func writeLong(
    id: String, topic: UnsafeRawBufferPointer, _ call: BorrowedCall, done: @escaping (Lines) -> Void
  ) {
    precondition(!isBusy, "one long call at a time")
    longCallWritten = done
    let long = LongCall(id: id, topic: topic, call)
    // Safe: only the shard's thread looks at it, in what is submitted.
    nonisolated(unsafe) weak let encoder = self
    queue.add { [writer, reactor = loop.reactor] in
      let lines = Result { () throws(TranscodingError) in try long.lines(writer) }
      reactor?.submit { encoder?.longCallWritten.take()?(lines) }
    }
  }
}

/// A copy of a call, to be read on another thread.
private struct LongCall: Sendable {
  private let id: String
  private let topic: [UInt8]
  private let method: [UInt8]
  private let arguments: [UInt8]
  private let keywords: [UInt8]

  init(id: String, topic: UnsafeRawBufferPointer, _ call: BorrowedCall) {
    self.id = id
    self.topic = Array(topic)
    method = Array(call.method)
    arguments = Array(call.arguments)
    keywords = Array(call.keywords)
  }

  func lines(_ writer: MessagePackToJSON) throws(TranscodingError) -> [UInt8] {
    var text = ServerSentEvents(writer: writer)
    return try method.span.withUnsafeBytes { method throws(TranscodingError) in
      try arguments.span.withUnsafeBytes { arguments throws(TranscodingError) in
        try keywords.span.withUnsafeBytes { keywords throws(TranscodingError) in
          try topic.span.withUnsafeBytes { topic throws(TranscodingError) in
            try text.call(id: id, topic: topic, method: method, arguments: arguments, keywords: keywords)
          }
        }
      }
    }
  }
}
