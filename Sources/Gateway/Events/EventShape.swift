import HTTPServer

/// How a stream writes what it sends. All shapes are cut from the lines of an event, which are encoded once: its usual one is those lines.
struct EventShape: Hashable, Sendable {
  /// What an event is named by.
  enum Name: String, CaseIterable {
    case method, topic
  }

  /// Names that are never those of published calls: the gateway's own events, and two that a browser's EventSource gives a meaning.
  private static let reserved: [StaticString] = ["gap", "upstream", "lagged", "bye", "error", "open"]

  /// Whether each event is one line of JSON, and not lines of server-sent events.
  var isJSONLines = false
  /// Nil for events without a name.
  var name: Name?
  /// Whether only the arguments are sent.
  var hasArgumentsOnly = false
  /// For a stream that is one JSON document of such lines, how long its client waits for an event.
  var wait: Duration?

  /// What the whole is.
  var contentType: StaticString {
    if wait != nil { return "application/json" }
    return isJSONLines ? MediaType.lines : "text/event-stream; charset=utf-8"
  }

  /// Whether it is that of `Event.text`.
  var isUsual: Bool { self == EventShape() }

  // MARK: Published calls

  /// How many bytes a published call has.
  func length(of event: Event, _ parts: Event.Parts) -> Int {
    var length = 0
    forEachPiece(of: event, parts) { length += $0.count }
    return length
  }

  /// Copies a published call from that byte on, as much of it as there is room for, and goes on behind that. Returns how many bytes
  /// they were.
  func fill(
    _ room: inout UnsafeMutableRawBufferPointer, with event: Event, _ parts: Event.Parts, from start: Int
  ) -> Int {
    var (left, copied) = (start, 0)
    forEachPiece(of: event, parts) { piece in
      if left < piece.count { copied += room.fill(with: piece, from: left) }
      left = max(0, left - piece.count)
    }
    return copied
  }

  private func forEachPiece(of event: Event, _ parts: Event.Parts, _ body: (UnsafeRawBufferPointer) -> Void) {
    event.text.withUnsafeBytes { text in
      func piece(_ start: Int, _ end: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: text[start..<end])
      }
      func literal(_ literal: StaticString) { body(literal.bytes) }
      let arguments = piece(parts.method + ServerSentEvents.arguments.utf8CodeUnitCount, parts.arguments)
      if isJSONLines {
        literal("{\"id\":\"")
        body(piece(ServerSentEvents.id.utf8CodeUnitCount, parts.id))
        literal("\",")
        if hasArgumentsOnly {
          literal("\"args\":")
          body(arguments)
          literal("}\n")
        } else {
          body(piece(parts.id + ServerSentEvents.data.utf8CodeUnitCount + 1, text.count - 1))
        }
        return
      }
      body(piece(0, parts.id))
      if let name {
        literal("\nevent: ")
        let start =
          name == .topic
          ? parts.id + ServerSentEvents.data.utf8CodeUnitCount + ServerSentEvents.topic.utf8CodeUnitCount
          : parts.topic + ServerSentEvents.method.utf8CodeUnitCount
        Self.writeName(piece(start, name == .topic ? parts.topic : parts.method), body)
      }
      if hasArgumentsOnly {
        literal(ServerSentEvents.data)
        body(arguments)
        literal("\n\n")
      } else {
        body(piece(parts.id, text.count))
      }
    }
  }

  /// Writes a topic or a method as the name of an event: its JSON without the quotes, which has no line breaks. One that is not UTF-8
  /// is an object of JSON, and the text of no other name. A reserved name has an escape for its first letter, so that it is still
  /// the JSON of the same name.
  private static func writeName(_ json: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void) {
    guard json.first == UInt8(ascii: "\"") else { return body(json) }
    let name = UnsafeRawBufferPointer(rebasing: json[1..<(json.count - 1)])
    guard reserved.contains(where: { $0.bytes.elementsEqual(name) }) else { return body(name) }
    let escape = [UInt8]("\\u00\(String(name[0], radix: 16))".utf8)
    escape.withUnsafeBytes(body)
    body(UnsafeRawBufferPointer(rebasing: name[1...]))
  }

  // MARK: What the gateway tells

  /// What the gateway itself tells, in this shape.
  func text(of notice: Notice) -> [UInt8] { isJSONLines ? notice.jsonLine : notice.lines }
}
