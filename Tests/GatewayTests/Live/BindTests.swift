import Gateway
import Logging
import MessagePack
import Support
import Testing
import ZeroMQ
import ZeroMQRPC

/// What passes between callers and services whose peers connect to the gateway (`BoundServices`).
@Suite("peers that dial in", .inTurn(minutes: 3))
struct BindTests {
  @Test("without one a call, a message or an event is refused as not sent, with the reason")
  func nobody() async throws {
    try await Rig.with { rig in
      let gateway = try await rig.gateway(
        BoundServices.rpc(rig) + "\n" + """
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
      let (gateway, sockets) = try await BoundServices.backends(rig)
      let connection = try HTTPConnection(port: gateway.http.port)
      defer { connection.disconnect() }
      for round in 0..<4 {
        for (name, socket) in zip(BoundServices.names, sockets) {
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
      let (gateway, sockets) = try await BoundServices.backends(rig, "in-flight: 1\ntimeout: 20s")
      for _ in 0..<2 {
        for (name, socket) in zip(BoundServices.names, sockets) {
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
      let (gateway, sockets) = try await BoundServices.backends(
        rig, "methods: { safe: ['*'], settings: { get: { coalesce: true } } }")
      let connection = try HTTPConnection(port: gateway.http.port)
      defer { connection.disconnect() }
      for (name, socket) in zip(BoundServices.names, sockets) {
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
      let (gateway, sockets) = try await BoundServices.backends(
        rig, "methods: { safe: ['*'], settings: { get: { keep: 1h } } }")
      let connection = try HTTPConnection(port: gateway.http.port)
      defer { connection.disconnect() }
      for (name, socket) in zip(BoundServices.names, sockets) {
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
      let (gateway, sockets) = try await BoundServices.backends(rig, "timeout: 20s")
      for (name, socket) in zip(BoundServices.names, sockets) {
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
        let next = try await rig.dial(.router, name)
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
        BoundServices.names.map { #"\#($0): { pattern: pipeline, bind: "\#(rig.directory.endpoint($0))" }"# }
          .joined(separator: "\n"))
      for name in BoundServices.names {
        let worker = try await rig.dial(.pull, name)
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
        BoundServices.names.map { name in
          """
          \(name):
            pattern: pubsub
            publish: { bind: "\(rig.directory.endpoint("p" + name))" }
            subscribe: { bind: "\(rig.directory.endpoint(name))" }
          """
        }.joined(separator: "\n"))
      for name in BoundServices.names {
        let subscriber = try await rig.dial(.subscribe, "p" + name)
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
        let publisher = try await rig.dial(.subscriptionAwarePublish, name)
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
}
