import MessagePack
import Reactor
import Support
import Testing
import ZeroMQ

/// Backends that are away, slow, gone or full, played by the test on a real ROUTER.
@Suite("the life of a call", .inTurn(minutes: 3))
struct CallLifeTests {
  @Test("without a backend a call is refused at once, as one that was not sent", arguments: [1, 2])
  func noBackend(threads: Int) async throws {
    try await Rig.with { rig in
      let gateway = try await rig.gateway(
        #"s: { pattern: rpc, connect: ["ipc:///nowhere/at-all"] }"#, threads: threads)
      var fastest = Duration.seconds(1)
      // Other tests run beside this one: the best of some.
      for _ in 0..<20 {
        fastest = min(
          fastest,
          try await duration {
            let reply = try await gateway.http.post("/rpc/s/add", "[1]")
            #expect(reply.status == 503)
            #expect(reply.headers["retry-after"] == "1")
            #expect(reply.headers["gateway-error"] == "no-backend")
            #expect(reply.json["sent"] == false)
            #expect(reply.json["retryable"] == true)
          })
      }
      #expect(fastest < .milliseconds(50))
    }
  }

  @Test("calls work again within a second of the backend's return", arguments: ["ipc", "tcp"])
  func backendReturns(transport: String) async throws {
    try await Rig.with { rig in
      let bind = transport == "ipc" ? rig.directory.endpoint("s") : "tcp://127.0.0.1:*"
      let first = try await rig.wire(.router, bind: bind)
      let endpoint = await first.endpoint
      let gateway = try await rig.gateway(#"s: { pattern: rpc, connect: ["\#(endpoint)"] }"#)
      try await gateway.reaches(first)
      var (backend, fastest) = (first, Duration.seconds(60))
      // The machine may be busy with other tests: the best of some.
      for _ in 0..<5 where fastest >= .seconds(1) {
        await backend.close()
        try await eventually("the loss is noticed") { try await gateway.http.post("/rpc/s/a").status == 503 }
        backend = try await rig.wire(.router, bind: endpoint)
        fastest = min(fastest, try await duration { try await gateway.reaches(backend) })
      }
      #expect(fastest < .seconds(1))
    }
  }

  @Test("a backend that goes away while it works ends its calls at once, as ones that were sent")
  func backendLost() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend("timeout: 50s")
      async let reply = gateway.http.post("/rpc/s/work", "[1]")
      _ = try await backend.call()
      let start = Instant.monotonic()
      await backend.close()
      let lost = try await reply
      #expect(Instant.monotonic() - start < .seconds(25))
      #expect(lost.status == 502)
      #expect(lost.json["code"] == "backend-lost")
      #expect(lost.json["sent"] == true)
      #expect(lost.json["retryable"] == false)
      #expect(lost.headers["retry-after"] == nil)
    }
  }

