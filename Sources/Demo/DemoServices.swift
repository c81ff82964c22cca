public import Gateway
import Glibc
public import Logging
import MessagePack
import Reactor
import ZeroMQ
import ZeroMQRPC

/// Services to try a gateway with, in this process and reached over TCP on loopback like any other: `calc` (request-reply),
/// `jobs` (pipeline) and `news` (publish-subscribe).
///
/// They are written with the service side of `ZeroMQRPC`, so a Python aiozmq client can call them too.
public actor DemoServices {
  public nonisolated let unownedExecutor: UnownedSerialExecutor
  /// How a gateway reaches the services.
  public private(set) var services: [Configuration.Service] = []
  private let reactor: Reactor
  private let context: Context
  private let logger: Logger
  private var calc: RPCService?
  private var jobs: PipelineService?
  private var publisher: OneWayClient?
  private var relay: NewsRelay?

  private init(on reactor: Reactor, in context: Context, logger: Logger) {
    self.reactor = reactor
    self.context = context
    self.logger = logger
    unownedExecutor = reactor.asUnownedSerialExecutor()
  }

  /// Starts the three services on free ports.
  public static func start(logger: Logger) async throws -> DemoServices {
    let demo = DemoServices(on: try Reactor(name: "demo"), in: try Context(), logger: logger)
    try await demo.open()
    return demo
  }

  /// A free port of this machine.
  private static var anyPort: Endpoint { get throws { try Endpoint("tcp://127.0.0.1:*") } }

  private func open() async throws {
    let publisher = try OneWayClient(
      .publish, bind: [Self.anyPort], in: context, on: reactor.loop, logger: named("news"))
    self.publisher = publisher
    let calc = try await RPCService.start(Methods.calc, bind: [Self.anyPort], on: reactor, in: context) {
      $0.logger = named("calc")
      $0.grace = .zero
      $0.describes = true
    }
    self.calc = calc
    let done = Methods.jobs { [weak self] in await self?.publish("jobs", "done", $0) }
    let jobs = try await PipelineService.start(done, bind: [Self.anyPort], on: reactor, in: context) {
      $0.logger = named("jobs")
      $0.grace = .zero
    }
    self.jobs = jobs
    let news = try NewsRelay(at: Self.anyPort, in: context, on: reactor.loop, to: publisher, logger: named("news"))
    relay = news
    var subscribe = Configuration.Subscribe(connect: [publisher.bindings[0].inNumbers])
    // A restart of the demonstration is seen at once.
    subscribe.retry = .seconds(1)
    subscribe.last = .init()
    var rpc = Configuration.RPC(connect: [try await calc.transport.bindings[0].inNumbers])
    rpc.describe = true
    let everything = ["*"]
    services = [
      .init("calc", .rpc(rpc), methods: .init(safe: ["add", "div", "echo"])),
      .init(
        "jobs", .pipeline(.init(connect: [try await jobs.transport.bindings[0].inNumbers])),
        methods: .init(expose: everything + ["resize", "email"])),
      .init(
        "news", .pubsub(.init(publish: .init(connect: [news.endpoint]), subscribe: subscribe)),
        methods: .init(expose: everything + ["say"])),
    ]
  }

  /// The log, with the service's name on each line. Of connections the gateway tells.
  private func named(_ service: String) -> Logger {
    var logger = logger
    logger.logLevel = max(logger.logLevel, .error)
    logger[metadataKey: "service"] = "\(service)"
    return logger
  }

  /// Publishes a tick on `clock` every second, until the task is cancelled.
  public func run() async {
    for number in 1... {
      do { try await Task.sleep(for: .seconds(1)) } catch { return }
      publish("clock", "tick", [.int(Int64(number)), .string(Self.time())])
    }
  }

  private func publish(_ topic: String, _ method: String, _ arguments: [Value]) {
    guard let publisher else { return }
    do {
      var buffer = ByteBuffer()
      try Packer().pack(.array(arguments), into: &buffer)
      try Array(topic.utf8).withUnsafeBytes { topic in
        try Array(method.utf8).withUnsafeBytes { method in
          try CallFrames(arguments: 0..<buffer.count).withFrames(in: buffer) { arguments, keywords in
            try publisher.send(BorrowedCall(topic: topic, method: method, arguments: arguments, keywords: keywords))
          }
        }
      }
    } catch {
      // Nobody is connected, so nobody misses it: that is publishing.
      logger.debug("not published", metadata: ["topic": "\(topic)", "error": "\(error)"])
    }
  }

  /// Stops the services and their thread.
  public nonisolated func stop() async {
    await close()
    await reactor.stop()
    await context.close(within: .seconds(1))
  }

  private func close() async {
    await calc?.close()
    await jobs?.close()
    (calc, jobs) = (nil, nil)
    relay?.close()
    relay = nil
    publisher?.close()
    publisher = nil
  }

  private static func time() -> String {
    var now = Glibc.time(nil)
    var parts = tm()
    gmtime_r(&now, &parts)
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 32) { text in
      guard let start = text.baseAddress else { return "" }
      let count = strftime(start, text.count, "%Y-%m-%dT%H:%M:%SZ", &parts)
      return String(decoding: text.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
  }
}
