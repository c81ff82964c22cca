import MessagePack
import Support
import Testing
import ZeroMQ

/// `Idempotency-Key`, over two threads.
@Suite("a request with an idempotency key", .inTurn(minutes: 3))
struct IdempotencyTests {
  private func key(_ key: String, _ more: [String: String] = [:]) -> [String: String] {
    more.merging(["Idempotency-Key": key]) { $1 }
  }

  @Test("runs once, and its repeats get its answer, wherever they arrive")
  func once() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend(threads: 2)
      async let first = gateway.http.post("/rpc/s/work", "[1]", headers: key("\"a b\""))
      try await backend.answerNext(.int(7))
      #expect(try await first.body == "7")
      #expect(try await first.headers["idempotency-replayed"] == nil)
      for _ in 0..<8 {
        let again = try await gateway.http.post("/rpc/s/work", "[1]", headers: key("\"a b\""))
        #expect(again.status == 200)
        #expect(again.body == "7")
        #expect(again.headers["idempotency-replayed"] == "true")
      }
      #expect(await backend.waiting == 0)
      for (target, body) in [("/rpc/s/work", "[2]"), ("/rpc/s/work", " [1]"), ("/rpc/s/work?_timeout=5", "[1]")] {
        let other = try await gateway.http.post(target, body, headers: key("\"a b\""))
        #expect(other.status == 422)
        #expect(other.json["code"] == "idempotency-key-reused")
      }
      // At another path it is another key, and so is another text.
      for (target, text) in [("/rpc/s/other", "\"a b\""), ("/rpc/s/work", "c")] {
        async let other = gateway.http.post(target, "[1]", headers: key(text))
        try await backend.answerNext(.int(8))
        #expect(try await other.body == "8")
      }
    }
  }

  @Test("goes on when its client leaves, is in use meanwhile, and then answers the repeat")
  func leaving() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend(http: "limits: { inline: 4KiB }", threads: 2)
      let client = try gateway.http.begin(
        "POST", "/rpc/s/work", headers: key("k", ["Content-Type": "application/json"]), body: "[1]")
      let call = try await backend.call()
      client.reset()
      for _ in 0..<4 {
        let early = try await gateway.http.post("/rpc/s/work", "[1]", headers: key("k"))
        #expect(early.status == 409)
        #expect(early.json["code"] == "idempotency-key-in-use")
        #expect(early.json["retryable"] == true)
        #expect(early.headers["retry-after"] == "1")
      }
      let text = String(repeating: "x", count: 5_000)
      try await backend.answer(call, Value.string(text).packed)
      let late = try await eventually("its end") {
        let reply = try await gateway.http.post("/rpc/s/work", "[1]", headers: key("k"))
        return reply.status == 409 ? nil : reply
      }
      #expect(late.body == "\"\(text)\"")
      #expect(late.headers["idempotency-replayed"] == "true")
    }
  }

  @Test("is remembered when it may have run, and not when it never left")
  func failures() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend("in-flight: 1", threads: 2)
      async let raising = gateway.http.post("/rpc/s/work", "[]", headers: key("raises"))
      let raised = Value.array(["builtins.KeyError", .array(["x"]), "KeyError('x')"]).packed
      try await backend.answer(try await backend.call(), raised, isException: true)
      let first = try await raising
      #expect(first.status == 404)
      let again = try await gateway.http.post("/rpc/s/work", "[]", headers: key("raises"))
      #expect(again.status == 404)
      #expect(again.body == first.body)
      #expect(again.headers["gateway-error"] == "remote-exception")
      #expect(again.headers["idempotency-replayed"] == "true")

      for isReplayed in [false, true] {
        let silent = try await gateway.http.post("/rpc/s/work?_timeout=0.1", "[]", headers: key("silent"))
        #expect(silent.status == 504)
        #expect(silent.headers["idempotency-replayed"] == (isReplayed ? "true" : nil))
      }
      _ = try await backend.call()

      async let blocking = gateway.http.post("/rpc/s/block")
      let call = try await backend.call()
      for _ in 0..<2 {
        let refused = try await gateway.http.post("/rpc/s/work", "[]", headers: key("unsent"))
        #expect(refused.status == 503)
        #expect(refused.headers["idempotency-replayed"] == nil)
      }
      #expect(try await gateway.http.post("/rpc/s/work", "[", headers: key("unsent")).status == 400)
      try await backend.answer(call, [1])
      _ = try await blocking
      async let sent = gateway.http.post("/rpc/s/work", "[]", headers: key("unsent"))
      try await backend.answerNext(.int(9))
      #expect(try await sent.body == "9")
    }
  }

  @Test("hands a message over once", arguments: [true, false])
  func messages(isPipeline: Bool) async throws {
    try await Rig.with { rig in
      let worker = try await rig.wire(isPipeline ? .pull : .subscribe)
      if !isPipeline { try await worker.subscribe("") }
      let endpoint = await worker.endpoint
      let gateway = try await rig.gateway(
        isPipeline
          ? #"s: { pattern: pipeline, connect: ["\#(endpoint)"] }"#
          : #"s: { pattern: pubsub, publish: { connect: ["\#(endpoint)"] } }"#)
      let target = isPipeline ? "/push/s/work" : "/pub/s/t/work"
      var sent: UInt8 = 0
      // A subscription may still be on its way, and a shard's connection too: as many keys as it takes, each with its number.
      try await eventually("a message") {
        sent += 1
        let status = try await gateway.http.post(target, "[\(sent)]", headers: key("\(sent)")).status
        if isPipeline { return status == 202 }
        return await worker.waiting > 0
      }
      try await eventually("it is remembered") {
        let again = try await gateway.http.post(target, "[\(sent)]", headers: key("\(sent)"))
        #expect(again.status == 202)
        #expect(again.body == #"{"accepted":true}"#)
        return again.headers["idempotency-replayed"] == "true"
      }
      #expect(try await gateway.http.post(target, "[0]", headers: key("\(sent)")).status == 422)
      var received: [[UInt8]] = []
      try await eventually("another message") {
        _ = try await gateway.http.post(target, "[true]", headers: key("other"))
        while let message = await worker.receiveNow() {
          #expect(message.contains("work".bytes))
          received += message.filter { $0.count == 2 && $0[0] == 0x91 }
        }
        return received.contains([0x91, 0xc3])
      }
      #expect(Set(received).count == received.count, "each message once")
      #expect(received.count >= 2)
      #expect(received.allSatisfy { $0 == [0x91, 0xc3] || 1...sent ~= $0[1] })
    }
  }

  @Test("that prefers no waiting names the same call each time")
  func started() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend(threads: 2)
      let headers = key("k", ["Prefer": "respond-async"])
      let first = try await gateway.http.post("/rpc/s/work", "[]", headers: headers)
      #expect(first.status == 202)
      let again = try await gateway.http.post("/rpc/s/work", "[]", headers: headers)
      #expect(again.status == 202)
      #expect(again.headers["location"] == first.headers["location"])
      #expect(again.headers["idempotency-replayed"] == "true")
      try await backend.answerNext(.nil)
      #expect(await backend.waiting == 0)
    }
  }

  @Test(
    "with a call that goes on by itself, is forgotten with that call and not before: a repeat never names one that is gone"
  )
  func asynchronous() async throws {
    try await Rig.with { rig in
      let backend = try await rig.wire(.router)
      let gateway = try await rig.gateway(
        "s: { pattern: rpc, connect: [\"\(await backend.endpoint)\"] }",
        grace: "10s\nidempotency: { keep: 1h }\nasync: { keep: 1s }")
      try await gateway.reaches(backend)
      let headers = key("k", ["Prefer": "respond-async"])
      func start() async throws -> String {
        let reply = try await gateway.http.post("/rpc/s/work", "[]", headers: headers)
        #expect(reply.status == 202)
        return try #require(reply.headers["location"])
      }
      let first = try await start()
      try await backend.answerNext(.int(1))
      try await eventually("its end") { try await gateway.http.get(first).status == 410 }
      let second = try await start()
      #expect(second != first)
      let call = try await backend.call()
      #expect(try await start() == second)
      #expect(try await gateway.http.send("DELETE", second).status == 204)
      let third = try await start()
      #expect(third != second)
      try await backend.answer(call, [1])
      try await backend.answerNext(.int(3))
      try await eventually("the third's end") { try await gateway.http.get(third).json["result"] == 3 }
    }
  }

  @Test("is forgotten after idempotency.keep, and beyond idempotency.keys another one is refused")
  func bounds() async throws {
    try await Rig.with { rig in
      let backend = try await rig.wire(.router)
      let gateway = try await rig.gateway(
        "s: { pattern: rpc, connect: [\"\(await backend.endpoint)\"] }",
        grace: "10s\nidempotency: { keys: 1, keep: 1s }")
      try await gateway.reaches(backend)
      async let first = gateway.http.post("/rpc/s/work", "[]", headers: key("a"))
      try await backend.answerNext(.int(1))
      #expect(try await first.status == 200)
      let refused = try await gateway.http.post("/rpc/s/work", "[]", headers: key("b"))
      #expect(refused.status == 503)
      #expect(refused.json["detail"].text?.contains("idempotency.keys") == true)
      async let second = eventually("a free place") {
        let reply = try await gateway.http.post("/rpc/s/work", "[]", headers: key("b"))
        return reply.status == 503 ? nil : reply
      }
      try await backend.answerNext(.int(2))
      #expect(try await second.body == "2")
    }
  }

  @Test("has a key of 1 to 255 visible characters, in quotes or without")
  func keys() async throws {
    let http = try await Rig.http
    for good in ["a", String(repeating: "k", count: 255), "\"\(String(repeating: "q", count: 255))\"", #""a\"\\b""#] {
      let reply = try await http.post("/rpc/math/add", "[2,3]", headers: key(good))
      #expect(reply.status == 200, "\(good)")
    }
    for bad in ["", "\"\"", "a b", "\"a", "a\"b", #""a\b""#, #""a\"#, #""a"b""#, String(repeating: "k", count: 256)] {
      let reply = try await http.post("/rpc/math/add", "[2,3]", headers: key(bad))
      #expect(reply.status == 400, "\(bad)")
      #expect(reply.json["code"] == "bad-idempotency-key", "\(bad)")
    }
    // GET asks for nothing that could run twice.
    #expect(try await http.get("/rpc/math/add?a:=2&b:=3", headers: key("a b")).body == "5")
  }
}
