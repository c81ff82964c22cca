import MessagePack
import Reactor
public import ServiceLifecycle
import Support
import Testing
import ZeroMQ

@testable import ZeroMQRPC

extension RPCService: Service {}

/// From the start of a service to its end.
@Suite("a service", .inTurn(minutes: 3)) struct ServiceLifeTests {
  /// A method that answers, one that waits for a gate, and one that waits until it is cancelled.
  static func methods(_ entered: Tally = Tally(), _ cancelled: Tally = Tally(), gate: Tally = Tally())
    -> Methods
  {
    var methods = Methods()
    methods.add("ping") { "pong" }
    methods.add("wait") {
      entered.countUp()
      await gate.reaches(1)
      return "done"
    }
    methods.add("sleep") {
      entered.countUp()
      do { try await Task.sleep(for: .seconds(3_600)) } catch {
        cancelled.countUp()
        throw error
      }
    }
    return methods
  }

  /// A call over a connection of its own.
  private func ping(_ endpoint: String, in context: Context? = nil) async throws {
    let client = try await WireSocket(.dealer, connect: endpoint, in: context)
    try await client.sendSoon(ServiceBench.request(3, "ping"))
    #expect(try await client.reply().value == "pong")
    await client.close()
  }

  @Test("RPC-9, SERV-1, SERV-2: listens at several endpoints, and at more while it runs, inproc too")
  func endpoints() async throws {
    let directory = try TemporaryDirectory()
    try await ServiceBench.with(Self.methods(), at: "tcp://127.0.0.1:*") { bench in
      let transport = try await bench.service.transport
      let ipc = try await transport.bind(directory.endpoint("more"))
      let local = try await transport.bind("tcp://localhost:*")
      try await transport.bind("inproc://service")
      #expect(try await transport.bindings.count == 4)
      for endpoint in [bench.endpoint, ipc.description, local.description] { try await ping(endpoint) }
      try await ping("inproc://service", in: bench.context)
      try await transport.unbind(ipc)
      #expect(try await transport.bindings.count == 3)
      await #expect(throws: (any Error).self) { try await transport.unbind(ipc) }
      #expect(try await transport.option(.ipv6))
      try await transport.unbind("tcp://localhost:\(local.description.split(separator: ":").last ?? "")")
      #expect(try await transport.bindings.count == 2)
    }
  }

  @Test("RPC-6: connects to a client that has bound, and leaves it")
  func connects() async throws {
    let client = try await WireSocket(.dealer, bind: "tcp://127.0.0.1:*")
    let endpoint = await client.endpoint
    try await Cleanup.with { cleanup in
      cleanup.add { await client.close() }
      let reactor = try Reactor(name: "service")
      cleanup.add { await reactor.stop() }
      let service = try await RPCService.start(Self.methods(), connect: [endpoint], on: reactor, in: Context())
      cleanup.add { await service.close() }
      try await client.sendSoon(ServiceBench.request(3, "ping"))
      #expect(try await client.reply().value == "pong")
      try await service.transport.disconnect(endpoint)
      await #expect(throws: (any Error).self) { try await service.transport.disconnect(endpoint) }
      try await service.transport.connect(endpoint)
      // What libzmq hands to the connection that was left, before it knows, is lost: so it asks until it is answered.
      try await eventually("an answer over the new connection") {
        try await client.send(ServiceBench.request(4, "ping"))
        return await client.waiting > 0
      }
      #expect(try await client.reply().number == 4)
    }
  }

  @Test("SERV-3, RPC-18: close lets methods end and be answered, takes no more, and cancels after the grace")
  func closes() async throws {
    let (entered, gate) = (Tally(), Tally())
    try await ServiceBench.with(
      Self.methods(entered, gate: gate), at: "tcp://127.0.0.1:*", options: { $0.grace = .seconds(60) }
    ) {
      bench in
      let client = try await bench.client()
      try await client.sendSoon(ServiceBench.request(1, "wait"))
      await entered.reaches(1)
      await bench.service.close()
      await bench.service.close()
      await #expect(throws: ServiceError.self) { try await bench.service.transport }
      try await client.sendSoon(ServiceBench.request(2, "ping"))
      #expect(await bench.service.counters.running == 1)
      gate.countUp()
      #expect(try await client.reply().value == "done")
      await bench.service.waitClosed()
      await bench.service.waitClosed()
      #expect(await client.waiting == 0)
      #expect(await bench.service.counters == ServiceCounters())
    }
  }

  @Test("RPC-18: what is not done at the end of the grace is cancelled, and nobody is answered")
  func grace() async throws {
    let (entered, cancelled, clock) = (Tally(), Tally(), ManualClock())
    try await ServiceBench.with(Self.methods(entered, cancelled), clock: clock, options: { $0.grace = .seconds(2) }) {
      bench in
      let client = try await bench.client()
      try await client.sendSoon(ServiceBench.request(1, "sleep"))
      await entered.reaches(1)
      await bench.service.close()
      clock.advance(by: .milliseconds(1_999))
      bench.reactor.wake()
      #expect(await bench.service.counters.running == 1)
      #expect(cancelled.count == 0)
      clock.advance(by: .milliseconds(2))
      bench.reactor.wake()
      await cancelled.reaches(1)
      await bench.service.waitClosed()
      #expect(await client.waiting == 0)
    }
  }

  @Test("SERV-8: runs until it is closed", arguments: [false, true])
  func run(beforehand: Bool) async throws {
    try await ServiceBench.with(Self.methods()) { bench in
      if beforehand { await bench.service.close() }
      async let run: Void = bench.service.run()
      if !beforehand {
        try await ping(bench.endpoint)
        await bench.service.close()
      }
      try await run
    }
  }

  @Test("SERV-8: runs until its task is cancelled, or was before")
  func cancelled() async throws {
    try await ServiceBench.with(Self.methods()) { bench in
      let task = Task { try await bench.service.run() }
      task.cancel()
      try await task.value
      await #expect(throws: ServiceError.self) { try await bench.service.transport }
    }
  }

  @Test("SERV-8: is a Service of swift-service-lifecycle as it is")
  func lifecycle() async throws {
    try await ServiceBench.with(Self.methods()) { bench in
      let service = try #require(bench.service as? RPCService)
      let group = ServiceGroup(services: [service], logger: RecordingLog().logger())
      let running = Task { try await group.run() }
      try await ping(bench.endpoint)
      running.cancel()
      _ = await running.result
      await service.waitClosed()
    }
  }

  /// As `docs/rpc.md` says.
  private struct Graceful: Service {
    let service: RPCService
    func run() async throws { try await cancelWhenGracefulShutdown { try await service.run() } }
  }

  @Test("SERV-8: ends with the graceful shutdown of a group that it is asked to, and answers what runs")
  func graceful() async throws {
    let (entered, gate) = (Tally(), Tally())
    try await ServiceBench.with(Self.methods(entered, gate: gate), options: { $0.grace = .seconds(60) }) { bench in
      let service = try #require(bench.service as? RPCService)
      let group = ServiceGroup(services: [Graceful(service: service)], logger: RecordingLog().logger())
      let running = Task { try await group.run() }
      let client = try await bench.client()
      try await client.sendSoon(ServiceBench.request(1, "wait"))
      await entered.reaches(1)
      await group.triggerGracefulShutdown()
      try await eventually("it closes") { (try? await service.transport) == nil }
      gate.countUp()
      #expect(try await client.reply().value == "done")
      try await running.value
    }
  }

  @Test("SERV-1, EXC-10: a closed service says so")
  func closed() async throws {
    try await ServiceBench.with(Self.methods()) { bench in
      let transport = try await bench.service.transport
      await bench.service.close()
      let errors = [
        await #expect(throws: ServiceError.self) { try await bench.service.transport },
        await #expect(throws: ServiceError.self) { try await transport.bindings },
        await #expect(throws: ServiceError.self) { try await transport.bind("tcp://127.0.0.1:*") },
      ]
      for error in errors { #expect(error?.remoteException.name == "aiozmq.rpc.base.ServiceClosedError") }
    }
  }

  @Test("a method knows who calls: the address over tcp, the topic of what was published")
  func context() async throws {
    let seen = Guarded<[String]>([])
    let called = Tally()
    var methods = Methods()
    methods.add("who") { (call: CallContext) in
      seen.withLock {
        $0.append(
          "\(call.name) \(call.peerAddress ?? "-") \(call.topic.map { String(decoding: $0, as: UTF8.self) } ?? "-")")
      }
      called.countUp()
    }
    try await ServiceBench.with(methods, at: "tcp://127.0.0.1:*") { bench in
      let client = try await bench.client()
      try await client.sendSoon(ServiceBench.request(1, "who"))
      _ = try await client.reply()
    }
    try await ServiceBench.with(methods) { bench in
      let client = try await bench.client()
      try await client.sendSoon(ServiceBench.request(1, "who"))
      _ = try await client.reply()
    }
    try await ServiceBench.with(methods, .pubsub([])) { bench in
      let news = try #require(bench.service as? PubSubService)
      try await news.subscribe("sport")
      let client = try await bench.client(.publish)
      try await eventually("the subscription is there") {
        try await client.send([Array("sport.tennis".utf8), Array("who".utf8), [0x90], [0x80]])
        return called.count > 2
      }
    }
    let lines = seen.withLock { $0 }
    #expect(Array(lines.prefix(3)) == ["who 127.0.0.1 -", "who - -", "who - sport.tennis"])
  }

  @Test("options out of their bounds are told at the start")
  func options() async throws {
    for configure in [
      { $0.concurrency = 0 }, { $0.timeout = .zero }, { $0.longestMessage = 0 }, { $0.bytesUnderWay = 0 },
    ] as [@Sendable (inout ServiceOptions) -> Void] {
      let error = await #expect(throws: ServiceError.self) {
        _ = try await RPCService.start(Self.methods(), bind: ["inproc://options"], configure)
      }
      #expect(error?.code == .badOption)
    }
    await #expect(throws: EndpointError.self) { _ = try await RPCService.start(Self.methods(), bind: ["tcp:/x"]) }
  }

  @Test("SERV-1: a service that has lost its socket says so")
  func lostSocket() async throws {
    let (context, reactor) = (try Context(), try Reactor(name: "service"))
    let service = try await RPCService.start(Self.methods(), bind: ["inproc://lost"], on: reactor, in: context)
    let end = Task { try await service.run() }
    await context.close(within: .seconds(10))
    await #expect(throws: ServiceError.self) { try await end.value }
    await reactor.stop()
  }
}
