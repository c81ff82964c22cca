import MessagePack
import Support
import Testing
import ZeroMQ

/// Streams as they come through real proxies.
@Suite(
  "streams behind a proxy", .inTurn(minutes: 3), .enabled(if: ReverseProxy.areThere, "\(ReverseProxy.comment)"))
struct ProxyTests {
  @Test("the first bytes, each event, heartbeats and the end come through at once", arguments: ReverseProxy.allCases)
  func atOnce(proxy: ReverseProxy) async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher("heartbeat: 1s")
      let http = HTTPClient(port: try await proxy.start(before: gateway.http.port, in: rig.directory, rig.cleanup))
      let events = try await http.events("/sub/s?topic=a")
      let lines = try await http.lines("/sub/s?topic=a")
      #expect(events.head.status == 200)
      #expect(events.head.headers["content-type"] == "text/event-stream; charset=utf-8")
      #expect(events.head.headers["cache-control"] == "no-store")
      #expect(try await events.block()?.comments == ["ok"])
      #expect(try await lines.next()?["event"] == "open")
      // One is published when the one before has come through: a proxy that waits for more gets none.
      for number in 0..<20 {
        try await publisher.publish("a", "m", [.int(Int64(number))])
        #expect(try await events.event(named: "")?.json["args"] == [.number("\(number)")])
        var line: JSON?
        repeat { line = try await lines.next() } while line?["event"].text != nil
        #expect(line?["args"] == [.number("\(number)")])
      }
      try await events.heartbeat()
      let text = String(repeating: "x", count: 300_000)
      try await publisher.publish("a", "long", [.string(text)])
      #expect(try await events.event(named: "")?.json["args"] == [.string(text)])
      await gateway.stop()
      #expect(try await events.event(named: "bye") != nil)
      #expect(try await events.block() == nil)
    }
  }

  @Test("a stream goes on behind the event that the client names", arguments: ReverseProxy.allCases)
  func resumes(proxy: ReverseProxy) async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher()
      let http = HTTPClient(port: try await proxy.start(before: gateway.http.port, in: rig.directory, rig.cleanup))
      let first = try await http.events("/sub/s?topic=a")
      try await publisher.publish("a", "seen")
      let seen = try #require(try await first.event(named: ""))
      first.close()
      for number in 0..<5 { try await publisher.publish("a", "missed-\(number)") }
      let second = try await http.events("/sub/s?topic=a", headers: ["Last-Event-ID": seen.id ?? ""])
      #expect(second.head.headers["stream-resumed-from"] == seen.id)
      for number in 0..<5 {
        let event = try await second.event()
        #expect(event?.json["method"] == .string("missed-\(number)"))
        #expect(event?.sequence == (seen.sequence ?? 0) + number + 1)
      }
    }
  }

  @Test("a client that leaves is gone for the gateway as well", arguments: ReverseProxy.allCases)
  func leaves(proxy: ReverseProxy) async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher("history: { events: 0 }\nlinger: 50ms\nheartbeat: 1s")
      let http = HTTPClient(port: try await proxy.start(before: gateway.http.port, in: rig.directory, rig.cleanup))
      let stream = try await http.events("/sub/s?topic=a")
      #expect(try await publisher.subscription() == "+a")
      #expect(try await stream.block()?.comments == ["ok"])
      stream.close()
      #expect(try await publisher.subscription() == "-a")
    }
  }

  @Test("a client of HTTP/1.0 gets the bytes as they are, and the end of the connection as the end")
  func oldClient() async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher()
      let connection = try HTTPConnection(port: gateway.http.port)
      defer { connection.disconnect() }
      connection.send("GET /sub/s?topic=a HTTP/1.0\r\nHost: localhost\r\n\r\n")
      let head = try await offThread { try connection.head() }
      #expect(head.status == 200)
      #expect(head.headers["transfer-encoding"] == nil)
      #expect(head.headers["content-length"] == nil)
      _ = try await offThread { try connection.read(through: "\n\n") }
      for number in 0..<5 {
        try await publisher.publish("a", "m\(number)")
        let text = try await offThread { try connection.read(through: "\n\n") }
        #expect(text.contains("\"m\(number)\""))
      }
      await gateway.stop()
      #expect(try await offThread { try connection.readToEnd() }.contains("event: bye"))
    }
  }
}
