import Foundation
import Logging
import MessagePack
import Reactor
import Support
import Testing
import ZeroMQ

@testable import ZeroMQRPC

/// `make test` sets ZMQ_GATEWAY_PYTHON: without it, what needs a real client cannot run.
@Suite(
  "A service is called by Python's own client", .inTurn(minutes: 3),
  .enabled(if: Python.isThere, "\(Python.comment)"))
struct ServiceTests {
  /// Runs `peer_client.py` and returns the JSON lines it prints.
  private func client(_ arguments: String...) async throws -> [[String: Any]] {
    let process = try Python.start("peer_client.py", arguments)
    process.closeInput()
    let text = try await process.rest()
    try await process.ended()
    return try text.split(separator: "\n").map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
  }

  private func serve(
    _ methods: Methods, _ pattern: ServiceBench.Pattern = .rpc, _ body: (any Serving, String) async throws -> Void
  ) async throws {
    try await ServiceBench.with(methods, pattern, at: "tcp://127.0.0.1:*") { try await body($0.service, $0.endpoint) }
  }

  private var methods: Methods {
    var (methods, inner) = (Methods(), Methods())
    methods.add("add", "a", "b") { (a: Double, b: Double) in a + b }
    inner.add("echo", "x") { (x: Value) in x }
    methods["ns"] = inner
    methods.add("fail") { throw RemoteException.value("no good") }
    methods.add("odd") { throw Odd() }
    methods.add("sold") { throw SoldOut(item: "tea") }
    methods.add("deep") {
      Value.array([.string("é"), .binary([0, 255]), .uint(.max), .int(.min), .map([.init(.string("k"), .nil)])])
    }
    return methods
  }
  private struct Odd: Error {}
  private struct SoldOut: Error { let item: String }

  @Test("RPC-4, HAND-5: results come back, by position, by keyword, in namespaces") func results() async throws {
    try await serve(methods) { _, endpoint in
      let sum = try await client("call", endpoint, "add", "[1, 2]")
      #expect(sum.first?["result"] as? Double == 3)
      let named = try await client("call", endpoint, "add", "[]", #"{"a": 1, "b": 4}"#)
      #expect(named.first?["result"] as? Double == 5)
      let echoed = try await client("call", endpoint, "ns.echo", #"[{"a": [1, "x", null]}]"#)
      let result = try #require(echoed.first?["result"] as? [String: Any])
      #expect((result["a"] as? [Any])?.count == 3)
      let deep = try #require(try await client("call", endpoint, "deep").first?["result"] as? [Any])
      #expect(deep[0] as? String == "é")
      #expect((deep[1] as? [String: String])?["$bytes"] == "00ff")
      #expect((deep[2] as? [String: String])?["$int"] == "18446744073709551615")
    }
  }

  @Test(
    "RPC-5, EXC-4, EXC-5: exceptions arrive as Python's own",
    arguments: [
      ("fail", "[]", "builtins.ValueError"), ("nope", "[]", "aiozmq.rpc.base.NotFoundError"),
      ("add", "[1]", "aiozmq.rpc.base.ParametersError"), ("odd", "[]", "aiozmq.rpc.base.GenericError"),
    ])
  func exceptions(method: String, arguments: String, type: String) async throws {
    try await serve(methods) { _, endpoint in
      let reply = try await client("call", endpoint, method, arguments)
      #expect(reply.first?["ok"] as? Bool == false)
      #expect((reply.first?["error"] as? [String: Any])?["type"] as? String == type)
    }
  }

  @Test("EXC-1, EXC-2: an error of Swift is named by its type, and a table of Python's client makes its own of that")
  func plainNames() async throws {
    try await serve(methods) { _, endpoint in
      let odd = try #require(try await client("call", endpoint, "odd").first?["error"] as? [String: Any])
      #expect(odd["exc_type"] as? String == "Odd" && odd["arguments"] as? [String] == ["Odd()"])
      let sold = try #require(try await client("call", endpoint, "sold").first?["error"] as? [String: Any])
      #expect(sold["type"] as? String == "peer.CustomError")
      #expect(sold["args"] as? [String] == [#"SoldOut(item: "tea")"#])
    }
  }

  @Test("RPC-14, RPC-8: calls run side by side, and each client gets its own answers") func concurrent() async throws {
    let entered = Tally()
    var methods = Methods()
    // Nobody is answered before all ten have come in.
    methods.add("meet") {
      entered.countUp()
      await entered.reaches(10)
      return "met"
    }
    try await serve(methods) { _, endpoint in
      let replies = try await client("call", endpoint, "meet", "--repeat", "10", "--parallel")
      #expect(replies.count == 10)
      #expect(replies.allSatisfy { $0["result"] as? String == "met" })
    }
  }

  @Test("PIPE-1: a pipeline service runs what is pushed") func pipeline() async throws {
    let ran = Tally()
    var methods = Methods()
    methods.add("job", "n") { (n: Int) in if n == 5 { ran.countUp() } }
    try await serve(methods, .pipeline) { _, endpoint in
      _ = try await client("notify", endpoint, "job", "[5]", "--repeat", "3")
      await ran.reaches(3)
    }
  }

  @Test("PUB-2: a pub/sub service hears the topics it subscribed to") func pubsub() async throws {
    let heard = Tally()
    var methods = Methods()
    methods.add("say", "text") { (text: String) in heard.countUp() }
    try await serve(methods, .pubsub(["news"])) { service, endpoint in
      _ = try await client("publish", endpoint, "other", "say", #"["x"]"#)
      _ = try await client("publish", endpoint, "news.today", "say", #"["x"]"#)
      await heard.reaches(1)
      #expect(heard.count == 1)
    }
  }

  @Test("SERV-3: closing twice is harmless, and cancels what runs (RPC-18)") func close() async throws {
    let (entered, cancelled) = (Tally(), Tally())
    var methods = Methods()
    methods.add("wait") {
      entered.countUp()
      try? await Task.sleep(for: .seconds(3_600))
      if Task.isCancelled { cancelled.countUp() }
    }
    try await serve(methods, .pipeline) { service, endpoint in
      _ = try await client("notify", endpoint, "wait")
      await entered.reaches(1)
      await service.close()
      await service.close()
      await cancelled.reaches(1)
    }
  }
}
