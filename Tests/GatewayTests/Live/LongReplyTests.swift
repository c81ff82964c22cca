import Foundation
import MessagePack
import Reactor
import Support
import Testing
import ZeroMQ

/// Replies that take long to be turned into JSON, and what goes on meanwhile.
@Suite("long replies", .serialized, .inTurn(minutes: 4))
struct LongReplyTests {
  /// Maps in each other, each with a key twice, which is noticed at its end: a second or so of work in a few hundred KiB.
  static let slow: [UInt8] = {
    var bytes = Value.array(.init(repeating: .string("a text of some length"), count: 15_000)).packed
    for _ in 0..<200 { bytes = [0x82, 0xA1, 0x61] + bytes + [0xA1, 0x61, 0x01] }
    return bytes
  }()

  /// Waits for the next call and answers it with slow work.
  private func answerSlowly(_ backend: WireSocket) async throws {
    try await backend.answer(try await backend.call(), Self.slow)
  }

  @Test("a call is answered while the long reply of one before it is still being turned into JSON")
  func beside() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend("timeout: 50s", http: "limits: { depth: 400 }")
      let isDone = Guarded(false)
      let long = Task {
        let reply = try await gateway.http.post("/rpc/s/long")
        isDone.withLock { $0 = true }
        return reply
      }
      let longCall = try await backend.call()
      async let short = gateway.http.post("/rpc/s/short")
      let shortCall = try await backend.call()
      try await backend.answer(longCall, Self.slow)
      try await backend.answer(shortCall, [7])
      #expect(try await short.body == "7")
      #expect(!isDone.withLock { $0 })
      let reply = try await long.value
      #expect(reply.status == 200)
      #expect(reply.body.hasPrefix(#"{"$map":[["a",{"$map":[["a","#))
    }
  }

  @Test(
    "replies as long as http.limits.inline and one byte longer are answered alike", arguments: [4_096, 4_097, 100_000])
  func limit(count: Int) async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend("methods: { safe: [\"*\"] }", http: "limits: { inline: 4KiB }")
      let text = String(repeating: "a", count: count - 3 - (count > 65_535 ? 2 : 0))
      func ask(_ method: String, _ headers: [String: String] = [:], body: [UInt8]? = nil, isException: Bool = false)
        async throws -> HTTPReply
      {
        async let reply = gateway.http.send(
          method, "/rpc/s/m", headers: headers.merging(["Content-Type": "application/json"]) { $1 })
        try await backend.answer(try await backend.call(), body ?? Value.string(text).packed, isException: isException)
        return try await reply
      }
      let got = try await ask("GET")
      #expect(got.body == "\"\(text)\"")
      let tag = try #require(got.headers["etag"])
      #expect(try await ask("GET", ["If-None-Match": tag]).status == 304)
      #expect(try await ask("POST").body == got.body)
      #expect(try await ask("POST").headers["etag"] == nil)
      let head = try await ask("HEAD")
      #expect(head.body == "")
      #expect(head.headers["content-length"] == "\(count + 2 - 3 - (count > 65_535 ? 2 : 0))")

      let bad = try await ask("POST", body: [UInt8](repeating: 7, count: count))
      #expect(bad.status == 502)
      #expect(bad.json["code"] == "bad-reply")
      #expect(bad.json["instance"] == "/rpc/s/m")
      #expect(bad.json["requestId"].text == bad.headers["x-request-id"])
      let raised = try await ask(
        "POST", body: Value.array(["builtins.KeyError", .array([.string(text)]), "KeyError('...')"]).packed,
        isException: true)
      #expect(raised.status == 404)
      #expect(raised.json["exception"]["args"] == .array([.string(text)]))
      #expect(raised.json["detail"] == "KeyError('...')")
    }
  }

  @Test("the deadline of a call holds while its reply is turned into JSON")
  func deadline() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend(http: "limits: { depth: 400 }")
      // A first one takes the thread, so that the second waits.
      let first = Task { try await gateway.http.post("/rpc/s/long?_timeout=50") }
      try await answerSlowly(backend)
      async let second = gateway.http.post("/rpc/s/long?_timeout=0.2")
      try await answerSlowly(backend)
      let reply = try await second
      #expect(reply.status == 504)
      #expect(reply.json["code"] == "timeout")
      #expect(reply.json["sent"] == true)
      #expect(reply.json["detail"].text?.contains("reply came") == true)
      #expect(try await first.value.status == 200)
    }
  }

  @Test("a reply that waits is let go when its client leaves, and one for which there is no memory is refused")
  func memory() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend("timeout: 50s", http: "limits: { memory: 1MiB, depth: 400 }")
      let waiting = Value.string(String(repeating: "a", count: 500_000)).packed
      let first = Task { try await gateway.http.post("/rpc/s/long") }
      try await answerSlowly(backend)
      let leaving = try gateway.http.begin(
        "POST", "/rpc/s/leaving", headers: ["Content-Type": "application/json"], body: "[]")
      try await backend.answer(try await backend.call(), waiting)
      async let refused = gateway.http.post("/rpc/s/refused")
      try await backend.answer(try await backend.call(), waiting)
      let refusal = try await refused
      #expect(refusal.status == 502)
      #expect(refusal.json["code"] == "reply-too-large")
      leaving.reset()
      try await eventually("room for the next") {
        async let next = gateway.http.post("/rpc/s/next?_timeout=0.2")
        try await backend.answer(try await backend.call(), waiting)
        // It waits for the first, or is answered already.
        return try await next.status != 502
      }
      first.cancel()
    }
  }

  @Test("a stop does not wait longer than its grace for replies that are turned into JSON")
  func stop() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend("timeout: 50s", http: "limits: { depth: 400 }", grace: "100ms")
      let asked = (0..<4).map { _ in Task { try? await gateway.http.post("/rpc/s/long") } }
      for _ in asked { try await answerSlowly(backend) }
      let time = await duration { await gateway.stop() }
      #expect(time < .seconds(2))
      for one in asked { _ = await one.value }
    }
  }

  @Test("a client that has half-closed gets the whole of a long answer")
  func halfClosed() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend()
      let text = String(repeating: "a", count: 5_000_000)
      let client = try gateway.http.begin(
        "POST", "/rpc/s/work", headers: ["Content-Type": "application/json"], body: "[]")
      let call = try await backend.call()
      client.finishSending()
      try await backend.answer(call, Value.string(text).packed)
      let reply = try await offThread { try client.reply() }
      #expect(reply.body == "\"\(text)\"")
    }
  }
}
