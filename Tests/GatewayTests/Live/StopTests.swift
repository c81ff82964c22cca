import Gateway
import MessagePack
import Reactor
import Support
import Testing

/// Stopping with and without work under way.
@Suite("stopping", .inTurn(minutes: 3))
struct StopTests {
  @Test("an idle gateway stops at once, with open connections or without", arguments: [1, 2])
  func idle(threads: Int) async throws {
    try await Rig.with { rig in
      let (_, gateway) = try await rig.backend(threads: threads)
      let connection = try HTTPConnection(port: gateway.http.port)
      connection.send("GET", "/live")
      #expect(try await offThread { try connection.reply().status } == 200)
      let time = await duration { await gateway.stop() }
      // The grace is ten.
      #expect(time < .seconds(5))
      #expect(try await offThread { try connection.isAtEnd() })
      #expect(throws: (any Error).self) { try HTTPConnection(port: gateway.http.port) }
    }
  }

  @Test("a stop waits for the call under way and delivers its answer; new calls are refused meanwhile")
  func underWay() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend()
      let other = try HTTPConnection(port: gateway.http.port)
      other.send("GET", "/live")
      #expect(try await offThread { try other.reply().status } == 200)
      async let reply = gateway.http.post("/rpc/s/work", "[]")
      let call = try await backend.call()
      async let stopped: Void = gateway.stop()
      try await eventually("it accepts no more") { (try? HTTPConnection(port: gateway.http.port)) == nil }
      other.send("POST", "/rpc/s/work", headers: ["Content-Type": "application/json"], body: "[]".bytes)
      let refused = try await offThread { try other.reply() }
      #expect(refused.status == 503)
      #expect(refused.json["code"] == "draining")
      #expect(refused.json["sent"] == false)
      #expect(refused.headers["retry-after"] == "1")
      #expect(refused.headers["connection"]?.lowercased() == "close")
      try await backend.answer(call, [9])
      #expect(try await reply.body == "9")
      await stopped
    }
  }

  /// What makes a call that no request waits for.
  enum Alone: CaseIterable {
    case asynchronous, notification, keyed

    func begin(_ gateway: LiveGateway, _ backend: WireSocket) async throws -> WireCall {
      switch self {
      case .asynchronous:
        #expect(
          try await gateway.http.post("/rpc/s/work", "[]", headers: ["Prefer": "respond-async"]).status == 202)
      case .notification:
        #expect(try await gateway.http.post("/jsonrpc/s", #"{"jsonrpc":"2.0","method":"work"}"#).status == 204)
      case .keyed:
        let client = try gateway.http.begin(
          "POST", "/rpc/s/work", headers: ["Content-Type": "application/json", "Idempotency-Key": "k"], body: "[]")
        let call = try await backend.call()
        client.reset()
        try await eventually("the client to have left") { await gateway.gateway.accounts.abandoned == 1 }
        return call
      }
      return try await backend.call()
    }
  }

  @Test(
    "a stop waits for calls that no request waits for, and counts them as answered", arguments: Alone.allCases, [1, 2])
  func alone(kind: Alone, threads: Int) async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend("timeout: 20s", threads: threads)
      let other = try await rig.gateway(#"s: { pattern: rpc, connect: ["ipc:///nowhere/x"] }"#, threads: threads)
      let call = try await kind.begin(gateway, backend)
      #expect(await gateway.gateway.accounts.calls.underWay == 1)
      async let stopped: Void = gateway.stop()
      try await eventually("it accepts no more") { (try? HTTPConnection(port: gateway.http.port)) == nil }
      // One with nothing under way, that was told later, is over.
      await other.stop()
      #expect(gateway.ended.withLock { $0 } == nil)
      try await backend.answer(call, [9])
      await stopped
      let calls = try #require(gateway.ended.withLock { $0 }).calls
      #expect([calls.accepted, calls.answered, calls.abandoned] == [1, 1, 0])
    }
  }

  @Test("what no request waits for is counted as abandoned when the grace is over", arguments: Alone.allCases)
  func abandoned(kind: Alone) async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend("timeout: 20s", grace: "300ms")
      _ = try await kind.begin(gateway, backend)
      let time = await duration { await gateway.stop() }
      #expect(time >= .milliseconds(270))
      let calls = try #require(gateway.ended.withLock { $0 }).calls
      #expect([calls.accepted, calls.answered, calls.abandoned] == [1, 0, 1])
    }
  }

  @Test("a stop is over before the grace is, though a client does not read its stream")
  func inTime() async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher("history: { events: 500, bytes: 64MiB }", grace: "10s")
      let stalled = try await gateway.http.events("/sub/s?topic=a", receiveBuffer: 4_096)
      for _ in 0..<300 { try await publisher.publish("a", "m", [.binary(.init(repeating: 0, count: 10_000))]) }
      try await eventually("all at its shard") { await gateway.gateway.accounts.events.passed == 300 }
      let time = await duration { await gateway.stop() }
      #expect(time >= .seconds(9))
      #expect(time < .seconds(10))
      stalled.close()
    }
  }

  @Test("a stop waits no longer than the grace")
  func grace() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend("timeout: 30s", grace: "300ms")
      let client = try gateway.http.begin(
        "POST", "/rpc/s/work", headers: ["Content-Type": "application/json"], body: "[]")
      _ = try await backend.call()
      let time = await duration { await gateway.stop() }
      #expect(time >= .milliseconds(270))
      #expect(time < .seconds(3))
      client.disconnect()
    }
  }

  @Test("a client that does not read its stream holds up a stop no longer than the grace")
  func slowReader() async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher(grace: "300ms")
      let slow = try await gateway.http.events("/sub/s?topic=a", receiveBuffer: 4_096)
      _ = try await publisher.subscription()
      try await gateway.areAttached([slow], publisher)
      for _ in 0..<80 { try await publisher.publish("a", "m", [.binary(.init(repeating: 0, count: 100_000))]) }
      let time = await duration { await gateway.stop() }
      #expect(time < .seconds(3))
      slow.close()
    }
  }

  @Test("streams with very many topics that open and close hold up a stop no longer than the grace", arguments: [1, 2])
  func manyTopics(threads: Int) async throws {
    try await Rig.with { rig in
      let (_, gateway) = try await rig.publisher("linger: 0s\ntopics-limit: 1000000", threads: threads, grace: "1s")
      let targets = (0..<60).map { stream in
        "/sub/s?" + (0..<500).map { "topic=\(stream * 500 + $0 + 100_000)" }.joined(separator: "&")
      }
      var connections: [HTTPConnection] = []
      for (index, target) in targets.enumerated() {
        let connection = try HTTPConnection(port: gateway.http.port)
        connection.send("GET", target, headers: [:], body: nil)
        if index % 2 == 0 { connection.reset() } else { connections.append(connection) }
      }
      let time = await duration { await gateway.stop() }
      #expect(time < .seconds(4))
      for connection in connections { connection.disconnect() }
    }
  }

  @Test("an address that is taken is refused, however many threads share it", arguments: [1, 2], [1, 2])
  func taken(first: Int, second: Int) async throws {
    try await Rig.with { rig in
      let (_, gateway) = try await rig.backend(threads: first)
      await #expect(throws: (any Error).self) {
        try await rig.gateway(
          #"s: { pattern: rpc, connect: ["ipc:///nowhere/x"] }"#, threads: second,
          listen: "127.0.0.1:\(gateway.http.port)")
      }
      #expect(try await gateway.http.get("/live").status == 200)
    }
  }
}
