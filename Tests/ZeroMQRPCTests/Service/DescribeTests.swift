import MessagePack
import Support
import Testing
import ZeroMQRPC

@Suite("rpc.describe", .inTurn(minutes: 3)) struct DescribeTests {
  private var methods: Methods {
    var (methods, inner) = (Methods(), Methods())
    methods.add("add", "a", Parameter("b", default: 2)) { (a: Int, b: Int) in a + b }
    methods.describe("add", "The sum of two numbers.")
    methods.add("join", Parameter(rest: "parts"), Parameter("by", default: " ")) { (parts: [String], by: String) in
      parts.joined(separator: by)
    }
    inner.add("all", "x", Parameter(keyword: "limit", default: nil), Parameter(keywords: "more")) {
      (x: Value, limit: Int?, more: [String: [UInt8]]) async -> [Double?] in []
    }
    inner.add("none", "when") { (when: PythonDateTime) in }
    methods["inner"] = inner
    methods["rpc"] = ["ping": Method { "pong" }] as [String: any Handler]
    return methods
  }

  private func with(_ isOn: Bool, _ body: (ClientBench, RPCClient) async throws -> Void) async throws {
    try await ClientBench.with { bench in
      let endpoint = bench.endpoint("service")
      let service = try await RPCService.start(methods, bind: [endpoint], on: bench.reactor, in: bench.context) {
        $0.grace = .zero
        $0.describes = isOn
      }
      bench.cleanup.add { await service.close() }
      try await body(bench, try await bench.client([endpoint], timeout: .seconds(20)))
    }
  }

  @Test("tells names, parameters with types and defaults, results and texts") func description() async throws {
    try await with(true) { _, client in
      let described = try await client.call.rpc.describe()
      let all = try #require(described["methods"]?.arrayValue)
      #expect(all.map { $0["name"] } == ["add", "inner.all", "inner.none", "join", "rpc.ping"])
      #expect(
        all[0] == [
          "name": "add",
          "parameters": [
            ["name": "a", "kind": "POSITIONAL_OR_KEYWORD", "type": "int", "required": true],
            ["name": "b", "kind": "POSITIONAL_OR_KEYWORD", "type": "int", "default": 2, "required": false],
          ], "result": "int", "text": "The sum of two numbers.",
        ])
      #expect(
        all[1] == [
          "name": "inner.all",
          "parameters": [
            ["name": "x", "kind": "POSITIONAL_OR_KEYWORD", "type": "Any", "required": true],
            ["name": "limit", "kind": "KEYWORD_ONLY", "type": "int | None", "default": nil, "required": false],
            ["name": "more", "kind": "VAR_KEYWORD", "type": "bytes", "required": false],
          ], "result": "list[float | None]", "text": nil,
        ])
      #expect(
        all[3]["parameters"]?[0] == ["name": "parts", "kind": "VAR_POSITIONAL", "type": "str", "required": false])
      #expect(all[2]["result"] == "None" && all[2]["parameters"]?[0]?["type"] == "datetime")
      // What the service has itself in that namespace is still there.
      #expect(try await client.call.rpc.ping() == "pong")
      #expect(try await client.call.add(1) == 3)
    }
  }

  @Test("a text for what is no method, or not yet, is an error of the start") func missing() async throws {
    var methods = Methods()
    methods.describe("add", "The sum of two numbers.")
    let described = methods
    await #expect(throws: ServiceError.self) {
      try await ClientBench.with { bench in try await bench.serve(described, bind: [bench.endpoint("service")]) }
    }
  }

  @Test("is off unless it is asked for") func off() async throws {
    try await with(false) { _, client in
      await #expect(throws: RemoteError.notFound("rpc.describe")) { try await client.call.rpc.describe() }
    }
  }

  @Test(
    "a service in Python tells the same by Examples/python/describe.py",
    .enabled(if: Python.isThere, "\(Python.comment)"),
    arguments: [0, 1])
  func python(service: Int) async throws {
    try await with(true) { bench, client in
      let process = try Python.start("peer_describe.py", [])
      bench.cleanup.add { await process.destroy() }
      let endpoints = try #require(try await process.line().flatMap { JSON($0) })["rpc"]
      let there = try await bench.client([try #require(endpoints[service].text)], timeout: .seconds(20))
      let swift = try #require(try await client.call.rpc.describe()["methods"]?.arrayValue)
      #expect(try await there.call.rpc.describe() == ["methods": .array(swift.filter { $0["name"] != "rpc.ping" })])
      // And its methods are called as ever.
      #expect(try await there.call.add(1) == 3)
      await #expect(throws: RemoteError.notFound("inner.hidden")) { try await there.call.inner.hidden() }
    }
  }

  @Test(
    "a default that a service in Python cannot send is told only to be one",
    .enabled(if: Python.isThere, "\(Python.comment)"))
  func defaults() async throws {
    try await ClientBench.with { bench in
      let process = try Python.start("peer_describe.py", [])
      bench.cleanup.add { await process.destroy() }
      let endpoints = try #require(try await process.line().flatMap { JSON($0) })["rpc"]
      let client = try await bench.client([try #require(endpoints[2].text)], timeout: .seconds(20))
      let methods = try #require(try await client.call.rpc.describe()["methods"]?.arrayValue)
      let parameters = try #require(methods.first?["parameters"]?.arrayValue)
      #expect(parameters.map { $0["name"] } == ["width", "colour", "day"])
      #expect(parameters.allSatisfy { $0["required"] == false && $0["default"] == nil })
      #expect(try await client.call.paint() == 1)
    }
  }
}
