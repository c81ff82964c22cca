import Foundation
import MessagePack
import Support
import Testing
import ZeroMQ

/// Whatever a publisher sends, a browser gets one event for it, with what was sent; and so does a reader of lines.
@Suite("events that would forge others", .inTurn(minutes: 4))
struct ForgedEventTests {
  /// What was published: bytes wherever they may be chosen.
  private struct Call {
    let topic: [UInt8]
    let method: [UInt8]
    let text: [UInt8]
    let key: [UInt8]
  }

  /// What a line, an event, JSON or UTF-8 could be broken with.
  private static let pieces: [[UInt8]] =
    [
      "\n", "\r", "\r\n", "\n\n", "\r\r", "\0", ":", " ", "\"", "\\", "}", "\"}", "{\"$bin\":\"AA==\"}", "\u{2028}",
      "\u{85}",
      "\u{FEFF}", "data: x", "\ndata: forged\n\n", "\nid: z-1\n\n", "event: gap", "\nretry: 1\n", "gap", "error",
      "\\u000a",
      "\\n", "größe", "a",
    ].map(\.bytes) + [[0xFF], [0xC3], [0xE2, 0x80], [0xED, 0xA0, 0x80], [0x7F], [0x1B], [0xC0, 0x8A]]

  private static func bytes(_ random: inout SplitMix) -> [UInt8] {
    (0..<Int.random(in: 0...6, using: &random)).flatMap { _ in
      Bool.random(using: &random) ? pieces.randomElement(using: &random) ?? [] : [.random(in: 0...255, using: &random)]
    }
  }

  /// The bytes as the gateway shows them.
  private static func shown(_ bytes: [UInt8]) -> JSON {
    if let text = String(validating: bytes, as: UTF8.self) { return .string(text) }
    return ["$bin": .string(Data(bytes).base64EncodedString())]
  }

  private static func frames(_ call: Call) -> [[UInt8]] {
    var keywords = ByteBuffer()
    keywords.append(0x81)
    call.key.withUnsafeBytes { keywords.appendString($0) }
    call.text.withUnsafeBytes { keywords.appendString($0) }
    var arguments = ByteBuffer()
    arguments.append(0x91)
    call.text.withUnsafeBytes { arguments.appendString($0) }
    return [
      call.topic, call.method, arguments.withUnsafeBytes { Array($0) }, keywords.withUnsafeBytes { Array($0) },
    ]
  }

  @Test("no bytes make another line or another event than was published, in any shape", arguments: 1...3)
  func anyBytes(seed: UInt64) async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher()
      let shapes: [(query: String, lines: Bool)] = [
        ("", false), ("&_event=method", false), ("&_event=topic", false), ("&_data=args", false),
        ("&_event=topic&_data=args", false), ("", true), ("&_data=args", true),
      ]
      var streams: [RawStream] = []
      for shape in shapes {
        streams.append(
          try await RawStream.open(
            gateway.http.port, "/sub/s?topic=\(shape.query)",
            accept: shape.lines ? "application/x-ndjson" : "text/event-stream"))
      }
      var random = SplitMix(state: seed)
      let calls = (0..<300).map { _ in
        // A key that is not UTF-8 is shown in a way of its own: tested where keys are.
        let key = String(decoding: Self.bytes(&random), as: UTF8.self).bytes
        return Call(topic: Self.bytes(&random), method: Self.bytes(&random), text: Self.bytes(&random), key: key)
      }
      for call in calls { try await publisher.send(Self.frames(call)) }
      try await publisher.publish("", "the end of it")
      for (shape, stream) in zip(shapes, streams) {
        let bytes = try await stream.read(
          through: shape.query.contains("_data") ? "[]" : "the end of it", end: shape.lines ? "\n" : "\n\n")
        if shape.lines {
          try Self.checkLines(bytes, calls, shape.query)
        } else {
          try Self.checkEvents(bytes, calls, shape.query, &random)
        }
      }
    }
  }

  private static func checkEvents(
    _ bytes: [UInt8], _ calls: [Call], _ query: String, _ random: inout SplitMix
  ) throws {
    var parser = EventSourceParser()
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = Int.random(in: 1...64, using: &random)
      parser.feed(rest.prefix(count))
      rest = rest.dropFirst(count)
    }
    #expect(parser.reconnectionTime == 3_000)
    let messages = parser.messages.filter { $0.type != "upstream" }
    #expect(messages.count == calls.count + 1, "\(query)")
    var last: Int?
    for (call, message) in zip(calls, messages) {
      let number = try #require(message.lastEventID.split(separator: "-").last.flatMap { Int($0) })
      if let last { #expect(number == last + 1) }
      last = number
      try check(try #require(JSON(message.data)), call, argumentsOnly: query.contains("_data"))
      guard query.contains("_event") else {
        #expect(message.type == "message")
        continue
      }
      let name = query.contains("topic&") || query.hasSuffix("topic") ? call.topic : call.method
      #expect(!["gap", "upstream", "lagged", "bye", "error", "open"].contains(message.type))
      let named = message.type == "message" && name.isEmpty ? "" : message.type
      #expect(JSON("\"\(named)\"") ?? JSON(named) == shown(name), "\(message.type)")
    }
  }

  private static func checkLines(_ bytes: [UInt8], _ calls: [Call], _ query: String) throws {
    let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false).dropLast()
    let events = try lines.map { try #require(JSON(String(decoding: $0, as: UTF8.self))) }.filter {
      $0["event"].text == nil
    }
    #expect(events.count == calls.count + 1)
    for (call, event) in zip(calls, events) {
      #expect(event["id"].text?.contains("-") == true)
      try check(event, call, argumentsOnly: query.contains("_data"), isLine: true)
    }
  }

  private static func check(_ json: JSON, _ call: Call, argumentsOnly: Bool, isLine: Bool = false) throws {
    if argumentsOnly {
      if isLine { #expect(json.members.map(\.key) == ["id", "args"]) }
      return #expect(isLine ? json["args"] == [shown(call.text)] : json == [shown(call.text)])
    }
    #expect(json.members.map(\.key) == (isLine ? ["id"] : []) + ["topic", "method", "args", "kwargs"])
    #expect(json["topic"] == shown(call.topic))
    #expect(json["method"] == shown(call.method))
    #expect(json["args"] == [shown(call.text)])
    #expect(json["kwargs"].members.count == 1)
    #expect(json["kwargs"][String(decoding: call.key, as: UTF8.self)] == shown(call.text))
  }
}

/// A stream whose bytes nobody has looked at.
private final class RawStream: @unchecked Sendable {
  // Safe: a test reads a stream from one task at a time.
  private let connection: HTTPConnection

  private init(_ connection: HTTPConnection) { self.connection = connection }

  static func open(_ port: UInt16, _ target: String, accept: String) async throws -> RawStream {
    try await offThread {
      let connection = try HTTPConnection(port: port)
      connection.send("GET", target, headers: ["Accept": accept])
      #expect(try connection.head().status == 200)
      return RawStream(connection)
    }
  }

  /// All up to and with an event that holds that text; a piece may stop in the midst of it, behind one of its lines.
  func read(through text: String, end: String) async throws -> [UInt8] {
    try await offThread { [connection] in
      var bytes: [UInt8] = []
      let (wanted, end) = (text.bytes, end.bytes)
      while let chunk = try connection.chunk() {
        bytes += chunk
        if bytes.suffix(end.count).elementsEqual(end), bytes.suffix(400).firstRange(of: wanted) != nil { break }
      }
      return bytes
    }
  }
}
