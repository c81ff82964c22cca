import GatewaySecurity
import MessagePack
import Support
import Testing
import ZeroMQ

@Suite("A method that asks for its context", .inTurn(minutes: 3))
struct CallerContextTests {
  private func with(
    _ body: (Rig, LiveGateway, WireSocket, [String: String]) async throws -> Void
  ) async throws {
    try await Rig.with { rig in
      let backend = try await rig.wire(.router)
      let key = APIKey.random()
      let gateway = try await rig.gateway(
        """
        s:
          pattern: rpc
          connect: ["\(await backend.endpoint)"]
          methods: { context: ["who*"], safe: ["*"], declare: { whois: "(name:str)" } }
          routes: { "GET /people/{name}": "whois(name:str)" }
        """, auth: rig.auth((key, "alice", [])), threads: 1)
      let first = Task { try await backend.answerNext(.nil) }
      try await eventually("a backend") {
        try await gateway.http.post("/rpc/s/hello", headers: key.header).status == 200
      }
      try await first.value
      try await body(rig, gateway, backend, key.header)
    }
  }

  /// The keywords that arrive with the next call.
  private func keywords(_ backend: WireSocket, _ send: @escaping @Sendable () async throws -> HTTPReply) async throws
    -> [Value.Pair]
  {
    let answer = Task { try await send() }
    let call = try await backend.call()
    try await backend.answer(call, [0xC0])
    #expect(try await answer.value.status == 200)
    guard case .map(let pairs) = try Unpacker().unpack(call.keywords) else { return [] }
    return pairs
  }

  private func context(_ pairs: [Value.Pair]) -> [String: Value] {
    guard case .map(let members)? = pairs.last(where: { $0.key == "_ctx" })?.value else { return [:] }
    return Dictionary(
      members.compactMap { pair in if case .string(let name) = pair.key { (name, pair.value) } else { nil } },
      uniquingKeysWith: { first, _ in first })
  }

  @Test("is told who calls, for which request, how long it may take, and the trace")
  func told() async throws {
    try await with { _, gateway, backend, key in
      let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
      let headers = key.merging(["X-Request-Id": "r-1", "traceparent": trace, "Request-Timeout": "2.5"]) { $1 }
      let pairs = try await keywords(backend) {
        try await gateway.http.post("/rpc/s/who", #"{"a":1,"b":[2]}"#, headers: headers)
      }
      #expect(pairs.map(\.key) == ["a", "b", "_ctx"] && pairs[0].value == 1 && pairs[1].value == [2])
      #expect(
        context(pairs) == ["subject": "alice", "request_id": "r-1", "deadline": 2.5, "traceparent": .string(trace)])
      // Without arguments, by position, by GET, by a route, in a batch and in JSON-RPC.
      let sends: [@Sendable () async throws -> HTTPReply] = [
        { try await gateway.http.post("/rpc/s/who", headers: key) },
        { try await gateway.http.post("/rpc/s/whoami", "[1,2]", headers: key) },
        { try await gateway.http.get("/rpc/s/who?x=1", headers: key) },
        { try await gateway.http.get("/people/bob", headers: key) },
        { try await gateway.http.post("/batch", #"[{"service":"s","method":"who","kwargs":{"x":1}}]"#, headers: key) },
        {
          try await gateway.http.post(
            "/jsonrpc/s", #"{"jsonrpc":"2.0","method":"who","params":{"x":1},"id":1}"#, headers: key)
        },
      ]
      for (index, send) in sends.enumerated() {
        let found = context(try await keywords(backend, send))
        #expect(found["subject"] == "alice" && found["deadline"] == 5.0 && found["traceparent"] == .nil, "\(index)")
        #expect(found.count == 4, "\(index)")
      }
      for wrong in [
        "", "00-0-0-01", trace + "-", "ff" + trace.dropFirst(2), trace.uppercased(),
        "00-\(String(repeating: "0", count: 32))-b7ad6b7169203331-01",
      ] {
        let pairs = try await keywords(backend) {
          try await gateway.http.post("/rpc/s/who", headers: key.merging(["traceparent": wrong]) { $1 })
        }
        #expect(context(pairs)["traceparent"] == .nil, "\(wrong)")
      }
    }
  }

  @Test("takes it from nobody else; others are told nothing, and may have a keyword of that name")
  func forged() async throws {
    try await with { _, gateway, backend, key in
      for (target, body) in [
        ("/rpc/s/who", #"{"_ctx":{"subject":"root"}}"#), ("/rpc/s/who", #"{"args":[],"kwargs":{"a":1,"_ctx":1}}"#),
        ("/rpc/s/who", #"{"\u005fctx":1}"#),
      ] {
        let reply = try await gateway.http.post(target, body, headers: key)
        #expect(
          reply.status == 400 && reply.json["code"] == "invalid-argument" && reply.json["sent"] == false, "\(body)")
      }
      let batch = try await gateway.http.post(
        "/batch", #"[{"service":"s","method":"who","kwargs":{"_ctx":1}}]"#, headers: key)
      #expect(batch.json.elements.first?["status"] == 400)
      let rpc = try await gateway.http.post(
        "/jsonrpc/s", #"{"jsonrpc":"2.0","method":"who","params":{"_ctx":1},"id":1}"#, headers: key)
      #expect(rpc.json["error"]["code"] == -32_602)
      let other = try await keywords(backend) {
        try await gateway.http.post("/rpc/s/other", #"{"_ctx":1}"#, headers: key)
      }
      #expect(other.map(\.key) == ["_ctx"] && other[0].value == 1)
      let many = "{" + (0..<20).map { "\"k\($0)\":\($0)" }.joined(separator: ",") + "}"
      let pairs = try await keywords(backend) { try await gateway.http.post("/rpc/s/who", many, headers: key) }
      #expect(
        pairs.count == 21 && pairs[19].key == "k19" && pairs[19].value == 19 && context(pairs)["subject"] == "alice")
    }
  }
}
