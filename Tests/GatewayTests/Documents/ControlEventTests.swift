import Gateway
import Support
import Testing
import ZeroMQ

/// The events that the gateway itself sends, as `docs/streams.md` tells and `openapi/gateway.yaml` describes.
@Suite("Control events", .inTurn(minutes: 3))
struct ControlEventTests {
  /// A gateway in front of one publisher that the test plays, or that is not there.
  private func with(
    _ settings: String = "", _ body: (_ gateway: LiveGateway, _ rig: Rig) async throws -> Void
  ) async throws {
    try await Rig.with { rig in
      let subscribe = #"connect: ["\#(rig.directory.endpoint("s"))"], retry: 2s\#(settings)"#
      try await body(
        try await rig.gateway("news: { pattern: pubsub, subscribe: { \(subscribe) } }", threads: 1), rig)
    }
  }

  private func check(_ block: EventReader.Block?, _ schema: String, hasID: Bool = false) throws {
    let document = try APIDocument()
    let block = try #require(block)
    #expect(document.schema("StreamEvent").faults(block.fields) == [])
    #expect(document.schema(schema).faults(block.json) == [])
    #expect((block.id != nil) == hasID)
  }

  @Test("a stream without a publisher is told so, and told when one comes and goes")
  func upstream() async throws {
    try await with { gateway, rig in
      let stream = try await gateway.http.events("/sub/news")
      defer { stream.close() }
      var block = try await stream.event()
      try check(block, "Upstream")
      #expect(block?.json == ["state": "down", "connected": 0, "of": 1])
      let second = try await gateway.http.events("/sub/news")
      #expect(try await second.event()?.json == ["state": "down", "connected": 0, "of": 1])
      second.close()
      let publisher = try await WireSocket(.publish, bind: rig.directory.endpoint("s"))
      block = try await stream.event()
      try check(block, "Upstream")
      #expect(block?.json == ["state": "up", "connected": 1, "of": 1])
      await publisher.close()
      #expect(try await stream.event()?.json == ["state": "down", "connected": 0, "of": 1])
    }
  }

  @Test("a stream is not told of the loss of a publisher that has come back before it opened")
  func returned() async throws {
    try await with { gateway, rig in
      let first = try await gateway.http.events("/sub/news")
      #expect(try await first.event()?.json == ["state": "down", "connected": 0, "of": 1])
      first.close()
      let publisher = try await rig.wire(.publish)
      try await eventually("a stream that says nothing of the publisher before the first event") {
        let stream = try await gateway.http.events("/sub/news")
        defer { stream.close() }
        // The first connection of the gateway may still be on its way; then the stream says down, and up.
        while true {
          try await publisher.send(["t".bytes, "m".bytes, [0x90], [0x80]])
          guard let block = try await stream.block() else { return false }
          if block.name == "upstream" { return false }
          if block.id != nil, block.data != nil { return true }
        }
      }
    }
  }

  @Test("a stream that names the last event it saw begins with a gap", arguments: ["header", "parameter"])
  func gap(way: String) async throws {
    try await with { gateway, _ in
      let stream = try await gateway.http.events(
        way == "parameter" ? "/sub/news?_last_event_id=k3f9-1042" : "/sub/news",
        headers: way == "header" ? ["Last-Event-ID": "k3f9-1042"] : [:])
      defer { stream.close() }
      let opening = try await stream.block()
      #expect(opening?.comments == ["ok"])
      #expect(opening?.retry == 2_000)
      let block = try await stream.event()
      try check(block, "Gap", hasID: true)
      #expect(block?.name == "gap")
    }
  }

  @Test("a gateway that stops says bye, spreads the return of its clients, and ends the stream")
  func bye() async throws {
    try await with { gateway, _ in
      let stream = try await gateway.http.events("/sub/news")
      defer { stream.close() }
      #expect(try await stream.event(named: "upstream") != nil)
      async let stop: Void = gateway.stop()
      let block = try await stream.event()
      try check(block, "Bye", hasID: true)
      #expect(block?.name == "bye")
      #expect(2_000...4_000 ~= block?.retry ?? 0)
      #expect(try await stream.block() == nil)
      await stop
    }
  }

  @Test("a stream that reads too slowly is told how much it missed, and ends")
  func lagged() async throws {
    try await with(", history: { events: 2 }") { gateway, rig in
      let publisher = try await rig.wire(.subscriptionAwarePublish)
      let slow = try await gateway.http.events("/sub/news?topic=big", receiveBuffer: 4_096)
      defer { slow.close() }
      let other = try await gateway.http.events("/sub/news?topic=big")
      defer { other.close() }
      // The subscriptions have arrived: that for the history, and that of the streams.
      #expect(try await publisher.receive() == [[1]])
      #expect(try await publisher.receive() == [[1] + "big".bytes])
      let text = [UInt8](repeating: UInt8(ascii: "x"), count: 60_000)
      let arguments: [UInt8] = [0x91, 0xDA, UInt8(text.count >> 8), UInt8(text.count & 0xFF)] + text
      for _ in 0..<200 {
        try await publisher.send(["big".bytes, "m".bytes, arguments, [0x80]])
        // The stream that reads sets the pace.
        #expect(try await other.event(named: "") != nil)
      }
      var last: EventReader.Block?
      while let block = try await slow.event() { last = block }
      try check(last, "Lagged", hasID: true)
      #expect(last?.name == "lagged")
    }
  }
}
