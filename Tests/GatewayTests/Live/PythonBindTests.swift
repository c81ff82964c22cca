import Support
import Testing

/// Real aiozmq services that connect to the gateway. `make test` sets ZMQ_GATEWAY_PYTHON.
@Suite("aiozmq services that dial in", .inTurn(minutes: 3), .enabled(if: Python.isThere, "\(Python.comment)"))
struct PythonBindTests {
  @Test("are called in every way, from both threads: results, exceptions, long replies, batches, tags")
  func calls() async throws {
    try await Rig.with { rig in
      let names = ["s", "t"]
      let gateway = try await rig.gateway(
        names.map { name in
          """
          \(name):
            pattern: rpc
            bind: ["\(rig.directory.endpoint(name))"]
            methods: { safe: [add, echo], settings: { echo: { keep: 1h } } }
          """
        }.joined(separator: "\n"), http: "limits: { inline: 4KiB }")
      for name in names {
        let peer = try await PythonPeer("--dial", "--rpc", rig.directory.endpoint(name))
        rig.cleanup.add { await peer.process.destroy() }
      }
      try await gateway.allHaveDialled()
      let http = gateway.http
      for name in names {
        for _ in 0..<6 { #expect(try await http.post("/rpc/\(name)/add", "[2,3]").body == "5") }
        let missing = try await http.post("/rpc/\(name)/nowhere")
        #expect(missing.status == 404)
        #expect(missing.json["code"] == "no-such-method")
        let long = String(repeating: "a", count: 20_000)
        for _ in 0..<3 { #expect(try await http.post("/rpc/\(name)/echo", "[\"\(long)\"]").body == "\"\(long)\"") }
        let tagged = try await http.get("/rpc/\(name)/add?arg:=2&arg:=3")
        #expect(tagged.headers["etag"] != nil)
        for _ in 0..<4 { #expect(try await http.get("/rpc/\(name)/echo?arg=x").body == "\"x\"") }
        let document =
          #"[{"jsonrpc":"2.0","id":1,"method":"add","params":[2,3]},{"jsonrpc":"2.0","id":2,"method":"no"}]"#
        let answers = try await http.post("/jsonrpc/\(name)", document).json
        #expect(answers[0]["result"] == 5)
        #expect(answers[1]["error"]["code"] != .null)
        let started = try await http.post("/rpc/\(name)/add", "[4,5]", headers: ["Prefer": "respond-async"])
        #expect(started.status == 202)
        let place = try #require(started.headers["location"])
        try await eventually("the outcome") { try await http.get(place).json["result"] == 9 }
      }
      let items = names.map { #"{"service":"\#($0)","method":"add","args":[1,2]}"# }.joined(separator: ",")
      let batch = try await http.post("/batch", "[\(items)]").json
      #expect(batch.elements.map { $0["result"] } == [3, 3])
    }
  }

  @Test("RPC-7, PIPE-4: two share calls and messages, and the one that is left has all")
  func two() async throws {
    try await Rig.with { rig in
      let gateway = try await rig.gateway(
        """
        s: { pattern: rpc, bind: ["tcp://127.0.0.1:*", "\(rig.directory.endpoint("s"))"] }
        j: { pattern: pipeline, bind: "\(rig.directory.endpoint("j"))" }
        """)
      let arguments = ["--dial", "--rpc", rig.directory.endpoint("s"), "--pipeline", rig.directory.endpoint("j")]
      let first = try await PythonPeer(arguments[0], arguments[1], arguments[2], arguments[3], arguments[4])
      rig.cleanup.add { await first.process.destroy() }
      let second = try await PythonPeer(arguments[0], arguments[1], arguments[2], arguments[3], arguments[4])
      rig.cleanup.add { await second.process.destroy() }
      try await eventually("both are dealt to in turn") {
        var pids: Set<Int> = []
        for _ in 0..<4 { pids.insert(try await gateway.http.post("/rpc/s/stats").json["pid"].integer ?? 0) }
        return pids == [Int(first.process.pid), Int(second.process.pid)]
      }
      for _ in 0..<4 { #expect(try await gateway.http.post("/push/j/work", "[1]").status == 202) }
      // Calls are dealt out in turn: two of them ask both.
      try await eventually("each has two messages") {
        var counts: [Int] = []
        for _ in 0..<2 {
          counts.append(try await gateway.http.post("/rpc/s/received.pipeline").json.elements.count)
        }
        return counts == [2, 2]
      }
      await first.process.destroy()
      try await eventually("the loss is noticed") {
        for _ in 0..<8 where try await gateway.http.post("/rpc/s/ping?_timeout=0.5").status != 200 { return false }
        return true
      }
      #expect(try await gateway.http.post("/rpc/s/stats").json["pid"].integer == Int(second.process.pid))
    }
  }

  @Test("publish to streams, and hear what is published")
  func pubsub() async throws {
    try await Rig.with { rig in
      let gateway = try await rig.gateway(
        """
        news:
          pattern: pubsub
          publish: { bind: "\(rig.directory.endpoint("out"))" }
          subscribe: { bind: "\(rig.directory.endpoint("in"))" }
        """)
      let peer = try await PythonPeer(
        "--dial", "--pubsub", rig.directory.endpoint("out"), "--publish", rig.directory.endpoint("in"))
      rig.cleanup.add { await peer.process.destroy() }
      let stream = try await gateway.http.events("/sub/news?topic=echo")
      defer { stream.close() }
      let publishing = Task {
        while !Task.isCancelled { _ = try await gateway.http.post("/pub/news/chat/say", #"["hi"]"#) }
      }
      defer { publishing.cancel() }
      while let event = try await stream.event() {
        guard event.json["method"] == "received" else { continue }
        #expect(event.json["args"][0] == "say")
        #expect(event.json["args"][1] == ["hi"])
        break
      }
    }
  }
}
