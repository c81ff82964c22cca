import Demo
import Gateway
import GatewaySecurity
import MessagePack
import Reactor
import Support
import ZeroMQ
import ZeroMQRPC

/// The gateways from which every documented answer can be got, in front of the demonstration services and some that misbehave.
struct Stage: Sendable {
  let cleanup: Cleanup
  let directory: TemporaryDirectory
  /// Nothing special.
  let usual: LiveGateway
  /// Waits 100 ms for a body.
  let impatient: LiveGateway
  /// Its only connection is taken.
  let crowded: LiveGateway
  /// About to stop.
  let draining: DrainingGateway
  /// Asks for a key, and lets nobody do anything.
  let guarded: LiveGateway
  /// Asks for a key, and lets everybody who has it do everything.
  let keyed: LiveGateway
  /// Asks for a key, and then a service that is not there.
  let undecided: LiveGateway
  /// Asks for a key, and lets each address send one request in an hour without.
  let limited: LiveGateway
  /// Lets a client have one stream, which it has.
  let streaming: LiveGateway
  /// The key that it knows.
  let key: APIKey
  /// Calls that are under way until the end.
  let fillers = Guarded<[HTTPConnection]>([])

  static func with(_ body: (Stage) async throws -> Void) async throws {
    try await Cleanup.with { try await body(try await Stage($0)) }
  }

  private init(_ cleanup: Cleanup) async throws {
    self.cleanup = cleanup
    let directory = try TemporaryDirectory()
    self.directory = directory
    let fillers = fillers
    cleanup.add { _ = directory }
    let demo = try await DemoServices.start(logger: Rig.logger)
    cleanup.add { await demo.stop() }
    let clock = Task { await demo.run() }
    cleanup.add { clock.cancel() }
    let misfits = try await Misfits(in: directory, cleanup)
    let demonstration = await demo.services
    func gateway(
      _ limits: String = "{}", chunked: String = "auto", auth: String = "{}", clients: String = "{}"
    ) async throws -> LiveGateway {
      let http = #"http: { listen: ["127.0.0.1:0"], threads: 1, chunked: \#(chunked), limits: \#(limits) }"#
      let yaml = "\(http)\nauth: \(auth)\nlimits: \(clients)\ngrace: 60s\nservices:\n\(misfits.yaml.indented(by: 2))"
      var configuration = try Configuration.load(yaml: yaml, file: "stage.yaml")
      configuration.services += demonstration
      let live = LiveGateway(try await Gateway.start(configuration, logger: Rig.logger))
      cleanup.add { await live.stop() }
      return live
    }
    usual = try await gateway()
    impatient = try await gateway("{ read-timeout: 100ms }", chunked: "refuse")
    key = APIKey.random()
    let keys = try directory.file("keys.yaml", "\(key.digest.hex): { subject: nobody }\n")
    guarded = try await gateway(auth: "{ keys: { file: \"\(keys)\" }, rules: [{ allow: { subject: somebody } }] }")
    keyed = try await gateway(auth: "{ keys: { file: \"\(keys)\" } }")
    undecided = try await gateway(auth: "{ keys: { file: \"\(keys)\" }, decision: { service: absent } }")
    limited = try await gateway(
      auth: "{ keys: { file: \"\(keys)\" } }", clients: "{ rate: 1/h, burst: 1, per: address }")
    streaming = try await gateway(clients: "{ streams: 1 }")
    let streamed = try await streaming.http.events("/sub/news?topic=clock")
    cleanup.add { streamed.close() }
    crowded = try await gateway("{ connections: 1, read-timeout: 1m }")
    let only = try HTTPConnection(port: crowded.http.port)
    cleanup.add { only.disconnect() }
    draining = try await DrainingGateway(try await gateway("{ read-timeout: 1m }"), connections: 30, cleanup)
    cleanup.add {
      for filler in fillers.withLock({ $0 }) { filler.disconnect() }
    }
    for (target, body) in [
      ("/rpc/calc/add", "[1,2]"), ("/rpc/faulty/raise", #"["x"]"#), ("/push/jobs/resize", "[]"),
      ("/pub/news/chat/say", "[]"),
    ] {
      try await usual.isConnected(target, body)
    }
    try await eventually("a last event") { try await usual.http.get("/sub/news/last?topic=clock").status == 200 }
  }

  /// Sends a request until the answer is another one than "no backend": the connection may need a moment.
  func connected(_ request: Request, to gateway: LiveGateway) async throws -> HTTPReply {
    try await eventually("a backend for \(request.target)") {
      let reply = try await request.sent(to: gateway)
      return reply.headers["gateway-error"] == "no-backend" ? nil : reply
    }
  }
}
