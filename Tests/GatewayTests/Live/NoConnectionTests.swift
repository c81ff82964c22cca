import Foundation
import Gateway
import Logging
import Support
import Testing
import ZeroMQ

/// What is told of backends that are not there: in the log once for all threads, in `/ready?verbose`, and to callers.
@Suite("a backend that is not there", .inTurn(minutes: 3))
struct NoConnectionTests {
  private func start(
    _ rig: Rig, _ services: String, threads: Int = 2, listen: String = "127.0.0.1:0"
  ) async throws -> (log: RecordingLog, gateway: LiveGateway) {
    let log = RecordingLog()
    let configuration = try Configuration.load(
      yaml: """
        http: { listen: ["\(listen)"], threads: \(threads) }
        auth: none
        services:
        \(services.indented(by: 2))
        """, file: "test.yaml")
    let gateway = LiveGateway(try await Gateway.start(configuration, logger: log.logger(.info)))
    rig.cleanup.add { await gateway.stop() }
    return (log, gateway)
  }

  private func lines(_ log: RecordingLog, _ word: String) -> [String] { log.lines.filter { $0.contains(word) } }

  @Test("is told of once, with the reason, and its return once", arguments: [1, 2])
  func wrongSocket(threads: Int) async throws {
    try await Rig.with { rig in
      let endpoint = rig.directory.endpoint("s")
      let wrong = try await rig.wire(.pull, bind: endpoint)
      let (log, gateway) = try await start(
        rig, #"s: { pattern: rpc, connect: ["\#(endpoint)"] }"#, threads: threads)
      try await eventually("a warning") { !lines(log, "warning: no connection").isEmpty }
      let refused = try await gateway.http.post("/rpc/s/x", "[]")
      #expect(refused.status == 503)
      #expect(refused.json["code"] == "no-backend")
      #expect(refused.json["reason"] == "wrong-socket-type")
      #expect(!refused.body.contains(endpoint))
      let state = try await gateway.http.get("/ready?verbose").json["services"]["s"]["endpoints"][0]
      #expect(state["endpoint"].text == endpoint)
      #expect(state["role"] == "rpc")
      #expect(state["state"] == "down")
      #expect(state["reason"] == "wrong-socket-type")
      await wrong.close()
      let right = try await rig.wire(.router, bind: endpoint)
      try await eventually("it is back") { !lines(log, "notice: connected").isEmpty }
      let up = try await gateway.http.get("/ready?verbose").json["services"]["s"]["endpoints"][0]
      #expect(up["state"] == "up")
      #expect(up["reason"] == .null)
      await right.close()
      try await eventually("the loss and its reason") { lines(log, "warning: no connection").count == 2 }
      let about = log.lines.filter { $0.contains("service=s") }.map { $0.prefix { $0 != ";" && $0 != "=" } }
      // libzmq may leave the path of an ipc endpoint behind.
      #expect(
        about.last == "warning: no connection: there is no such path"
          || about.last == "warning: no connection: nobody listens there")
      #expect(
        about.dropLast() == [
          "warning: no connection: the peer is PULL, rpc needs ROUTER", "notice: connected endpoint",
          "warning: the last connection is lost",
        ])
    }
  }

  @Test("is told of to callers of each pattern, by the reason's code")
  func patterns() async throws {
    try await Rig.with { rig in
      let nobody = rig.directory.endpoint("nobody")
      let (log, gateway) = try await start(
        rig,
        """
        jobs: { pattern: pipeline, connect: ["\(nobody)"] }
        news: { pattern: pubsub, publish: { connect: ["\(nobody)"] }, subscribe: { connect: ["\(nobody)"] } }
        """)
      try await eventually("three warnings") { lines(log, "warning: no connection").count == 3 }
      for target in ["/push/jobs/x", "/pub/news/t/x"] {
        let reply = try await gateway.http.post(target, "[]")
        #expect(reply.status == 503)
        #expect(reply.json["reason"] == "no-such-path")
      }
      let news = try await gateway.http.get("/ready?verbose").json["services"]["news"]["endpoints"]
      #expect(news.elements.map { $0["role"] } == ["publish", "subscribe"])
      #expect(news.elements.map { $0["reason"] } == ["no-such-path", "no-such-path"])
    }
  }

  @Test("is told of without addresses where other machines can ask")
  func addresses() async throws {
    try await Rig.with { rig in
      let nobody = rig.directory.endpoint("nobody")
      let (log, gateway) = try await start(
        rig, #"s: { pattern: rpc, connect: ["\#(nobody)"] }"#, listen: "0.0.0.0:0")
      try await eventually("a warning") { !lines(log, "warning: no connection").isEmpty }
      let reply = try await gateway.http.get("/ready?verbose")
      #expect(
        reply.json["services"]["s"]["endpoints"][0] == ["role": "rpc", "state": "down", "reason": "no-such-path"])
      #expect(!reply.body.contains(nobody))
    }
  }

  @Test("a peer that libzmq connects and that can never answer is told of when calls are not answered, once")
  func deaf() async throws {
    try await Rig.with { rig in
      let peer = try await rig.wire(.reply, bind: rig.directory.endpoint("rep"))
      let (log, gateway) = try await start(
        rig, #"s: { pattern: rpc, connect: ["\#(await peer.endpoint)"], timeout: 50ms, breaker: off }"#, threads: 1)
      let line = "warning: calls are not answered: the peer is REP, rpc needs ROUTER"
      try await eventually("the line") {
        _ = try await gateway.http.post("/rpc/s/x", "[]")
        return !lines(log, line).isEmpty
      }
      for _ in 0..<6 { #expect(try await gateway.http.post("/rpc/s/x", "[]").status == 504) }
      #expect(lines(log, line).count == 1)
    }
  }

  @Test("one of two that is lost is a notice, the last one a warning")
  func last() async throws {
    try await Rig.with { rig in
      let (a, b) = (rig.directory.endpoint("a"), rig.directory.endpoint("b"))
      let (first, second) = (try await rig.wire(.router, bind: a), try await rig.wire(.router, bind: b))
      let (log, _) = try await start(rig, #"s: { pattern: rpc, connect: ["\#(a)", "\#(b)"] }"#)
      try await eventually("both") { lines(log, "info: connected").count == 2 }
      await first.close()
      try await eventually("the first loss") { !lines(log, "notice: a connection is lost endpoint=\(a)").isEmpty }
      await second.close()
      try await eventually("the last") { !lines(log, "warning: the last connection is lost").isEmpty }
    }
  }

  @Test("the check finds the same as the gateway")
  func check() async throws {
    try await Rig.with { rig in
      let (right, wrong, nobody) = (
        rig.directory.endpoint("r"), rig.directory.endpoint("w"), rig.directory.endpoint("n")
      )
      _ = try await rig.wire(.router, bind: right)
      _ = try await rig.wire(.pull, bind: wrong)
      let (rep, dealer, bound) = (rig.directory.endpoint("p"), rig.directory.endpoint("d"), rig.directory.endpoint("b"))
      _ = try await rig.wire(.reply, bind: rep)
      // It answers if it speaks the protocol by itself, which cannot be seen.
      _ = try await rig.wire(.dealer, bind: dealer)
      let configuration = try Configuration.load(
        yaml: """
          services:
            s: { pattern: rpc, connect: ["\(right)", "\(wrong)", "\(nobody)"] }
            news: { pattern: pubsub, publish: { connect: ["\(wrong)"] } }
            t: { pattern: rpc, connect: ["\(rep)", "\(dealer)"] }
            u: { pattern: rpc, bind: ["\(bound)"] }
          """, file: "test.yaml")
      let outcomes = await ConnectionCheck(configuration).run()
      #expect(outcomes.map(\.service) == ["s", "s", "s", "news", "t", "t", "u"])
      #expect(outcomes.map(\.endpoint.description) == [right, wrong, nobody, wrong, rep, dealer, bound])
      let wrongKind = ConnectFault.Code.wrongSocketType
      #expect(outcomes.map { $0.fault?.code } == [nil, wrongKind, .noSuchPath, wrongKind, wrongKind, nil, nil])
      // A look leaves nothing behind.
      let names = try FileManager.default.contentsOfDirectory(atPath: rig.directory.path)
      #expect(!names.contains { bound.hasSuffix("/" + $0) })
    }
  }
}
