import Gateway
import GatewaySecurity
import MessagePack
import Support
import Testing
import ZeroMQ

/// What is bounded of what a service that decides is asked.
@Suite("The questions to a service that decides", .inTurn(minutes: 3))
struct DecisionLimitTests {
  @Test("has so many answers kept; the oldest makes room")
  func entries() async throws {
    try await Authorizer.with(", entries: 2, keep: 1h") { authorizer in
      let (http, key) = (authorizer.gateway.http, authorizer.alice.header)
      for method in ["a", "b", "a", "b", "c", "b", "a"] {
        let reply = try await http.post("/rpc/s/\(method)", headers: key)
        #expect(reply.status == 200)
      }
      #expect(authorizer.asked() == ["alice call s.a", "alice call s.b", "alice call s.c", "alice call s.a"])
      let kept = try await authorizer.metric("zmq_gateway_decisions_kept")
      #expect(kept == 2)
    }
  }

  @Test("that may be asked no more allows nothing, whatever fail-open says; others than the caller are not touched")
  func share() async throws {
    try await Authorizer.with(", fail-open: true", asking: "in-flight: 8") { authorizer in
      let (http, key) = (authorizer.gateway.http, authorizer.bob.header)
      authorizer.answers { $0.hasPrefix("alice") ? .bool(true) : nil }
      // A quarter of eight for bob.
      let items = (0..<5).map { #"{"service":"s","method":"m\#($0)"}"# }.joined(separator: ",")
      let batch = Task { try await http.post("/batch", "[\(items)]", headers: key) }
      try await authorizer.isAsked(2)
      #expect(try await http.post("/rpc/s/m9", headers: key).json["code"] == "undecided")
      #expect(try await http.post("/rpc/s/m9", headers: authorizer.alice.header).status == 200)
      try await authorizer.release(.bool(false))
      #expect(try await batch.value.json.elements.map { $0["status"] } == [403, 403, 503, 503, 503])
      // Their places are free again.
      authorizer.answers { _ in true }
      #expect(try await http.post("/rpc/s/m8", headers: key).status == 200)
    }
  }

  @Test("is not asked of names that nothing can have, nor of more topics than a thousand")
  func outOfQuestion() async throws {
    try await Authorizer.with { authorizer in
      let (http, key) = (authorizer.gateway.http, authorizer.alice.header)
      func ticket(_ topics: Int) -> String {
        #"{"service":"news","topics":["# + (0..<topics).map { "\"\($0)\"" }.joined(separator: ",") + "]}"
      }
      #expect(try await http.post("/tickets", ticket(1_001), headers: key).status == 403)
      let long = String(repeating: "x", count: 100_000)
      let call = #"{"jsonrpc":"2.0","id":1,"method":"\#(long)"}"#
      #expect(try await http.post("/jsonrpc/s", call, headers: key).status == 403)
      #expect(authorizer.asked() == [])
      _ = try await http.post("/tickets", ticket(1_000), headers: key)
      #expect(authorizer.asked().count == 1)
    }
  }

  @Test("count as calls when they are refused, as those that are allowed do")
  func cost() async throws {
    try await Authorizer.with(limits: "{ rate: 1/h, burst: 1000 }") { authorizer in
      let (http, key) = (authorizer.gateway.http, authorizer.bob.header)
      let items = (0..<10).map { #"{"service":"s","method":"m\#($0)"}"# }.joined(separator: ",")
      func left() async throws -> Int {
        let reply = try await http.post("/batch", "[\(items)]", headers: key)
        let text = try #require(reply.headers["ratelimit"]?.firstMatch(of: /r=([0-9]+)/)?.1)
        return try #require(Int(text))
      }
      for isAllowed in [true, false] {
        authorizer.answers { _ in .bool(isAllowed) }
        let before = try await left()
        #expect(try await before - left() == 10, "\(isAllowed)")
        try await authorizer.gateway.gateway.reload(authorizer.configuration)
      }
    }
  }
}
