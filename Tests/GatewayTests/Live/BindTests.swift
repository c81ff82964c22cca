import Gateway
import Logging
import MessagePack
import Support
import Testing
import ZeroMQ
import ZeroMQRPC

/// Services whose peers connect to the gateway, in front of two threads. The first service's socket is on the first one and the second's
/// on the second, so of two calls on one connection one crosses from thread to thread.
@Suite("peers that dial in", .timeLimit(.minutes(1)))
struct BindTests {
  private static let names = ["s", "t"]

  private func rpc(_ rig: Rig, _ more: String = "") -> String {
    Self.names.map { name in
      "\(name):\n  pattern: rpc\n  bind: [\"\(rig.directory.endpoint(name))\"]\n" + more.indented(by: 2)
    }.joined(separator: "\n")
  }

  private func dial(_ rig: Rig, _ kind: SocketKind, _ name: String) async throws -> WireSocket {
    let socket = try await WireSocket(kind, connect: rig.directory.endpoint(name))
    rig.cleanup.add { await socket.close() }
    return socket
  }

  /// A gateway, and for each service a backend that the test plays, connected.
  private func backends(_ rig: Rig, _ more: String = "", http: String = "") async throws -> (LiveGateway, [WireSocket])
  {
    let gateway = try await rig.gateway(rpc(rig, more), http: http)
    var sockets: [WireSocket] = []
    for name in Self.names { sockets.append(try await dial(rig, .router, name)) }
    try await isReady(gateway)
    return (gateway, sockets)
  }

  private func isReady(_ gateway: LiveGateway) async throws {
    try await eventually("all have dialled in") { try await gateway.http.get("/ready").status == 200 }
  }

  @Test("without one a call, a message or an event is refused as not sent, with the reason")
  func nobody() async throws {
    try await Rig.with { rig in
      let gateway = try await rig.gateway(
        rpc(rig) + "\n" + """
          a: { pattern: pipeline, bind: "\(rig.directory.endpoint("a"))" }
          b: { pattern: pipeline, bind: "\(rig.directory.endpoint("b"))" }
          n: { pattern: pubsub, publish: { bind: "\(rig.directory.endpoint("n"))" } }
          m: { pattern: pubsub, publish: { bind: "\(rig.directory.endpoint("m"))" } }
          """)
      let targets = ["/rpc/s/x", "/rpc/t/x", "/push/a/x", "/push/b/x", "/pub/n/t/x", "/pub/m/t/x"]
      for target in targets {
        let reply = try await gateway.http.post(target, "[1]")
        #expect(reply.status == 503, "\(target)")
        #expect(reply.json["code"] == "no-backend")
        #expect(reply.json["sent"] == false)
        #expect(reply.json["reason"] == "no-peer")
      }
      #expect(try await gateway.http.get("/ready").status == 503)
      let services = try await gateway.http.get("/ready?verbose").json["services"]
      #expect(services["s"]["endpoints"][0]["reason"] == "no-peer")
      #expect(services["s"]["endpoints"][0]["endpoint"].text == rig.directory.endpoint("s"))
    }
  }

  @Test("get calls of both threads, by their own numbers, and answer them")
  func calls() async throws {
    try await Rig.with { rig in
      let (gateway, sockets) = try await backends(rig)
      let connection = try HTTPConnection(port: gateway.http.port)
      defer { connection.disconnect() }
      for round in 0..<4 {
        for (name, socket) in zip(Self.names, sockets) {
          connection.send("POST", "/rpc/\(name)/m", headers: ["Content-Type": "application/json"], body: "[1]".bytes)
          let call = try await socket.call()
          #expect(call.method == "m")
          #expect(call.arguments == [0x91, 1])
          try await socket.answer(call, [UInt8(round)])
          let reply = try await offThread { try connection.reply() }
          #expect(reply.status == 200)
          #expect(reply.body == "\(round)")
        }
      }
    }
  }

