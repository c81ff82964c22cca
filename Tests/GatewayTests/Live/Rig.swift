import HTTPServer
import Logging
import MessagePack
import Reactor
import Support
import Testing
import Tracing
import ZeroMQ

@testable import Gateway

/// What a live test works with: gateways, real services behind them, clients. All of it is ended with the test.
struct Rig {
  let cleanup: Cleanup
  /// Endpoints are files here: a port that one test gives up may be the next one's.
  let directory: TemporaryDirectory

  /// Runs a test with a rig of its own.
  static func with(_ body: (Rig) async throws -> Void) async throws {
    let directory = try TemporaryDirectory()
    try await Cleanup.with { try await body(Rig(cleanup: $0, directory: directory)) }
  }

  /// Starts a gateway with the services of that YAML, on a port of its own.
  func gateway(
    _ services: String, http: String = "", auth: String = "{}", threads: Int = 2, grace: String = "10s",
    listen: String = "127.0.0.1:0", limits: String = "{}", more: String = "", tracer: (any Tracer)? = nil,
    logger: Logger = Rig.logger
  ) async throws -> LiveGateway {
    let yaml = """
      http:
        listen: ["\(listen)"]
        threads: \(threads)
      \(http.indented(by: 2))
      auth: \(auth)
      limits: \(limits)
      grace: \(grace)
      \(more)
      services:
      \(services.indented(by: 2))
      """
    let configuration = try Configuration.load(yaml: yaml, file: "test.yaml")
    let gateway = try await Gateway.start(configuration, tracer: tracer, logger: logger)
    let live = LiveGateway(gateway, configuration)
    cleanup.add { await live.stop() }
    return live
  }

  /// A publisher that the test plays and that learns of subscriptions, and a gateway that streams it as `s`. What the gateway
  /// subscribes to from the start, for its history, the publisher has learned already.
  func publisher(
    _ more: String = "", http: String = "", threads: Int = 2, grace: String = "10s"
  ) async throws -> (publisher: WireSocket, gateway: LiveGateway) {
    let publisher = try await wire(.subscriptionAwarePublish)
    let gateway = try await gateway(
      """
      s:
        pattern: pubsub
        subscribe:
          connect: ["\(await publisher.endpoint)"]
      \(more.indented(by: 4))
      """, http: http, threads: threads, grace: grace)
    for _ in gateway.subscribedFromTheStart { _ = try await publisher.subscription() }
    return (publisher, gateway)
  }

  /// Starts a Python service of its own.
  func python() async throws -> PythonPeer {
    let peer = try await PythonPeer()
    cleanup.add { await peer.process.destroy() }
    return peer
  }

  /// Opens a socket that the test drives itself.
  func wire(
    _ kind: SocketKind, bind endpoint: String? = nil, options: SocketOptions = .init()
  ) async throws -> WireSocket {
    let socket = try await WireSocket(kind, bind: endpoint ?? directory.endpoint("s"), options: options)
    cleanup.add { await socket.close() }
    return socket
  }

  /// A backend that the test plays, and a gateway that calls it as `s`, connected. Calls have half a minute, unless `more` says how long.
  func backend(
    _ more: String = "", http: String = "", threads: Int = 1, grace: String = "10s"
  ) async throws -> (backend: WireSocket, gateway: LiveGateway) {
    let backend = try await wire(.router)
    let gateway = try await gateway(
      """
      s:
        pattern: rpc
        connect: ["\(await backend.endpoint)"]
      \((more.contains("timeout") ? more : "timeout: 30s\n\(more)").indented(by: 2))
      """, http: http, threads: threads, grace: grace)
    try await gateway.reaches(backend)
    return (backend, gateway)
  }

  static let logger: Logger = {
    var logger = Logger(label: "live")
    logger.logLevel = .critical
    return logger
  }()
}

