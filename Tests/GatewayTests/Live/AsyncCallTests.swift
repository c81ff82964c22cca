import MessagePack
import Support
import Testing
import ZeroMQ

@testable import Gateway

/// `Prefer: respond-async` and `/calls/{id}`, over two threads unless told otherwise.
@Suite("a call that nobody waits for", .inTurn(minutes: 3))
struct AsyncCallTests {
  private static let prefer = ["Prefer": "respond-async"]

  private func start(
    _ gateway: LiveGateway, _ target: String = "/rpc/s/work", _ body: String = "[]"
  ) async throws -> String {
    let reply = try await gateway.http.post(target, body, headers: Self.prefer)
    #expect(reply.status == 202)
    let id = try #require(reply.json["id"].text)
    #expect(reply.headers["location"] == "/calls/\(id)")
    return "/calls/\(id)"
  }

  @Test("is found while it is under way and after its end, on every thread, until it is deleted")
  func life() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend(threads: 2)
      let reply = try await gateway.http.post(
        "/rpc/s/work", "[1]", headers: ["Prefer": "wait=1, respond-async; x=1", "X-Request-Id": "mine"])
      #expect(reply.status == 202)
      #expect(reply.headers["preference-applied"] == "respond-async")
      #expect(reply.headers["retry-after"] == "1")
      let target = try #require(reply.headers["location"])
      #expect(target.utf8.count == "/calls/".utf8.count + 22)
      let call = try await backend.call()
      #expect(call.arguments == [0x91, 1])
      for _ in 0..<8 {
        let asked = try await gateway.http.get(target)
        #expect(asked.status == 202)
        #expect(asked.headers["retry-after"] == "1")
        #expect(asked.json == reply.json)
      }
      try await backend.answer(call, [7])
      let ended = try await eventually("its end") {
        let reply = try await gateway.http.get(target)
        return reply.status == 200 ? reply : nil
      }
      #expect(ended.json == ["id": reply.json["id"], "status": 200, "result": 7])
      #expect(ended.headers["cache-control"] == "no-store")
      for _ in 0..<8 { #expect(try await gateway.http.get(target).body == ended.body) }
      let head = try await gateway.http.send("HEAD", target)
      #expect(head.status == 200)
      #expect(head.headers["content-length"] == "\(ended.body.utf8.count)")
      #expect(try await gateway.http.send("DELETE", target).status == 204)
      for method in ["GET", "DELETE"] {
        let gone = try await gateway.http.send(method, target)
        #expect(gone.status == 410)
        #expect(gone.json["code"] == "call-gone")
      }
    }
  }

  @Test("tells with 200 how it failed, and at once what is known at once")
  func failures() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend("in-flight: 1")
      let held = try await start(gateway, "/rpc/s/work")
      let call = try await backend.call()
      let refused = try await gateway.http.post("/rpc/s/work", "[]", headers: Self.prefer)
      #expect(refused.status == 503)
      #expect(refused.json["sent"] == false)
      func end(of target: String) async throws -> HTTPReply {
        try await eventually("its end") {
          let reply = try await gateway.http.get(target)
          return reply.status == 200 ? reply : nil
        }
      }
      try await backend.answer(call, [7])
      #expect(try await end(of: held).json["result"] == 7)
      let ended = try await end(of: try await start(gateway, "/rpc/s/work?_timeout=0.1"))
      #expect(ended.json["status"] == 504)
      #expect(ended.json["error"]["code"] == "timeout")
      #expect(ended.json["error"]["instance"] == "/rpc/s/work")
      #expect(try await gateway.http.post("/rpc/s/work", "[", headers: Self.prefer).status == 400)
    }
  }

  @Test("keeps a long outcome, and frees its place when it is deleted under way")
  func deleting() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend("in-flight: 1", http: "limits: { inline: 4KiB }", threads: 2)
      let text = String(repeating: "x", count: 50_000)
      let long = try await start(gateway)
      try await backend.answer(try await backend.call(), Value.string(text).packed)
      let ended = try await eventually("its end") {
        let reply = try await gateway.http.get(long)
        return reply.status == 200 ? reply : nil
      }
      #expect(ended.json["result"] == .string(text))
      // Another thread may be asked to end it.
      for _ in 0..<4 {
        let target = try await start(gateway)
        _ = try await backend.call()
        #expect(try await gateway.http.send("DELETE", target).status == 204)
        try await eventually("a free place") {
          try await gateway.http.post("/rpc/s/probe?_timeout=0.01").status != 503
        }
        _ = try await backend.call()
      }
    }
  }

  @Test("is kept for async.keep after its end, and beyond async.calls another one is refused")
  func bounds() async throws {
    try await Rig.with { rig in
      let backend = try await rig.wire(.router)
      let gateway = try await rig.gateway(
        "s: { pattern: rpc, connect: [\"\(await backend.endpoint)\"] }",
        grace: "10s\nasync: { calls: 2, keep: 1s }")
      try await gateway.reaches(backend)
      let targets = [try await start(gateway), try await start(gateway)]
      let refused = try await gateway.http.post("/rpc/s/work", "[]", headers: Self.prefer)
      #expect(refused.status == 503)
      #expect(refused.json["code"] == "overloaded")
      #expect(refused.json["detail"].text?.contains("async.calls") == true)
      #expect(refused.json["sent"] == false)
      for _ in targets { try await backend.answerNext(.int(1)) }
      for target in targets {
        try await eventually("its end") { try await gateway.http.get(target).status == 200 }
      }
      for target in targets {
        try await eventually("its time is over") { try await gateway.http.get(target).status == 410 }
      }
      _ = try await start(gateway)
    }
  }

  @Test("is begun by a client that prefers it among other things only, and not by a GET")
  func preferences() async throws {
    let http = try await Rig.http
    for (prefer, status) in [
      ("respond-async", 202), ("RESPOND-ASYNC", 202), ("wait=5", 200), ("respond-asynchronously", 200), ("", 200),
      ("return=minimal,respond-async", 202),
    ] {
      #expect(try await http.post("/rpc/math/add", "[2,3]", headers: ["Prefer": prefer]).status == status, "\(prefer)")
    }
    let get = try await http.get("/rpc/math/add?a:=2&b:=3", headers: Self.prefer)
    #expect(get.body == "5")
  }

  @Test("has an id of 128 bits that is read back, and no other text is one")
  func ids() {
    for _ in 0..<1_000 {
      let id = KeptCalls.ID.random()
      #expect(KeptCalls.ID(id.text) == id)
    }
    let last = String(repeating: "_", count: 21)
    #expect(KeptCalls.ID(last + "D")?.text == last + "D")
    for text in ["", "A", last, last + "E", last + "=", last + "DD", String(repeating: "é", count: 11)] {
      #expect(KeptCalls.ID(text) == nil)
    }
  }
}