  @Test("are told apart from a gone client: the place of its call is free again")
  func leaving() async throws {
    try await Rig.with { rig in
      let (gateway, sockets) = try await backends(rig, "in-flight: 1\ntimeout: 20s")
      for _ in 0..<2 {
        for (name, socket) in zip(Self.names, sockets) {
          let gone = try gateway.http.begin("POST", "/rpc/\(name)/m", headers: ["Content-Length": "0"])
          let call = try await socket.call()
          let refused = try await gateway.http.post("/rpc/\(name)/m")
          #expect(refused.status == 503)
          #expect(refused.json["code"] == "overloaded")
          #expect(refused.json["sent"] == false)
          gone.reset()
          let answering = Task { try await socket.answerNext(5) }
          try await eventually("the place is free") { try await gateway.http.post("/rpc/\(name)/m").status == 200 }
          try await answering.value
          try await socket.answer(call, [6])
        }
      }
    }
  }

  @Test("have their deadline: 504, whoever has the socket; and share a call that is given up with its last client")
  func deadlines() async throws {
    try await Rig.with { rig in
      let (gateway, sockets) = try await backends(
        rig, "methods: { safe: ['*'], settings: { get: { coalesce: true } } }")
      let connection = try HTTPConnection(port: gateway.http.port)
      defer { connection.disconnect() }
      for (name, socket) in zip(Self.names, sockets) {
        for target in ["/rpc/\(name)/m?_timeout=0.1", "/rpc/\(name)/get?_timeout=0.1"] {
          connection.send("GET", target)
          let reply = try await offThread { try connection.reply() }
          #expect(reply.status == 504, "\(target)")
          #expect(reply.json["code"] == "timeout")
          #expect(reply.json["sent"] == true)
          #expect(["backend-stalled", "method-slow"].contains(reply.json["diagnosis"]["verdict"]))
          let call = try await socket.call()
          // Late, and dropped.
          try await socket.answer(call, [1])
        }
      }
      try await eventually("the late replies") { await gateway.gateway.accounts.lateReplies.count == 4 }
    }
  }

  @Test("have results kept on each thread, which counts those that it gave again, whoever has the socket")
  func kept() async throws {
    try await Rig.with { rig in
      let (gateway, sockets) = try await backends(rig, "methods: { safe: ['*'], settings: { get: { keep: 1h } } }")
      let connection = try HTTPConnection(port: gateway.http.port)
      defer { connection.disconnect() }
      for (name, socket) in zip(Self.names, sockets) {
        for round in 0..<3 {
          connection.send("GET", "/rpc/\(name)/get")
          if round == 0 { try await socket.answerNext(7) }
          #expect(try await offThread { try connection.reply() }.body == "7")
        }
      }
      #expect(await gateway.gateway.accounts.keptResults == 4)
    }
  }

  @Test("that go end the calls of both threads at once, when the last one goes")
  func lost() async throws {
    try await Rig.with { rig in
      let (gateway, sockets) = try await backends(rig, "timeout: 20s")
      for (name, socket) in zip(Self.names, sockets) {
        let connections = try (0..<8).map { _ in
          try gateway.http.begin("POST", "/rpc/\(name)/m", headers: ["Content-Length": "0"])
        }
        for _ in connections { _ = try await socket.call() }
        await socket.close()
        for connection in connections {
          let reply = try await offThread { try connection.reply() }
          #expect(reply.status == 502)
          #expect(reply.json["code"] == "backend-lost")
          #expect(reply.json["sent"] == true)
          connection.disconnect()
        }
        #expect(try await gateway.http.post("/rpc/\(name)/m").json["code"] == "no-backend")
        let next = try await dial(rig, .router, name)
        let answering = Task { try await next.answerNext(1) }
        _ = try await gateway.connectedPost("/rpc/\(name)/m")
        try await answering.value
      }
    }
  }

