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
  "A service is called by Python's own client", .timeLimit(.minutes(1)),
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
    _ pattern: RPCService.Pattern, _ methods: MethodTable, _ body: (RPCService, String) async throws -> Void
  ) async throws {
    let reactor = try Reactor()
    let service = try await RPCService.start(
      pattern, methods, bind: ["tcp://127.0.0.1:*"], in: try Context(), on: reactor)
    let endpoint = try #require(await service.endpoints.first)
    do { try await body(service, endpoint) } catch { Issue.record(error) }
    await service.close()
    reactor.shutdown()
  }

  private var methods: MethodTable {
    var methods = MethodTable()
    methods.add("add", ["a", "b"]) { .double(try $0.number("a") + $0.number("b")) }
    methods.add("ns.echo", ["x"]) { $0["x"] }
    methods.add("fail") { _ in throw RemoteException.value("no good") }
    methods.add("odd") { _ in throw Odd() }
    methods.add("deep") { _ in
      .array([.string("é"), .binary([0, 255]), .uint(.max), .int(.min), .map([.init(.string("k"), .nil)])])
    }
    return methods
  }
  private struct Odd: Error {}

  @Test("RPC-4, HAND-5: results come back, by position, by keyword, in namespaces") func results() async throws {
    try await serve(.rpc, methods) { _, endpoint in
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
    try await serve(.rpc, methods) { _, endpoint in
      let reply = try await client("call", endpoint, method, arguments)
      #expect(reply.first?["ok"] as? Bool == false)
      #expect((reply.first?["error"] as? [String: Any])?["type"] as? String == type)
    }
  }

  @Test("RPC-14: calls run side by side, and each client gets its own answers") func concurrent() async throws {
    let entered = Tally()
    var methods = MethodTable()
    // Nobody is answered before all ten have come in.
    methods.add("meet") { _ in
      entered.countUp()
      await entered.reaches(10)
      return .string("met")
    }
    try await serve(.rpc, methods) { _, endpoint in
      let replies = try await client("call", endpoint, "meet", "--repeat", "10", "--parallel")
      #expect(replies.count == 10)
      #expect(replies.allSatisfy { $0["result"] as? String == "met" })
    }
  }

  @Test("PIPE-1: a pipeline service runs what is pushed") func pipeline() async throws {
    let ran = Tally()
    var methods = MethodTable()
    methods.add("job", ["n"]) { arguments in
      if arguments["n"] == .int(5) { ran.countUp() }
      return .nil
    }
    try await serve(.pipeline, methods) { _, endpoint in
      _ = try await client("notify", endpoint, "job", "[5]", "--repeat", "3")
      await ran.reaches(3)
    }
  }

  @Test("PUB-2: a pub/sub service hears the topics it subscribed to") func pubsub() async throws {
    let heard = Tally()
    var methods = MethodTable()
    methods.add("say", ["text"]) { _ in
      heard.countUp()
      return .nil
    }
    try await serve(.pubsub(["news"]), methods) { service, endpoint in
      _ = try await client("publish", endpoint, "other", "say", #"["x"]"#)
      _ = try await client("publish", endpoint, "news.today", "say", #"["x"]"#)
      await heard.reaches(1)
      #expect(heard.count == 1)
    }
  }

  @Test("SERV-3: closing twice is harmless, and cancels what runs (RPC-18)") func close() async throws {
    let (entered, cancelled) = (Tally(), Tally())
    var methods = MethodTable()
    methods.add("wait") { _ in
      entered.countUp()
      try? await Task.sleep(for: .seconds(3_600))
      if Task.isCancelled { cancelled.countUp() }
      return .nil
    }
    try await serve(.pipeline, methods) { service, endpoint in
      _ = try await client("notify", endpoint, "wait")
      await entered.reaches(1)
      await service.close()
      await service.close()
      await cancelled.reaches(1)
    }
  }
}
