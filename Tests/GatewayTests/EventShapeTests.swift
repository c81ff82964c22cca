import MessagePack
import Reactor
import Support
import Testing
import ZeroMQRPC

@testable import Gateway

@Suite("the shapes of an event", .inTurn(minutes: 3))
struct EventShapeTests {
  private func event(_ topic: [UInt8], _ method: [UInt8], _ arguments: Value = .array([17])) throws -> Event {
    var text = ServerSentEvents(writer: MessagePackToJSON())
    let arguments = arguments.packed
    return try topic.withUnsafeBytes { topic in
      try method.withUnsafeBytes { method in
        try arguments.withUnsafeBytes { arguments in
          try [UInt8](arrayLiteral: 0x80).withUnsafeBytes { keywords in
            let call = BorrowedCall(topic: topic, method: method, arguments: arguments, keywords: keywords)
            let (lines, parts) = try text.call(call, on: topic, id: "e-7")
            return Event(
              sequence: 7, topic: Array(topic), text: lines, parts: parts, time: Instant(nanoseconds: 0))
          }
        }
      }
    }
  }

  private func write(_ event: Event, _ shape: EventShape, room: Int = 1 << 20) throws -> String {
    let parts = try #require(event.parts)
    let length = shape.length(of: event, parts)
    var written: [UInt8] = []
    while written.count < length {
      let piece = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
        var free = UnsafeMutableRawBufferPointer(buffer)
        count = shape.fill(&free, with: event, parts, from: written.count)
        #expect(free.count == room - count)
      }
      // Never less than fits, nor more than there is.
      #expect(piece.count == min(room, length - written.count))
      written += piece
    }
    return String(decoding: written, as: UTF8.self)
  }

  private func shape(
    lines: Bool = false, _ name: EventShape.Name? = nil, argumentsOnly: Bool = false
  ) -> EventShape {
    var shape = EventShape()
    (shape.isJSONLines, shape.name, shape.hasArgumentsOnly) = (lines, name, argumentsOnly)
    return shape
  }

  @Test("names, arguments alone, and lines of JSON are cut from the same text")
  func shapes() throws {
    let event = try event("eu.orders".bytes, "created".bytes)
    let data = #"{"topic":"eu.orders","method":"created","args":[17],"kwargs":{}}"#
    #expect(String(decoding: event.text, as: UTF8.self) == "id: e-7\ndata: \(data)\n\n")
    #expect(try write(event, shape(.method)) == "id: e-7\nevent: created\ndata: \(data)\n\n")
    #expect(try write(event, shape(.topic)) == "id: e-7\nevent: eu.orders\ndata: \(data)\n\n")
    #expect(try write(event, shape(argumentsOnly: true)) == "id: e-7\ndata: [17]\n\n")
    #expect(
      try write(event, shape(.method, argumentsOnly: true)) == "id: e-7\nevent: created\ndata: [17]\n\n")
    #expect(try write(event, shape(lines: true)) == #"{"id":"e-7",\#(data.dropFirst())"# + "\n")
    #expect(try write(event, shape(lines: true, argumentsOnly: true)) == #"{"id":"e-7","args":[17]}"# + "\n")
  }

  @Test("an event is written as far as there is room for it, however little that is")
  func room() throws {
    let event = try event([0xFF], "gap".bytes)
    for lines in [true, false] {
      for name in [nil, EventShape.Name.method, .topic] where !lines || name == nil {
        for argumentsOnly in [true, false] {
          let shape = shape(lines: lines, name, argumentsOnly: argumentsOnly)
          let whole = try write(event, shape)
          for room in 1...(whole.utf8.count + 1) { #expect(try write(event, shape, room: room) == whole) }
        }
      }
    }
  }

  @Test(
    "a name that means something else is written with an escape, and one that is not UTF-8 as an object",
    arguments: [
      ("gap", #"\u0067ap"#), ("upstream", #"\u0075pstream"#), ("lagged", #"\u006cagged"#), ("bye", #"\u0062ye"#),
      ("error", #"\u0065rror"#), ("open", #"\u006fpen"#), ("message", "message"), ("gaps", "gaps"), ("ga", "ga"),
      ("", ""), ("a\r\nb", #"a\r\nb"#), (#"\u0067ap"#, #"\\u0067ap"#), (#"{"$bin":"/w=="}"#, #"{\"$bin\":\"/w==\"}"#),
      (" a", " a"), ("größe", "größe"),
    ])
  func names(name: String, written: String) throws {
    for shape in [shape(.topic), shape(.method)] {
      let event = try event(
        shape.name == .topic ? name.bytes : [0xFF], shape.name == .method ? name.bytes : [0xFF])
      #expect(try write(event, shape).split(separator: "\n")[1] == "event: \(written)")
      #expect(JSON("\"\(written)\"") == .string(name))
      let other = self.shape(shape.name == .topic ? .method : .topic)
      #expect(try write(event, other).split(separator: "\n")[1] == #"event: {"$bin":"/w=="}"#)
    }
  }

  @Test("what the gateway tells is one line of JSON each, and else lines of server-sent events")
  func notices() {
    let id = EventID(epoch: "e", number: 9)
    let notices: [(Notice, lines: String, json: String)] = [
      (.opening(retry: .seconds(3)), ": ok\nretry: 3000\n\n", #"{"event":"open","retry":3000}"#),
      (
        .opening(retry: .seconds(3), id: id), ": ok\nretry: 3000\nid: e-9\n\n",
        #"{"event":"open","id":"e-9","retry":3000}"#
      ),
      (.heartbeat(), ":\n\n", #"{"event":"heartbeat"}"#),
      (.heartbeat(id: id), ":\nid: e-9\n\n", #"{"event":"heartbeat","id":"e-9"}"#),
      (
        .gap(id: id, EventGap(reason: .lost, missed: nil)),
        "id: e-9\nevent: gap\ndata: {\"reason\":\"lost\",\"missed\":null,\"upstream\":true}\n\n",
        #"{"event":"gap","id":"e-9","reason":"lost","missed":null,"upstream":true}"#
      ),
      (
        .upstream(Publishers(connected: 0, all: 2)),
        "event: upstream\ndata: {\"state\":\"down\",\"connected\":0,\"of\":2}\n\n",
        #"{"event":"upstream","state":"down","connected":0,"of":2}"#
      ),
      (
        .lagged(id: id, missed: 5), "id: e-9\nevent: lagged\ndata: {\"missed\":5}\n\n",
        #"{"event":"lagged","id":"e-9","missed":5}"#
      ),
      (
        .farewell(.aged, retry: .seconds(2), id: id),
        "id: e-9\nevent: bye\nretry: 2000\ndata: {\"reason\":\"max-age\"}\n\n",
        #"{"event":"bye","id":"e-9","retry":2000,"reason":"max-age"}"#
      ),
    ]
    for (notice, lines, json) in notices {
      #expect(String(decoding: shape().text(of: notice), as: UTF8.self) == lines)
      #expect(String(decoding: shape(.topic, argumentsOnly: true).text(of: notice), as: UTF8.self) == lines)
      #expect(String(decoding: shape(lines: true).text(of: notice), as: UTF8.self) == json + "\n")
    }
  }
}
