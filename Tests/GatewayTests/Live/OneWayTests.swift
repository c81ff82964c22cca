import Gateway
import Logging
import Reactor
import Support
import Testing
import ZeroMQ

/// Calls without replies: what arrives at the other side, frame by frame.
@Suite("live one-way calls", .inTurn(minutes: 3))
struct OneWayTests {
  @Test("PIPE-2: a push is accepted, and arrives as three frames")
  func push() async throws {
    try await Rig.with { rig in
      let worker = try await rig.wire(.pull)
      let gateway = try await rig.gateway(#"s: { pattern: pipeline, connect: ["\#(await worker.endpoint)"] }"#)
      let reply = try await gateway.accepted("/push/s/image.resize", #"{"args":[1],"kwargs":{"w":2}}"#)
      #expect(reply.status == 202)
      #expect(reply.body == #"{"accepted":true}"#)
      #expect(reply.headers["content-type"] == "application/json")
      #expect(try await worker.receive() == ["image.resize".bytes, [0x91, 1], [0x81, 0xA1, 0x77, 2]])
      _ = try await gateway.accepted("/push/s/x", "")
      #expect(try await worker.receive() == ["x".bytes, [0x90], [0x80]])
    }
  }

  @Test("PIPE-4: work is spread over the workers")
  func spread() async throws {
    try await Rig.with { rig in
      let workers = [
        try await rig.wire(.pull, bind: rig.directory.endpoint("a")),
        try await rig.wire(.pull, bind: rig.directory.endpoint("b")),
      ]
      let endpoints = "[\"\(await workers[0].endpoint)\", \"\(await workers[1].endpoint)\"]"
      let gateway = try await rig.gateway("s: { pattern: pipeline, connect: \(endpoints) }", threads: 1)
      try await eventually("both have work") {
        _ = try await gateway.accepted("/push/s/x", "[]")
        for worker in workers where await worker.waiting == 0 { return false }
        return true
      }
    }
  }

  @Test("an endpoint where something else answers does not hide the worker at another")
  func stranger() async throws {
    try await Rig.with { rig in
      let worker = try await rig.wire(.pull, bind: rig.directory.endpoint("a"))
      let stranger = try await rig.wire(.router, bind: rig.directory.endpoint("b"))
      let endpoints = "[\"\(await worker.endpoint)\", \"\(await stranger.endpoint)\"]"
      let gateway = try await rig.gateway("s: { pattern: pipeline, connect: \(endpoints) }", threads: 1)
      _ = try await gateway.accepted("/push/s/x", "[]")
      for _ in 0..<100 {
        let reply = try await gateway.http.post("/push/s/x", "[]")
        #expect(reply.status == 202)
      }
      await stranger.close()
      let second = try await rig.wire(.pull, bind: rig.directory.endpoint("b"))
      try await eventually("the other endpoint has work too") {
        _ = try await gateway.http.post("/push/s/x", "[]")
        return await second.waiting > 0
      }
    }
  }

  @Test(
    "without a peer a one-way call is refused as not sent, and works when one is there",
    arguments: [("pipeline", "/push/s/x"), ("pubsub", "/pub/s/t/x")])
  func noPeer(pattern: String, target: String) async throws {
    try await Rig.with { rig in
      let endpoint = rig.directory.endpoint("s")
      let connect = pattern == "pubsub" ? "publish: { connect: [\"\(endpoint)\"] }" : "connect: [\"\(endpoint)\"]"
      let gateway = try await rig.gateway("s: { pattern: \(pattern), \(connect) }")
      let reply = try await gateway.http.post(target, "[]")
      #expect(reply.status == 503)
      #expect(reply.json["code"] == "no-backend")
      #expect(reply.json["sent"] == false)
      #expect(reply.headers["retry-after"] == "1")
      let peer = try await rig.wire(pattern == "pubsub" ? .subscribe : .pull, bind: endpoint)
      let time = try await duration { _ = try await gateway.accepted(target, "[]") }
      #expect(time < .seconds(4))
      await peer.close()
      try await eventually("the loss is noticed") { try await gateway.http.post(target, "[]").status == 503 }
    }
  }

  @Test(
    "PUB-4: a topic is one segment of any bytes",
    arguments: [
      ("chat", "chat".bytes), ("-", []), ("%2D", "-".bytes), ("a%2Fb%20c", "a/b c".bytes), ("%ff%00", [255, 0]),
      ("%C3%A9", "é".bytes), ("--", "--".bytes), (String(repeating: "a", count: 245), .init(repeating: 97, count: 245)),
    ])
  func topic(segment: String, topic: [UInt8]) async throws {
    try await Rig.with { rig in
      let subscriber = try await rig.wire(.subscribe)
      try await subscriber.subscribe("")
      let gateway = try await rig.gateway(
        #"s: { pattern: pubsub, publish: { connect: ["\#(await subscriber.endpoint)"] } }"#, threads: 1)
      // What is published before the subscription has arrived is lost, as always with PUB.
      let publishing = Task {
        while !Task.isCancelled { _ = try await gateway.http.post("/pub/s/\(segment)/say", #"["hi"]"#) }
      }
      defer { publishing.cancel() }
      #expect(try await subscriber.receive() == [topic, "say".bytes, [0x91, 0xA2] + "hi".bytes, [0x80]])
    }
  }

  @Test(
    "a topic beyond 245 bytes, or with a broken escape, is refused",
    arguments: [String(repeating: "a", count: 246), "%zz", "", "."])
  func badTopic(segment: String) async throws {
    try await Rig.with { rig in
      let gateway = try await rig.gateway(#"s: { pattern: pubsub, publish: { connect: ["ipc:///nowhere/x"] } }"#)
      let reply = try await gateway.http.post("/pub/s/\(segment)/say", "[]")
      #expect(reply.status == 400)
      #expect(reply.json["code"] == "bad-target")
    }
  }

  @Test("only topics that begin with one of those offered can be published on")
  func offered() async throws {
    try await Rig.with { rig in
      let subscriber = try await rig.wire(.subscribe)
      try await subscriber.subscribe("")
      let gateway = try await rig.gateway(
        #"s: { pattern: pubsub, publish: { connect: ["\#(await subscriber.endpoint)"], topics: ["eu.", "é"] } }"#)
      for segment in ["eu", "us.x", "-", "EU.x", "%C3", "%ff", "e"] {
        let reply = try await gateway.http.post("/pub/s/\(segment)/say", "[]")
        #expect(reply.status == 404, "\(segment)")
        #expect(reply.json["code"] == "no-such-topic")
        #expect(reply.json["sent"] == false)
      }
      for segment in ["eu.", "eu.x%00%ff", "%C3%A9"] {
        #expect(try await gateway.accepted("/pub/s/\(segment)/say", "[]").status == 202, "\(segment)")
      }
    }
  }

  @Test(
    "a worker that reads nothing takes what libzmq holds for it, and not one job more; each that was accepted arrives")
  func full() async throws {
    try await Rig.with { rig in
      var small = SocketOptions()
      small.receiveHighWaterMark = 1
      small.heartbeat = .zero
      let worker = try await rig.wire(.pull, options: small)
      let gateway = try await rig.gateway(
        #"s: { pattern: pipeline, connect: ["\#(await worker.endpoint)"] }"#, threads: 1)
      _ = try await gateway.accepted("/push/s/first", "[]")
      #expect(try await worker.receive()[0] == "first".bytes)
      await worker.pause(true)
      let text = String(repeating: "x", count: 8_000)
      var accepted = 0
      var refused: HTTPReply?
      while refused == nil {
        let reply = try await gateway.http.post("/push/s/n\(accepted)", "[\"\(text)\"]")
        if reply.status == 202 { accepted += 1 } else { refused = reply }
      }
      #expect(accepted > 0)
      #expect(refused?.status == 503)
      #expect(refused?.json["code"] == "queue-full")
      #expect(refused?.json["sent"] == false)
      #expect(refused?.headers["retry-after"] == "1")
      await worker.pause(false)
      for number in 0..<accepted { #expect(try await worker.receive()[0] == "n\(number)".bytes) }
      // The refused one never comes: the next to come is the next that is accepted.
      try await eventually("room") { try await gateway.http.post("/push/s/last", "[]").status == 202 }
      #expect(try await worker.receive()[0] == "last".bytes)
    }
  }

  @Test("what was accepted arrives though the gateway stops, as slowly as its worker reads")
  func stopping() async throws {
    try await Rig.with { rig in
      let (worker, accepted, gateway, _) = try await backlog(rig, grace: "20s")
      let (_, _, other, _) = try await backlog(rig, grace: "700ms")
      async let stopped: Void = gateway.stop()
      try await eventually("it accepts no more") { (try? HTTPConnection(port: gateway.http.port)) == nil }
      // Its worker reads nothing either. It stops when its grace is over, which is longer than what libzmq gets in any case.
      await other.stop()
      #expect(gateway.ended.withLock { $0 } == nil)
      await worker.pause(false)
      for number in 0..<accepted { #expect(try await worker.receive()[0] == "n\(number)".bytes) }
      await stopped
    }
  }

  @Test("what a worker has not read when the grace is over is lost, and the log says so")
  func lost() async throws {
    try await Rig.with { rig in
      let (_, _, gateway, log) = try await backlog(rig, grace: "700ms")
      let time = await duration { await gateway.stop() }
      #expect(time >= .milliseconds(660))
      #expect(time < .seconds(5))
      #expect(log.lines.contains { $0.hasPrefix("warning: pushes or events that were accepted had not left") })
    }
  }

  /// A worker that reads nothing, and a gateway that has accepted messages for it, more than the kernel holds.
  private func backlog(
    _ rig: Rig, grace: String
  ) async throws -> (worker: WireSocket, accepted: Int, gateway: LiveGateway, log: RecordingLog) {
    var small = SocketOptions()
    small.receiveHighWaterMark = 1
    small.heartbeat = .zero
    // Not over ipc: with a mark as low as this, the worker's libzmq 4.3.4 loses the tail when the other side has closed.
    let worker = try await rig.wire(.pull, bind: "tcp://127.0.0.1:*", options: small)
    let log = RecordingLog()
    let configuration = try Configuration.load(
      yaml: """
        http: { listen: ["127.0.0.1:0"], threads: 1 }
        grace: \(grace)
        services: { s: { pattern: pipeline, connect: ["\(await worker.endpoint)"] } }
        """, file: "test.yaml")
    let gateway = LiveGateway(try await Gateway.start(configuration, logger: log.logger(.info)))
    rig.cleanup.add { await gateway.stop() }
    _ = try await gateway.accepted("/push/s/first", "[]")
    #expect(try await worker.receive()[0] == "first".bytes)
    await worker.pause(true)
    let text = String(repeating: "x", count: 50_000)
    for number in 0..<900 {
      #expect(try await gateway.http.post("/push/s/n\(number)", "[\"\(text)\"]").status == 202)
    }
    return (worker, 900, gateway, log)
  }

  @Test("a one-way call takes no deadline, and its body is checked as any other")
  func refused() async throws {
    try await Rig.with { rig in
      let gateway = try await rig.gateway(#"s: { pattern: pipeline, connect: ["ipc:///nowhere/x"] }"#)
      #expect(try await gateway.http.post("/push/s/x?_timeout=1", "[]").json["code"] == "unknown-parameter")
      #expect(try await gateway.http.post("/push/s/x", "[").json["code"] == "bad-json")
      #expect(try await gateway.http.post("/push/s/x", #"[{"$ext":[126,""]}]"#).status == 422)
      #expect(try await gateway.http.post("/push/s/x", "1").json["code"] == "bad-shape")
    }
  }
}

/// One-way calls that a Python service receives. `make test` sets ZMQ_GATEWAY_PYTHON.
@Suite("one-way calls to Python", .inTurn(minutes: 3), .enabled(if: Python.isThere, "\(Python.comment)"))
struct PythonOneWayTests {
  @Test("PIPE-1: a job runs in Python")
  func job() async throws {
    let live = try await Rig.shared.value
    _ = try await live.accepted("/push/jobs/live.job", #"{"args":[{"$bin":"AAE="},"é"],"kwargs":{"n":1.5}}"#)
    let call = try await live.received("pipeline", "live.job")
    #expect(call["args"] == [["$bin": "AAE="], "é"])
    #expect(call["kwargs"] == ["n": .number("1.5")])
  }

  @Test("PIPE-3: what a job raises is not the caller's business, and the next one runs")
  func failing() async throws {
    let live = try await Rig.shared.value
    #expect(try await live.accepted("/push/jobs/fail", #"["x"]"#).status == 202)
    #expect(try await live.accepted("/push/jobs/missing.method", "[]").status == 202)
    _ = try await live.accepted("/push/jobs/live.after", "[]")
    _ = try await live.received("pipeline", "live.after")
  }

  @Test("PUB-1: a published call reaches Python's subscriber, and what Python publishes a stream")
  func publish() async throws {
    let live = try await Rig.shared.value
    let stream = try await live.http.events("/sub/news?topic=echo")
    let publishing = Task {
      // Python publishes again on `echo` what it receives.
      while !Task.isCancelled { _ = try await live.http.post("/pub/news/chat/live.say", #"["hi",{"$bin":"/w=="}]"#) }
    }
    defer { publishing.cancel() }
    let event = try await stream.event(named: "")
    #expect(event?.json["topic"] == "echo")
    #expect(event?.json["method"] == "received")
    #expect(event?.json["args"] == ["live.say", ["hi", ["$bin": "/w=="]], [:]])
    let call = try await live.received("pubsub", "live.say")
    #expect(call["args"] == ["hi", ["$bin": "/w=="]])
  }

  @Test("PUB-1: dates that Python publishes are text in the stream")
  func dates() async throws {
    let live = try await Rig.shared.value
    let stream = try await live.http.events("/sub/news?topic=dates-live")
    let publishing = Task {
      while !Task.isCancelled {
        let when = try await live.http.post("/rpc/math/dates.sample", #"["datetime_utc"]"#)
        _ = try await live.http.post("/rpc/math/publish.send", #"["dates-live","m",[\#(when.body)]]"#)
      }
    }
    defer { publishing.cancel() }
    #expect(try await stream.event(named: "")?.json["args"] == ["2014-03-25T16:12:00+00:00"])
  }
}

extension LiveGateway {
  /// A one-way call, made again as long as no peer is connected.
  func accepted(_ target: String, _ body: String) async throws -> HTTPReply { try await connectedPost(target, body) }

  /// The call of that name that the Python service recorded.
  func received(_ kind: String, _ method: String) async throws -> JSON {
    try await eventually("\(method) in Python") {
      try await http.post("/rpc/math/received.\(kind)").json.elements.last { $0["method"] == .string(method) }
    }
  }
}
