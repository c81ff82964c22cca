import HTTPServer
import Reactor
import Support
import Testing

@Suite("Memory", .inTurn(minutes: 3))
struct MemoryTests {
  private func head(_ length: Int, _ target: String = "/echo") -> String {
    "POST \(target) HTTP/1.1\r\nHost: a\r\nContent-Length: \(length)\r\n\r\n"
  }

  private func text(_ count: Int) -> String { String(repeating: "x", count: count) }

  @Test("bodies share the budget: one that fits exactly is taken, one byte more is refused before it is read")
  func declared() async throws {
    let memory = MemoryBudget(limit: 100_000)
    try await Fixture.with(memory: memory) { fixture in
      let first = try fixture.connect()
      first.send(head(60_000) + text(59_999))
      await fixture.until { _, _ in memory.count == 60_000 }
      let beyond = try fixture.connect()
      beyond.send(head(40_001))
      #expect(try beyond.reply().status == 503)
      #expect(try beyond.readToEnd() == "")
      let fitting = try fixture.connect()
      fitting.send(head(40_000) + text(39_999))
      await fixture.until { _, _ in memory.count == 100_000 }
      // What is short is not counted, and always served.
      let short = try fixture.connect()
      short.send(head(4_095) + text(4_095))
      #expect(try short.reply().bytes.count == 4_095)
      first.reset()
      fitting.disconnect()
      await fixture.until { _, server in memory.count == 0 && server.connections <= 1 }
    }
  }

  @Test("a body in chunks is refused where the budget ends")
  func chunks() async throws {
    let memory = MemoryBudget(limit: 50_000)
    var options = ServerOptions()
    options.chunked = .accept
    try await Fixture.with(options, memory: memory) { fixture in
      let client = try fixture.connect()
      client.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
      for _ in 0..<20 { client.send("1000\r\n\(text(4_096))\r\n") }
      #expect(try client.reply().status == 503)
      await fixture.until { script, server in script.refusals == [.overloaded] && memory.count == 0 }
    }
  }

  @Test("the body is let go of when the handler has seen it, and an answer counts until it is read")
  func answers() async throws {
    let memory = MemoryBudget(limit: 10 << 20)
    try await Fixture.with(memory: memory) { fixture in
      let client = try fixture.connect()
      client.send(post("/later", text(1 << 20)))
      await fixture.until { script, _ in script.waiting.count == 1 && memory.count == 0 }
      let long = text(8 << 20)
      await fixture.on { script, _ in
        #expect(script.waiting[0].memory.hasRoom(for: 10 << 20))
        #expect(!script.waiting[0].memory.hasRoom(for: 10 << 20 + 1))
        script.answerWaiting(long)
      }
      // The socket takes only a part of it.
      await fixture.until { _, _ in memory.count >= 8 << 20 }
      #expect(try client.reply().bytes.count == 8 << 20)
      await fixture.until { _, _ in memory.count == 0 }
    }
  }
}
