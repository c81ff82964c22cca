import MessagePack
import Reactor
import Support
import Testing
import ZeroMQ
import ZeroMQRPC

@Suite("clients of services that are not open to everybody", .inTurn(minutes: 3)) struct ClientSecurityTests {
  private var methods: Methods {
    var methods = Methods()
    methods.add("add", "a", "b") { (a: Int, b: Int) in a + b }
    return methods
  }

  private static func texts(_ pair: CurveKeyPair) -> [JSON] {
    [.string("\(pair.publicKey)"), .string(pair.secretKey.text)]
  }

  @Test(
    "a service of CURVE or PLAIN answers who shows the right key or password; the calls of others never leave",
    arguments: [true, false])
  func rpc(isCurve: Bool) async throws {
    try await ClientBench.with { bench in
      let (server, known, unknown) = (try CurveKeyPair(), try CurveKeyPair(), try CurveKeyPair())
      let authenticator = try await Authenticator.open(in: bench.context, on: bench.reactor)
      bench.cleanup.add { await authenticator.close() }
      await authenticator.allow(AllowList(keys: [known.publicKey: "alice"], passwords: ["alice": "secret"]), in: "d")
      let service = try await RPCService.start(
        methods, bind: ["tcp://127.0.0.1:*"], on: bench.reactor, in: bench.context
      ) {
        $0.grace = .zero
        $0.socket.security = isCurve ? .curveServer(server, domain: "d") : .plainServer(domain: "d")
      }
      bench.cleanup.add { await service.close() }
      let endpoint = try await service.transport.bindings[0].description
      func client(_ pair: CurveKeyPair, _ password: Password) async throws -> RPCClient {
        try await bench.client([endpoint], timeout: .seconds(20)) {
          $0.security =
            isCurve ? .curve(pair, server: server.publicKey) : .plain(user: "alice", password: password)
        }
      }
      let stranger = try await client(unknown, "wrong").withTimeout(.milliseconds(100))
      #expect(try await failure { try await stranger.call.add(1, 2) } == CallFailure(.queueTimeout, sent: false))
      let open = try await bench.client([endpoint], timeout: .milliseconds(100))
      #expect(try await failure { try await open.call.add(1, 2) } == CallFailure(.queueTimeout, sent: false))
      #expect(try await client(known, "secret").call.add(1, 2) == 3)
    }
  }

  @Test("workers and subscribers of CURVE hear who knows their key") func oneWay() async throws {
    try await ClientBench.with { bench in
      let (server, own, came) = (try CurveKeyPair(), try CurveKeyPair(), Tally())
      var methods = Methods()
      methods.add("come") { came.countUp() }
      func guarded(_ options: inout ServiceOptions) {
        options.grace = .zero
        options.socket.security = .curveServer(server, domain: nil)
      }
      let worker = try await PipelineService.start(
        methods, bind: ["tcp://127.0.0.1:*"], on: bench.reactor, in: bench.context, guarded)
      let feed = try await PubSubService.start(
        methods, subscribe: [""], bind: ["tcp://127.0.0.1:*"], on: bench.reactor, in: bench.context, guarded)
      bench.cleanup.add {
        await worker.close()
        await feed.close()
      }
      func shown(_ options: inout OneWayClientOptions) { options.security = .curve(own, server: server.publicKey) }
      let jobs = try await PipelineClient.connect(
        [try await worker.transport.bindings[0]], timeout: .seconds(20), on: bench.reactor, in: bench.context, shown)
      let news = try await PubSubClient.connect(
        [try await feed.transport.bindings[0]], on: bench.reactor, in: bench.context, shown)
      bench.cleanup.add {
        await jobs.close()
        await news.close()
      }
      try await jobs.notify.come()
      await came.reaches(1)
      try await news.waitForSubscriber(of: "x", within: .seconds(20))
      try await news.publish("x").come()
      await came.reaches(2)
    }
  }

  @Test("a client calls aiozmq's service over CURVE", .enabled(if: Python.isThere, "\(Python.comment)"))
  func python() async throws {
    try await ClientBench.with { bench in
      let (server, own) = (try CurveKeyPair(), try CurveKeyPair())
      let process = try Python.start("peer_curve.py", Self.texts(server).compactMap(\.text))
      bench.cleanup.add { await process.destroy() }
      let line = try await process.line()
      let endpoint = try #require(line.flatMap { JSON($0) }?["rpc"].text)
      let client = try await bench.client([endpoint], timeout: .seconds(20)) {
        $0.security = .curve(own, server: server.publicKey)
      }
      #expect(try await client.call.add(1, b: 2) == 3)
    }
  }
}
