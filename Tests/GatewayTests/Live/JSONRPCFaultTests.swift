import Gateway
import MessagePack
import Reactor
import Support
import Testing

/// What is wrong with a document of JSON-RPC: with one of its calls, or with the whole.
@Suite("JSON-RPC that cannot be called", .inTurn(minutes: 3))
struct JSONRPCFaultTests {
  private func with(_ body: (LiveGateway, Guarded<[String]>) async throws -> Void) async throws {
    try await JSONRPCTests().with("", http: "", body)
  }

  /// What cannot travel, each of another kind.
  private static let unsendable = [
    "[18446744073709551616]", #"{"a":[1e1000]}"#, #"[{"$ext":[126,""]}]"#, #"[1,{"$date":"2024-02-30"}]"#,
    String(repeating: "[", count: 65) + String(repeating: "]", count: 65),
  ]

  @Test("arguments that cannot travel concern their own call only, with its id", arguments: unsendable)
  func arguments(params: String) async throws {
    try await with { gateway, called in
      called.withLock { $0 = [] }
      let (good, bad) = (
        #"{"jsonrpc":"2.0","method":"get_data","id":1}"#, #""jsonrpc":"2.0","method":"m","params":"# + params
      )
      let reply = try await gateway.http.post("/jsonrpc/s", #"[\#(good),{\#(bad),"id":"x"},{\#(bad)},\#(good)]"#)
      #expect(reply.status == 200)
      let answers = reply.json.elements
      #expect(answers.map { $0["id"] } == [1, "x", 1])
      #expect(answers.map { $0["error"]["code"] } == [.null, -32602, .null])
      #expect(answers[1]["error"]["data"]["code"] == "not-encodable")
      #expect(answers[1]["error"]["data"]["pointer"].text?.hasPrefix("/1/params") == true)
      let single = try await gateway.http.post("/jsonrpc/s", #"{"id":7,\#(bad)}"#)
      #expect(single.json["id"] == 7)
      #expect(single.json["error"]["code"] == -32602)
      #expect(single.json["error"]["data"]["pointer"].text?.hasPrefix("/params") == true)
      // Nobody is told of a notification.
      let alone = try await gateway.http.post("/jsonrpc/s", "[{\(bad)},{\(bad)}]")
      #expect(alone.status == 204)
      let taken = try await gateway.http.post("/jsonrpc/s", #"[{\#(bad)},{"jsonrpc":"2.0","method":"get_data"}]"#)
      #expect(taken.status == 204)
      try await eventually("the calls at the backend") { called.withLock { $0.count == 3 } }
      #expect(called.withLock { $0 } == ["get_data", "get_data", "get_data"])
    }
  }

  @Test(
    "what is no JSON anywhere is a parse error of the whole, and nothing is called",
    arguments: [
      #"[{"jsonrpc":"2.0","method":"m","id":1},{"jsonrpc":"2.0","method":"m","params":[tru],"id":2}]"#,
      #"[{"jsonrpc":"2.0","method":"m","id":1},{"jsonrpc":"2.0","method":"m","id":01}]"#,
      #"[{"jsonrpc":"2.0","method":"m","id":1},{"jsonrpc":"2.0","method":"m","id":2,"more":nul}]"#,
      #"[{"jsonrpc":"2.0","method":"m","id":1},x]"#, #"[{"jsonrpc":"2.0","method":"m","id":1}],"#,
      #"{"jsonrpc":"2.0","method":"m","id":1,"id":2}"#, #"{"jsonrpc":"2.0","method":"m","id":1,"\u0069d":2}"#,
      #"{"jsonrpc":"2.0","method":"m","id":1,"params":{"a":1,"a":2}}"#, #"{"jsonrpc":"2.0","method":"m","id":1}}"#,
      #"{"jsonrpc":"2.0","method":"\ud800","id":1}"#, "", "x",
    ])
  func broken(document: String) async throws {
    try await with { gateway, called in
      called.withLock { $0 = [] }
      let reply = try await gateway.http.post("/jsonrpc/s", document)
      #expect(reply.status == 200)
      #expect(reply.json["error"]["code"] == -32700)
      #expect(reply.json["id"] == .null)
      #expect(try await gateway.http.post("/jsonrpc/s", #"{"jsonrpc":"2.0","method":"last","id":1}"#).json["id"] == 1)
      #expect(called.withLock { $0 } == ["last"])
    }
  }

  @Test("a document may be declared as application/json-rpc, and escapes in names count")
  func type() async throws {
    try await with { gateway, _ in
      let reply = try await gateway.http.post(
        "/jsonrpc/s", #"{"jsonrpc":"2.0","\u006dethod":"get_\u0064ata","id":1}"#,
        headers: ["Content-Type": "application/json-rpc; charset=utf-8"])
      #expect(reply.json["result"] == ["hello", 5])
      let other = try await gateway.http.post("/rpc/s/m", "[]", headers: ["Content-Type": "application/json-rpc"])
      #expect(other.status == 415)
    }
  }

  @Test("each call of a document is counted by what became of it, a notification too")
  func counted() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend()
      let before = await gateway.gateway.accounts
      let calls = [
        #""method":"good","id":1"#, #""method":"bad","id":2"#, #""method":"silent","id":3"#, #""method":"_no","id":4"#,
        #""method":"m","params":[1e1000],"id":5"#, #""params":[],"id":6"#, #""method":"good""#, #""method":"_no""#,
      ]
      async let reply = gateway.http.post(
        "/jsonrpc/s?_timeout=0.5", "[" + calls.map { #"{"jsonrpc":"2.0",\#($0)}"# }.joined(separator: ",") + "]")
      for _ in 0..<4 {
        let call = try await backend.call()
        if call.method == "good" { try await backend.answer(call, [1]) }
        let error = Value.array([.string("builtins.KeyError"), .array([]), .string("")])
        if call.method == "bad" { try await backend.answer(call, error.packed, isException: true) }
      }
      #expect(try await reply.json.elements.count == 6)
      let after = await gateway.gateway.accounts
      #expect(after.answered == before.answered + 1)
      #expect(after.calls.accepted == 8)
      #expect(after.calls.answered == 2)
      #expect(after.calls.failed == 2)
      #expect(after.calls.refused == 4)
    }
  }
}