  @Test(
    "RPC-10: a silent backend is given up at the caller's deadline",
    arguments: [(["Request-Timeout": "0.3"], ""), ([:], "?_timeout=0.3"), (["Request-Timeout": "50"], "?_timeout=0.3")])
  func deadline(headers: [String: String], query: String) async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend("timeout: 50s")
      let time = try await duration {
        let reply = try await gateway.http.post("/rpc/s/work\(query)", "[1]", headers: headers)
        #expect(reply.status == 504)
        #expect(reply.json["code"] == "timeout")
        #expect(reply.json["sent"] == true)
        #expect(reply.json["origin"] == "gateway")
      }
      #expect(time >= .milliseconds(300))
      #expect(time < .seconds(25))
      #expect(try await backend.call().method == "work")
    }
  }

  @Test("callers in a hurry do not make the gateway connect to a healthy backend afresh")
  func hurried() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend()
      var connections: Set<[[UInt8]]> = []
      for _ in 0..<12 {
        let reply = try await gateway.http.post("/rpc/s/work", headers: ["Request-Timeout": "0.000001"])
        #expect(reply.status == 504)
        connections.insert(try await backend.call().envelope)
      }
      async let reply = gateway.http.post("/rpc/s/work")
      let call = try await backend.call()
      connections.insert(call.envelope)
      try await backend.answer(call, [1])
      #expect(try await reply.status == 200)
      #expect(connections.count == 1)
    }
  }

  @Test("a deadline beyond the method's maximum is cut to it, and without one the service's holds")
  func maximum() async throws {
    try await Rig.with { rig in
      let (_, gateway) = try await rig.backend("timeout: 200ms\nmax-timeout: 400ms")
      for (query, least) in [("?_timeout=60", 400), ("", 200)] {
        let time = try await duration {
          let reply = try await gateway.http.post("/rpc/s/work\(query)")
          #expect(reply.status == 504)
        }
        #expect(time >= .milliseconds(least))
        #expect(time < .seconds(25))
      }
    }
  }

  @Test("RPC-11: an answer that comes too late is dropped, and the next call gets its own")
  func late() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend()
      #expect(try await gateway.http.post("/rpc/s/work?_timeout=0.05").status == 504)
      let old = try await backend.call()
      async let reply = gateway.http.post("/rpc/s/work")
      let new = try await backend.call()
      #expect(new.number != old.number)
      try await backend.answer(old, [1])
      try await backend.answer(new, [2])
      #expect(try await reply.body == "2")
    }
  }

  @Test("RPC-15: answers that come out of order reach their callers")
  func outOfOrder() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend()
      try await withThrowingTaskGroup(of: (Int, String).self) { group in
        for number in 0..<10 {
          group.addTask { (number, try await gateway.http.post("/rpc/s/work", "[\(number)]").body) }
        }
        var calls: [WireCall] = []
        for _ in 0..<10 { calls.append(try await backend.call()) }
        for call in calls.reversed() { try await backend.answer(call, [call.arguments[1]]) }
        for try await (number, body) in group { #expect(body == "\(number)") }
      }
    }
  }

  @Test(
    "beyond the calls a service allows under way, one is refused; a finished one frees its place", arguments: [1, 2])
  func inFlight(threads: Int) async throws {
    try await Rig.with { rig in
      let backend = try await rig.wire(.router)
      let gateway = try await rig.gateway(
        #"s: { pattern: rpc, in-flight: 2, connect: ["\#(await backend.endpoint)"] }"#, threads: threads)
      async let first = gateway.connectedPost("/rpc/s/work", "[1]")
      let call = try await backend.call()
      async let second = gateway.connectedPost("/rpc/s/work", "[2]")
      let other = try await backend.call()
      let refused = try await gateway.connectedPost("/rpc/s/work", "[3]")
      #expect(refused.status == 503)
      #expect(refused.json["code"] == "overloaded")
      #expect(refused.json["sent"] == false)
      #expect(refused.headers["retry-after"] == "1")
      try await backend.answer(call, [7])
      #expect(try await first.body == "7")
      async let third = gateway.connectedPost("/rpc/s/work", "[4]")
      let next = try await backend.call()
      #expect(next.arguments == [0x91, 4])
      try await backend.answer(next, [8])
      #expect(try await third.body == "8")
      try await backend.answer(other, [9])
      #expect(try await second.body == "9")
    }
  }

  @Test("a client that goes away frees the place of its call")
  func clientGone() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend("in-flight: 1\ntimeout: 30s")
      let client = try gateway.http.begin(
        "POST", "/rpc/s/work", headers: ["Content-Type": "application/json"], body: "[]")
      let call = try await backend.call()
      #expect(try await gateway.http.post("/rpc/s/work").status == 503)
      client.disconnect()
      async let answered: Void = backend.answerNext(.nil)
      let time = try await duration {
        try await eventually("a free place") { try await gateway.http.post("/rpc/s/work").status == 200 }
      }
      try await answered
      #expect(time < .seconds(15))
      // The late answer to a caller that has gone hurts nobody.
      try await backend.answer(call, [1])
      async let again: Void = backend.answerNext(.nil)
      #expect(try await gateway.http.post("/rpc/s/work").status == 200)
      try await again
    }
  }

  @Test("a client that only stops sending still gets its answer")
  func halfClosed() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend()
      let client = try gateway.http.begin(
        "POST", "/rpc/s/work", headers: ["Content-Type": "application/json"], body: "[]")
      let call = try await backend.call()
      client.finishSending()
      try await backend.answer(call, [5])
      let reply = try await offThread { try client.reply() }
      #expect(reply.body == "5")
    }
  }
}
