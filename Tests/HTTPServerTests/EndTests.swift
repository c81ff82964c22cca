import Glibc
import Logging
import Reactor
import Support
import Testing

@testable import HTTPServer

@Suite("Ends", .inTurn(minutes: 3))
struct EndTests {
  private func wait(_ fixture: Fixture) async throws -> HTTPConnection {
    let client = try fixture.connect()
    client.send(post("/later", "1"))
    await fixture.until { script, _ in script.waiting.count == 1 }
    return client
  }

  @Test("a client that resets during its call is noticed at once")
  func reset() async throws {
    try await Fixture.with { fixture in
      let client = try await wait(fixture)
      client.reset()
      await fixture.until { script, server in script.abandoned == 1 && server.connections == 0 && server.isIdle }
    }
  }

  @Test("a client that closes during its call is given up after the grace")
  func closed() async throws {
    try await Fixture.with { fixture in
      let client = try await wait(fixture)
      client.disconnect()
      await fixture.until { script, _ in script.waiting.count == 1 }
      #expect(await fixture.on { script, _ in script.abandoned } == 0)
      // The hang-up may be seen after the first step.
      for _ in 0..<3 {
        await fixture.advance(by: .seconds(2))
        if await fixture.on({ script, _ in script.abandoned }) == 1 { break }
      }
      await fixture.until { script, server in script.abandoned == 1 && server.connections == 0 }
    }
  }

  @Test("what a client that closed during its call holds is free within the grace, and not long before")
  func freed() async throws {
    var options = ServerOptions()
    options.halfCloseGrace = .seconds(100)
    try await Fixture.with(options) { fixture in
      let client = try await wait(fixture)
      client.disconnect()
      try await fixture.advance(by: .seconds(80), times: 1)
      #expect(await fixture.on { script, _ in script.abandoned } == 0)
      try await fixture.advance(by: .seconds(11), times: 1)
      #expect(await fixture.on { script, server in script.abandoned == 1 && server.connections == 0 && server.isIdle })
    }
  }

  @Test("a client that has only shut down its half gets its answer")
  func halfClosed() async throws {
    try await Fixture.with { fixture in
      let client = try fixture.connect()
      client.send(post("/later", "1"))
      client.finishSending()
      await fixture.until { script, _ in script.waiting.count == 1 }
      await fixture.on { script, _ in script.answerWaiting() }
      #expect(try client.reply().body == "later")
      #expect(try client.readToEnd() == "")
    }
  }

  @Test("a call answered in the turn in which its client went away does no harm")
  func race() async throws {
    try await Fixture.with { fixture in
      for _ in 0..<20 {
        let client = try await wait(fixture)
        client.reset()
        await fixture.on { script, _ in script.answerWaiting() }
        await fixture.until { _, server in server.connections == 0 && server.isIdle }
      }
    }
  }

  @Test("a quiesced server refuses new connections and finishes its calls")
  func quiesce() async throws {
    try await Fixture.with { fixture in
      let client = try await wait(fixture)
      let idle = try fixture.connect()
      await fixture.until { _, server in server.connections == 2 }
      await fixture.on { _, server in server.quiesce() }
      #expect(throws: HTTPConnection.Closed.self) { try fixture.connect() }
      #expect(await fixture.on { _, server in !server.isIdle })
      await fixture.on { script, _ in script.answerWaiting() }
      let reply = try client.reply()
      #expect(reply.body == "later")
      #expect(reply.headers["connection"] == "close")
      #expect(try client.readToEnd() == "")
      idle.send(get("/"))
      #expect(try idle.reply().headers["connection"] == "close")
      await fixture.until { _, server in server.isIdle && server.connections == 0 }
    }
  }

  @Test("connections in the backlog are served when the server is quiesced")
  func backlog() async throws {
    try await Fixture.with { fixture in
      let clients = try (0..<40).map { _ in try fixture.connect() }
      await fixture.on { _, server in server.quiesce() }
      for client in clients { client.send(get("/")) }
      for client in clients { #expect(try client.reply().status == 200) }
    }
  }

  @Test("stopping with waiting calls and open streams ends them all")
  func stop() async throws {
    var clients: [HTTPConnection] = []
    try await Fixture.with { fixture in
      for target in ["/later", "/stream", "/stream", "/"] {
        for _ in 0..<20 {
          let client = try fixture.connect()
          client.send(get(target))
          clients.append(client)
        }
      }
      await fixture.until { script, _ in script.handled == 80 }
      await fixture.on { script, server in
        server.stop()
        #expect(script.abandoned == 20)
        #expect(script.streams.map(\.closures) == Array(repeating: 1, count: 40))
        #expect(server.connections == 0)
        #expect(server.isIdle)
        server.stop()
      }
    }
    for client in clients.prefix(20) { #expect(try client.readToEnd() == "") }
  }

  @Test("a server that cannot start closes its listener")
  func start() async throws {
    try await Fixture.with { fixture in
      // A file that cannot be watched, so libmicrohttpd does not start.
      let file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC)
      var opened = stat()
      var left = stat()
      #expect(fstat(file, &opened) == 0)
      let listener = Listener(address: .loopback(port: 0), descriptor: file)
      await #expect(throws: HTTPServerError.self) {
        try await fixture.on { script, _ in
          _ = try Server(listener, handler: script, on: fixture.reactor.loop, logger: Logger(label: "test"))
        }
      }
      // Another test may have got the number meanwhile.
      #expect(fstat(file, &left) != 0 || left.st_ino != opened.st_ino)
    }
  }

  @Test("two listeners share one port")
  func reusePort() async throws {
    let first = try Listener.open(ListenAddress("127.0.0.1:0"), reusePort: true)
    let second = try Listener.open(first.address, reusePort: true)
    #expect(second.address == first.address)
    #expect(throws: HTTPServerError.self) { try Listener.open(first.address) }
    first.close()
    second.close()
  }
}
