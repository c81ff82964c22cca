import Gateway
import MessagePack
import Support
import Testing
import ZeroMQ
import ZeroMQRPC

/// What a 504 says of the backend, which the test plays.
@Suite("a backend that is silent until the deadline", .inTurn(minutes: 3))
struct SilenceTests {
  /// A call that gets no reply; with answers to as many others meanwhile.
  private func unanswered(
    _ method: String, others: Int = 0, within timeout: Double, _ backend: WireSocket, _ gateway: LiveGateway
  ) async throws -> JSON {
    async let reply = gateway.http.post("/rpc/s/\(method)?_timeout=\(timeout)", "[]")
    _ = try await backend.call()
    for _ in 0..<others { try await answered("other", backend, gateway) }
    let json = try await reply.json
    #expect(json["code"] == "timeout")
    #expect(json["diagnosis"]["connectedSince"].text?.utf8.count == 20)
    #expect(json["diagnosis"]["answeredMeanwhile"].integer == others)
    return json["diagnosis"]
  }

  private func answered(_ method: String, _ backend: WireSocket, _ gateway: LiveGateway) async throws {
    async let reply = gateway.http.post("/rpc/s/\(method)", "[]")
    try await backend.answerNext(.nil)
    #expect(try await reply.status == 200)
  }

  @Test("has stalled when nothing came from it")
  func stalled() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend()
      let diagnosis = try await unanswered("m", within: 0.1, backend, gateway)
      #expect(diagnosis["verdict"] == "backend-stalled")
      #expect(diagnosis["p95"] == .null)
      #expect(diagnosis["queued"] == .number("0.000"))
    }
  }

  @Test("is told of with the time that was cut, when the caller asked for more than there is")
  func cut() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend(
        "timeout: 100ms\nmax-timeout: 200ms\nbreaker: off\nmethods: { safe: [safe] }")
      let words = "was cut to the method's max-timeout, 200ms."
      func detail(_ send: () async throws -> HTTPReply) async throws -> String {
        async let call = backend.call()
        let reply = try await send()
        _ = try await call
        #expect(reply.status == 504)
        return reply.json["detail"].text ?? ""
      }
      for seconds in ["0.201", "60"] {
        #expect(try await detail { try await gateway.http.post("/rpc/s/m?_timeout=\(seconds)", "[]") }.hasSuffix(words))
      }
      let header = ["Request-Timeout": "5"]
      #expect(try await detail { try await gateway.http.post("/rpc/s/m", "[]", headers: header) }.hasSuffix(words))
      #expect(try await detail { try await gateway.http.get("/rpc/s/safe?a=1&_timeout=5") }.hasSuffix(words))
      for target in ["/rpc/s/m?_timeout=0.2", "/rpc/s/m"] {
        #expect(try await !detail { try await gateway.http.post(target, "[]") }.contains("cut"), "\(target)")
      }
    }
  }

  @Test("has not stalled when it sent what is no reply")
  func garbled() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend()
      async let reply = gateway.http.post("/rpc/s/m?_timeout=0.5", "[]")
      let call = try await backend.call()
      try await backend.send(call.envelope + ["nonsense".bytes, [1]])
      #expect(try await reply.json["diagnosis"]["verdict"] == "bad-replies")
      // What came before a call says nothing of it.
      #expect(try await unanswered("m", within: 0.1, backend, gateway)["verdict"] == "backend-stalled")
    }
  }

  @Test("has probably dropped the call when it answered others, and the method is usually quick")
  func dropped() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend()
      // More than are needed: of those that come within a millisecond one is measured.
      for _ in 0..<60 { try await answered("m", backend, gateway) }
      let diagnosis = try await unanswered("m", others: 2, within: 1.5, backend, gateway)
      #expect(diagnosis["verdict"] == "probably-dropped")
      #expect(diagnosis["p95"].description.hasPrefix("0."))
    }
  }

  @Test("is slow when the method usually is: late replies tell that")
  func slow() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend()
      // More than are needed: the first may come within a millisecond of another call, and is not measured then.
      let calls = 10
      for _ in 0..<calls {
        async let reply = gateway.http.post("/rpc/s/m?_timeout=0.2", "[]")
        let call = try await backend.call()
        #expect(try await reply.status == 504)
        try await backend.answer(call, [0xC0])
      }
      // Another method is answered: so all late replies have come.
      try await answered("other", backend, gateway)
      let diagnosis = try await unanswered("m", within: 0.05, backend, gateway)
      #expect(diagnosis["verdict"] == "method-slow")
      #expect(await gateway.gateway.accounts.lateReplies.timed == calls)
      #expect(await gateway.gateway.accounts.timeouts == calls + 1)
    }
  }

  @Test("of a call of JSON-RPC it is told in the same way")
  func jsonRPC() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend()
      async let reply = gateway.http.post("/jsonrpc/s?_timeout=0.1", #"{"jsonrpc":"2.0","method":"m","id":1}"#)
      _ = try await backend.call()
      let problem = try await reply.json["error"]["data"]
      #expect(problem["code"] == "timeout")
      #expect(problem["diagnosis"]["verdict"] == "backend-stalled")
    }
  }

  @Test("was told of the call late when that waited in the queue: a part of the deadline was over")
  func queued() async throws {
    try await Rig.with { rig in
      var full = SocketOptions()
      full.receiveHighWaterMark = 1
      full.heartbeat = .zero
      let backend = try await rig.wire(.router, options: full)
      let gateway = try await rig.gateway(
        #"s: { pattern: rpc, connect: ["\#(await backend.endpoint)"], timeout: 30s }"#, threads: 1)
      try await gateway.reaches(backend)
      await backend.pause(true)
      // Until the backend, libzmq and the kernel hold all they can, and one call waits behind them.
      var fillers: [HTTPConnection] = []
      let long = "[\"\(String(repeating: "x", count: 64_000))\"]"
      while await gateway.gateway.accounts.queueTimeouts == 0 {
        for _ in 0..<20 {
          fillers.append(
            try gateway.http.begin("POST", "/rpc/s/m", headers: ["Content-Type": "application/json"], body: long))
        }
        _ = try await gateway.http.post("/rpc/s/m?_timeout=0.05", "[]")
      }
      async let reply = gateway.http.post("/rpc/s/m?_timeout=1.5", "[]")
      try await eventually("it waits") { await gateway.gateway.accounts.underWay == fillers.count + 1 }
      #expect(try await gateway.http.post("/rpc/s/m?_timeout=0.3", "[]").json["code"] == "queue-timeout")
      await backend.pause(false)
      let json = try await reply.json
      #expect(json["code"] == "timeout")
      #expect(json["detail"].text?.contains("in the gateway's queue before it was sent") == true)
      let queued = Double(json["diagnosis"]["queued"].description) ?? 0
      #expect(0.3...1.5 ~= queued)
      for filler in fillers { filler.disconnect() }
    }
  }
}
