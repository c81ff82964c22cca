import MessagePack
import Reactor
import Support
import Testing
import ZeroMQ

/// JSON-RPC 2.0 at `/jsonrpc/{service}`, in front of a backend that the test plays.
@Suite("JSON-RPC", .inTurn(minutes: 3))
struct JSONRPCTests {
  /// The methods of the specification's examples.
  private static func result(_ method: String, _ arguments: Value, _ keywords: Value) -> Value? {
    func number(_ name: String) -> Int64? {
      guard case .map(let members) = keywords else { return nil }
      for member in members where member.key == .string(name) {
        if case .int(let number) = member.value { return number }
      }
      return nil
    }
    switch (method, arguments) {
    case ("subtract", .array(let both)) where both.count == 2:
      guard case .int(let a) = both[0], case .int(let b) = both[1] else { return nil }
      return .int(a - b)
    case ("subtract", _):
      guard let a = number("minuend"), let b = number("subtrahend") else { return nil }
      return .int(a - b)
    case ("sum", .array(let all)):
      return .int(all.reduce(0) { sum, each in if case .int(let number) = each { sum + number } else { sum } })
    case ("get_data", _): return .array([.string("hello"), .int(5)])
    default: return .nil
    }
  }

  /// Plays the backend for as long as the body runs.
  func with(
    _ more: String = "", http: String = "", _ body: (LiveGateway, Guarded<[String]>) async throws -> Void
  ) async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend(more, http: http)
      let called = Guarded<[String]>([])
      let playing = Task {
        while !Task.isCancelled {
          let call = try await backend.call()
          called.withLock { $0.append(call.method) }
          if call.method == "foobar" {
            let name = Value.string("aiozmq.rpc.base.NotFoundError")
            let error = Value.array([name, .array([.string("foobar")]), .string("")])
            try await backend.answer(call, error.packed, isException: true)
          } else {
            let (arguments, keywords) = (try Unpacker().unpack(call.arguments), try Unpacker().unpack(call.keywords))
            try await backend.answer(call, (Self.result(call.method, arguments, keywords) ?? .nil).packed)
          }
        }
      }
      defer { playing.cancel() }
      try await body(gateway, called)
    }
  }

  /// The examples of the specification, section 7; of an error its code and message.
  static let examples: [(request: String, answer: String)] = [
    (#"{"jsonrpc": "2.0", "method": "subtract", "params": [42, 23], "id": 1}"#, #"{"result":19,"id":1}"#),
    (#"{"jsonrpc": "2.0", "method": "subtract", "params": [23, 42], "id": 2}"#, #"{"result":-19,"id":2}"#),
    (
      #"{"jsonrpc": "2.0", "method": "subtract", "params": {"subtrahend": 23, "minuend": 42}, "id": 3}"#,
      #"{"result":19,"id":3}"#
    ),
    (
      #"{"jsonrpc": "2.0", "method": "subtract", "params": {"minuend": 42, "subtrahend": 23}, "id": 4}"#,
      #"{"result":19,"id":4}"#
    ),
    (#"{"jsonrpc": "2.0", "method": "update", "params": [1,2,3,4,5]}"#, ""),
    (#"{"jsonrpc": "2.0", "method": "foobar"}"#, ""),
    (#"{"jsonrpc": "2.0", "method": "foobar", "id": "1"}"#, #"{"error":[-32601,"Method not found"],"id":"1"}"#),
    (
      #"{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]"#,
      #"{"error":[-32700,"Parse error"],"id":null}"#
    ),
    (
      #"{"jsonrpc": "2.0", "method": 1, "params": "bar"}"#, #"{"error":[-32600,"Invalid Request"],"id":null}"#
    ),
    (
      #"[{"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},{"jsonrpc": "2.0", "method""#,
      #"{"error":[-32700,"Parse error"],"id":null}"#
    ),
    ("[]", #"{"error":[-32600,"Invalid Request"],"id":null}"#),
    ("[1]", #"[{"error":[-32600,"Invalid Request"],"id":null}]"#),
    (
      "[1,[2],3]",
      """
      [{"error":[-32600,"Invalid Request"],"id":null},{"error":[-32600,"Invalid Request"],"id":null},
       {"error":[-32600,"Invalid Request"],"id":null}]
      """
    ),
    (
      """
      [{"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},
       {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]},
       {"jsonrpc": "2.0", "method": "subtract", "params": [42,23], "id": "2"},
       {"foo": "boo"},
       {"jsonrpc": "2.0", "method": "foobar", "params": {"name": "myself"}, "id": "5"},
       {"jsonrpc": "2.0", "method": "get_data", "id": "9"}]
      """,
      """
      [{"result":7,"id":"1"},{"result":19,"id":"2"},{"error":[-32600,"Invalid Request"],"id":null},
       {"error":[-32601,"Method not found"],"id":"5"},{"result":["hello",5],"id":"9"}]
      """
    ),
    (
      """
      [{"jsonrpc": "2.0", "method": "notify_sum", "params": [1,2,4]},
       {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]}]
      """, ""
    ),
  ]

  @Test("answers the examples of the specification")
  func specification() async throws {
    try await with { gateway, called in
      for (request, answer) in Self.examples {
        let reply = try await gateway.http.post("/jsonrpc/s", request)
        #expect(reply.status == (answer.isEmpty ? 204 : 200), "\(request)")
        guard !answer.isEmpty else { continue }
        #expect(reply.headers["content-type"] == "application/json")
        #expect(Self.brief(reply.json) == JSON(answer), "\(request): \(reply.body)")
      }
      try await eventually("the notifications at the backend") {
        called.withLock { $0.contains("notify_sum") }
      }
    }
  }

  @Test("an id comes back as it was sent, and what is none is refused")
  func ids() async throws {
    try await with { gateway, _ in
      // As it is written, whether it could travel as a value or not.
      for id in ["18446744073709551616", "1e1000", "-1E2", "1.0", #""\u0061""#] {
        let reply = try await gateway.http.post("/jsonrpc/s", #"{"jsonrpc":"2.0","method":"get_data","id":\#(id)}"#)
        #expect(reply.body.hasSuffix(#","id":\#(id)}"#), "\(reply.body)")
        #expect(reply.json["result"] == ["hello", 5])
      }
      for id in ["1", "-1", "1.5", "18446744073709551615", "\"\"", "\"a\\u0000b\"", "null"] {
        let reply = try await gateway.http.post("/jsonrpc/s", #"{"jsonrpc":"2.0","method":"get_data","id":\#(id)}"#)
        #expect(reply.json["id"] == JSON(id), "\(id)")
        #expect(reply.json["result"] == ["hello", 5])
      }
      for id in ["[]", "{}", "true"] {
        let reply = try await gateway.http.post("/jsonrpc/s", #"{"jsonrpc":"2.0","method":"get_data","id":\#(id)}"#)
        #expect(reply.json["error"]["code"] == -32600)
        #expect(reply.json["id"] == .null)
      }
    }
  }

  @Test("a batch as long as http.limits.batch is answered, one call more is refused", arguments: [3, 4])
  func longest(count: Int) async throws {
    try await with(http: "limits: { batch: 3 }") { gateway, called in
      called.withLock { $0 = [] }
      let call = #"{"jsonrpc":"2.0","method":"get_data","id":1}"#
      let reply = try await gateway.http.post(
        "/jsonrpc/s", "[" + Array(repeating: call, count: count).joined(separator: ",") + "]")
      #expect(reply.status == 200)
      #expect(reply.json.elements.count == (count == 3 ? 3 : 0))
      #expect(reply.json["error"]["code"] == (count == 3 ? .null : -32600))
      #expect(called.withLock { $0.count } == (count == 3 ? 3 : 0))
    }
  }

  @Test("what is wrong with one call is told in its place, with the problem that a call of its own would get")
  func problems() async throws {
    try await with("methods: { hide: [secret] }\nin-flight: 2") { gateway, _ in
      let calls = ["secret", "_private", "get_data", "get_data", "get_data"].enumerated().map {
        #"{"jsonrpc":"2.0","method":"\#($1)","id":\#($0)}"#
      }
      let reply = try await gateway.http.post("/jsonrpc/s?_timeout=20", "[" + calls.joined(separator: ",") + "]")
      let answers = reply.json.elements
      #expect(answers.map { $0["id"] } == [0, 1, 2, 3, 4])
      #expect(answers.map { $0["error"]["code"] } == [-32601, -32601, .null, .null, -32000])
      #expect(answers[0]["error"]["data"]["code"] == "not-exposed")
      #expect(answers[4]["error"]["data"]["code"] == "overloaded")
      #expect(answers[4]["error"]["data"]["sent"] == false)
      #expect(answers[4]["error"]["data"]["instance"] == "/jsonrpc/s")
      #expect(answers[2]["result"] == ["hello", 5])
    }
  }

  @Test("a call that is not answered in time is told so beside those that are")
  func deadline() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend()
      async let reply = gateway.http.post(
        "/jsonrpc/s?_timeout=0.2",
        #"[{"jsonrpc":"2.0","method":"a","id":1},{"jsonrpc":"2.0","method":"b","id":2}]"#)
      try await backend.answerNext(.int(7))
      let answers = try await reply.json.elements
      #expect(answers[0]["result"] == 7)
      #expect(answers[1]["error"]["data"]["code"] == "timeout")
      #expect(answers[1]["error"]["data"]["sent"] == true)
    }
  }

  @Test("notifications that nobody can take are refused as a call is; beside calls they are left out")
  func refused() async throws {
    try await Rig.with { rig in
      let gateway = try await rig.gateway(#"s: { pattern: rpc, connect: ["ipc:///nowhere/at-all"] }"#)
      let only = try await gateway.http.post("/jsonrpc/s", #"{"jsonrpc":"2.0","method":"a"}"#)
      #expect(only.status == 503)
      #expect(only.json["code"] == "no-backend")
      let both = try await gateway.http.post(
        "/jsonrpc/s", #"[{"jsonrpc":"2.0","method":"a"},{"jsonrpc":"2.0","method":"b","id":1}]"#)
      #expect(both.json.elements.count == 1)
      #expect(both.json[0]["error"]["data"]["code"] == "no-backend")
    }
  }

  @Test("a client that leaves frees the places of its calls, and long replies are answered too")
  func leaving() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend("in-flight: 2", http: "limits: { inline: 4KiB }")
      let document = #"[{"jsonrpc":"2.0","method":"a","id":1},{"jsonrpc":"2.0","method":"b","id":2}]"#
      let connection = try HTTPConnection(port: gateway.http.port)
      connection.send("POST", "/jsonrpc/s", headers: ["Content-Type": "application/json"], body: document.bytes)
      for _ in 0..<2 { _ = try await backend.call() }
      connection.disconnect()
      try await eventually("free places") {
        try await gateway.http.post("/rpc/s/probe?_timeout=0.05").status != 503
      }
      let text = String(repeating: "x", count: 5_000)
      async let reply = gateway.http.post("/jsonrpc/s", document)
      var answered = 0
      while answered < 2 {
        let call = try await backend.call()
        if call.method == "probe" { continue }
        try await backend.answer(call, Value.string(text).packed)
        answered += 1
      }
      #expect(try await reply.json.elements.map { $0["result"] } == [.string(text), .string(text)])
    }
  }

  /// An answer with an error cut to code and message, and without its version.
  private static func brief(_ answer: JSON) -> JSON {
    if case .array(let all) = answer { return .array(all.map(brief)) }
    #expect(answer["jsonrpc"] == "2.0")
    let error = answer["error"]
    let outcome: JSON.Member =
      error == .null
      ? .init("result", answer["result"]) : .init("error", .array([error["code"], error["message"]]))
    return .object([outcome, .init("id", answer["id"])])
  }
}