  @Test("take messages of both threads: 202 when one has it, and 503 when all are gone")
  func messages() async throws {
    try await Rig.with { rig in
      let gateway = try await rig.gateway(
        Self.names.map { #"\#($0): { pattern: pipeline, bind: "\#(rig.directory.endpoint($0))" }"# }
          .joined(separator: "\n"))
      for name in Self.names {
        let worker = try await dial(rig, .pull, name)
        try await eventually("a message is taken") {
          try await gateway.http.post("/push/\(name)/m", "[1]").status == 202
        }
        _ = try await worker.receive()
        for number in 0..<8 {
          let reply = try await gateway.http.post("/push/\(name)/m", "[\(number)]")
          #expect(reply.status == 202)
          #expect(reply.body == #"{"accepted":true}"#)
          #expect(try await worker.receive() == ["m".bytes, [0x91, UInt8(number)], [0x80]])
        }
        let item = #"{"service":"\#(name)","method":"b"}"#
        let batch = try await gateway.http.post("/batch", "[\(item),\(item),\(item)]")
        #expect(batch.json.elements.map { $0["status"] } == [202, 202, 202])
        for _ in 0..<3 { #expect(try await worker.receive()[0] == "b".bytes) }
        for _ in 0..<4 {
          let reply = try await gateway.http.post("/push/\(name)/k", "[]", headers: ["Idempotency-Key": "one"])
          #expect(reply.status == 202)
        }
        #expect(try await worker.receive()[0] == "k".bytes)
        #expect(await worker.waiting == 0)
        await worker.close()
        try await eventually("the loss is noticed") {
          for _ in 0..<4 where try await gateway.http.post("/push/\(name)/m").status != 503 { return false }
          return true
        }
        let refused = try await gateway.http.post("/batch", "[\(item)]")
        #expect(refused.json[0]["status"] == 503)
        #expect(refused.json[0]["error"]["sent"] == false)
        let keyed = try await gateway.http.post("/push/\(name)/m", headers: ["Idempotency-Key": "two"])
        #expect(keyed.json["code"] == "no-backend")
      }
    }
  }

  @Test("that subscribe hear what both threads publish, and those that publish are streamed by both")
  func events() async throws {
    try await Rig.with { rig in
      let gateway = try await rig.gateway(
        Self.names.map { name in
          """
          \(name):
            pattern: pubsub
            publish: { bind: "\(rig.directory.endpoint("p" + name))" }
            subscribe: { bind: "\(rig.directory.endpoint(name))" }
          """
        }.joined(separator: "\n"))
      for name in Self.names {
        let subscriber = try await dial(rig, .subscribe, "p" + name)
        try await subscriber.subscribe("")
        let publishing = Task {
          while !Task.isCancelled { _ = try await gateway.http.post("/pub/\(name)/t/say", "[7]") }
        }
        #expect(try await subscriber.receive() == ["t".bytes, "say".bytes, [0x91, 7], [0x80]])
        publishing.cancel()
        _ = try? await publishing.value

        let streams = try await [
          gateway.http.events("/sub/\(name)?topic=a"), gateway.http.events("/sub/\(name)?topic=a"),
          gateway.http.events("/sub/\(name)?topic=a"),
        ]
        for stream in streams {
          #expect(try await stream.event(named: "upstream")?.json == ["state": "down", "connected": 0, "of": 1])
        }
        let publisher = try await dial(rig, .subscriptionAwarePublish, name)
        while try await publisher.subscription() != "+a" {}
        try await publisher.publish("a", "m", [1])
        for stream in streams {
          #expect(try await stream.event(named: "upstream")?.json == ["state": "up", "connected": 1, "of": 1])
          #expect(try await stream.event()?.json["method"] == "m")
        }
        await publisher.close()
        for stream in streams {
          #expect(try await stream.event(named: "upstream")?.json["state"] == "down")
          stream.close()
        }
      }
    }
  }

  @Test("are told of in the log: that nobody comes, who does not fit, that somebody comes, that the last one goes")
  func log() async throws {
    try await Rig.with { rig in
      let log = RecordingLog()
      let configuration = try Configuration.load(
        yaml: """
          http: { listen: ["127.0.0.1:0"], threads: 2 }
          services:
            s: { pattern: rpc, bind: "\(rig.directory.endpoint("s"))" }
            t: { pattern: pipeline, bind: "tcp://127.0.0.1:*" }
          """, file: "test.yaml")
      let gateway = LiveGateway(try await Gateway.start(configuration, logger: log.logger(.info)))
      rig.cleanup.add { await gateway.stop() }
      func lines(_ service: String) -> [String] { log.lines.filter { $0.contains("service=\(service)") } }
      let beginning = "info: bound, for peers that connect endpoint=tcp://127.0.0.1:"
      let first = try #require(lines("t").first)
      #expect(first.hasPrefix(beginning))
      #expect(Int(first.dropFirst(beginning.count).prefix { $0.isNumber }) ?? 0 > 0)
      try await eventually("a warning") { lines("s").last?.hasPrefix("warning: no connection: nobody has") == true }
      let wrong = try await dial(rig, .push, "s")
      try await eventually("another reason") {
        lines("s").last?.hasPrefix("warning: no connection: a peer came that does not go with it: rpc needs ROUTER")
          == true
      }
      #expect(try await gateway.http.post("/rpc/s/m").json["reason"] == "wrong-socket-type")
      let right = try await dial(rig, .router, "s")
      try await eventually("it is connected") { lines("s").last?.hasPrefix("notice: connected") == true }
      await right.close()
      try await eventually("it is gone") {
        lines("s").contains { $0.hasPrefix("warning: the last connection is lost; whoever connects next is used") }
      }
      await wrong.close()
    }
  }

  @Test("need an endpoint that is free: else the start fails, says whose it is, and leaves the others free")
  func inUse() async throws {
    try await Rig.with { rig in
      let taken = try await rig.wire(.pull, bind: "tcp://127.0.0.1:*")
      let endpoint = await taken.endpoint
      let path = rig.directory.endpoint("file")
      let first = try await rig.gateway(#"s: { pattern: rpc, bind: "\#(path)" }"#)
      let places = [(endpoint, "rpc"), (endpoint, "pipeline"), (path, "rpc")]
      for (number, (place, pattern)) in places.enumerated() {
        // libzmq lets go of an endpoint a moment after its socket has closed: each start has its own.
        let services = """
          free: { pattern: pipeline, bind: "\(rig.directory.endpoint("free\(number)"))" }
          jobs: { pattern: \(pattern), bind: "\(place)" }
          """
        do {
          _ = try await rig.gateway(services)
          Issue.record("\(place) was bound twice")
        } catch let error as UnusableService {
          #expect(error.service == "jobs")
          #expect(error.error.code == .addressInUse)
          #expect(error.description.contains(place))
        }
        let configuration = try Configuration.load(
          yaml: "services:\n" + services.indented(by: 2), file: "test.yaml")
        try await eventually("the other one is free") {
          await ConnectionCheck(configuration).run().map { $0.fault?.code } == [nil, .inUse]
        }
      }
      _ = first
    }
  }

  @Test("a stop waits for calls of both threads, and each has its answer")
  func stop() async throws {
    try await Rig.with { rig in
      let (gateway, sockets) = try await backends(rig, "timeout: 20s")
      let connections = try Self.names.flatMap { name in
        try (0..<4).map { _ in try gateway.http.begin("POST", "/rpc/\(name)/m", headers: ["Content-Length": "0"]) }
      }
      var calls: [[WireCall]] = []
      for socket in sockets {
        var own: [WireCall] = []
        for _ in 0..<4 { own.append(try await socket.call()) }
        calls.append(own)
      }
      async let stopped: Void = gateway.stop()
      try await eventually("the gateway stops") {
        (try? await gateway.http.get("/ready").status) != 200
      }
      for (socket, own) in zip(sockets, calls) { for call in own { try await socket.answer(call, [8]) } }
      for connection in connections {
        let reply = try await offThread { try connection.reply() }
        #expect(reply.status == 200)
        #expect(reply.body == "8")
        connection.disconnect()
      }
      await stopped
    }
  }
}

/// Real aiozmq services that connect to the gateway. `make test` sets ZMQ_GATEWAY_PYTHON.
@Suite("aiozmq services that dial in", .timeLimit(.minutes(1)), .enabled(if: Python.isThere, "\(Python.comment)"))
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
      try await eventually("both have dialled in") { try await gateway.http.get("/ready").status == 200 }
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
      try await eventually("each has messages") {
        var pids: Set<Int> = []
        for _ in 0..<2 {
          let received = try await gateway.http.post("/rpc/s/received.pipeline")
          if received.json.elements.count > 0 {
            pids.insert(try await gateway.http.post("/rpc/s/stats").json["pid"].integer ?? 0)
          }
        }
        return !pids.isEmpty
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