/// A gateway and a client for it.
final class LiveGateway: Sendable {
  let gateway: Gateway
  let http: HTTPClient
  /// What it was started with; nil where that is not known here.
  let configuration: Configuration?
  /// The topics of the service `s` to which the gateway subscribes whether a stream asks for them or not.
  let subscribedFromTheStart: [String]
  /// What became of all requests, when it has stopped.
  let ended = Guarded<Accounts?>(nil)
  private let isStopped = Guarded(false)

  init(_ gateway: Gateway, _ configuration: Configuration? = nil) {
    self.gateway = gateway
    self.configuration = configuration
    if case .pubsub(let pubsub)? = configuration?.services.first(where: { $0.name == "s" })?.pattern,
      let subscribe = pubsub.subscribe, subscribe.keepsEvents
    {
      subscribedFromTheStart = subscribe.topics
    } else {
      subscribedFromTheStart = []
    }
    http = HTTPClient(port: gateway.addresses[0].port)
  }

  /// Stops it, once.
  func stop() async { _ = await accountsAtStop() }

  /// Stops it. Returns what has become of all requests; nil when it has been stopped before.
  func accountsAtStop() async -> Accounts? {
    let first = isStopped.withLock { isStopped in
      defer { isStopped = true }
      return !isStopped
    }
    guard first else { return nil }
    let accounts = await gateway.stop()
    ended.withLock { $0 = accounts }
    // However a test ends, each request has ended in exactly one way.
    #expect(accounts.underWay == 0, "\(accounts)")
    #expect(accounts.calls.underWay == 0, "\(accounts)")
    // And each event has ended in exactly one way for each stream.
    for (service, events) in accounts.eventsOfServices { #expect(events.areBalanced, "\(service): \(events)") }
    return accounts
  }

  /// Waits until a call of the service `s` arrives at a backend that the test plays, and answers it.
  func reaches(_ backend: WireSocket) async throws {
    var answering = Task { try await backend.answerNext(.nil) }
    try await eventually("a call at the backend") {
      let status = try await http.post("/rpc/s/hello").status
      // The answer came too late, on a busy machine: the next call needs one as well.
      if status == 504 { answering = Task { try await backend.answerNext(.nil) } }
      return status == 200
    }
    try await answering.value
  }

  /// A call that is made again as long as its shard is not connected to a backend.
  func connectedPost(_ target: String, _ body: String = "") async throws -> HTTPReply {
    try await eventually("a backend behind \(target)") {
      let reply = try await http.post(target, body)
      return reply.headers["gateway-error"] == "no-backend" ? nil : reply
    }
  }

  /// Waits until each shard has a backend for the service: so many calls in a row, spread over the shards, find one.
  func isConnected(_ target: String, _ body: String = "[]") async throws {
    try await eventually("a backend behind \(target)") {
      for _ in 0..<8 where try await http.post(target, body).status == 503 { return false }
      return true
    }
  }
}

extension String {
  func indented(by count: Int) -> String {
    split(separator: "\n").map { String(repeating: " ", count: count) + $0 }.joined(separator: "\n")
  }

  var bytes: [UInt8] { Array(utf8) }
}

extension SocketKind {
  /// XPUB: a publisher that receives `\u{1}topic` and `\u{0}topic` as subscriptions come and go.
  static let subscriptionAwarePublish = SocketKind(rawValue: 9)
}

extension WireSocket {
  /// Publishes a call.
  func publish(_ topic: String, _ method: String, _ arguments: [Value] = []) throws {
    try send([topic.bytes, method.bytes, Value.array(arguments).packed, [0x80]])
  }

  /// The next subscription or its end, as `+topic` or `-topic`.
  func subscription() async throws -> String {
    let frames = try await receive()
    return (frames[0].first == 1 ? "+" : "-") + String(decoding: frames[0].dropFirst(), as: UTF8.self)
  }

  /// Waits for a call and answers it.
  func answerNext(_ result: Value) async throws { try answer(try await call(), result.packed) }
}

extension Value {
  /// The value as MessagePack.
  var packed: [UInt8] {
    var buffer = ByteBuffer()
    try? Packer(limits: .init(depth: 1_000)).pack(self, into: &buffer)
    return buffer.withUnsafeBytes { Array($0) }
  }
}
