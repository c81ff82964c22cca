import MessagePack
import Reactor
import Support
import Testing
import ZeroMQ

@testable import ZeroMQRPC

/// Services called frame by frame: what they answer, whatever they are sent.
@Suite("a service answers", .inTurn(minutes: 3))
struct ServiceReplyTests {
  private struct Odd: Error {}
  private enum Inner { struct Lost: Error {} }
  private struct Failed<Reason>: Error {}

  private static var methods: Methods {
    var methods = Methods()
    methods.add("echo", Parameter(rest: "values")) { (values: [Value]) in values.count == 1 ? values[0] : .array(values)
    }
    methods.add("odd") { throw Odd() }
    methods.add("lost") { throw Inner.Lost() }
    methods.add("local") {
      struct Local: Error {}
      throw Local()
    }
    methods.add("generic") { throw Failed<Int>() }
    methods.add("cancelled") {
      let work = Task { try await Task.sleep(for: .seconds(3_600)) }
      work.cancel()
      try await work.value
    }
    methods.add("unpackable") { throw RemoteException("my.Error", [.map([.init(1, 2)])]) }
    return methods
  }

  /// The exception that a request is answered with.
  private func exception(_ request: [[UInt8]]) async throws -> RemoteException {
    var exception: RemoteException?
    try await ServiceBench.with(Self.methods) { bench in
      let client = try await bench.client()
      try await client.sendSoon(request)
      let reply = try await client.reply()
      #expect(reply.isException && reply.number == request[0][4])
      exception = try reply.exception
    }
    return try #require(exception)
  }

  private static func nested(_ depth: Int) -> [UInt8] { [UInt8](repeating: 0x91, count: depth - 1) + [0x90] }

  @Test(
    "arguments that cannot be unpacked are a ParametersError",
    arguments: [[0x90, 0x90], [0x91], [0xC1], [], nested(501)] as [[UInt8]])
  func badArguments(bytes: [UInt8]) async throws {
    let raised = try await exception(ServiceBench.request(7, "echo", bytes))
    #expect(raised.name == "aiozmq.rpc.base.ParametersError")
    #expect(raised.firstArgument?.hasPrefix("ValueError('Cannot unpack") == true)
    #expect(
      try await exception(ServiceBench.request(7, "echo", [0x90], bytes)).name == "aiozmq.rpc.base.ParametersError")
  }

  @Test("arguments as deep as allowed are taken")
  func deepArguments() async throws {
    try await ServiceBench.with(Self.methods) { bench in
      let client = try await bench.client()
      try await client.sendSoon(ServiceBench.request(7, "echo", Self.nested(500)))
      #expect(try await client.reply().body == Self.nested(499))
    }
  }

  @Test("RPC-5: a method's name that is not UTF-8 is not found")
  func badName() async throws {
    let raised = try await exception(ServiceBench.request(7, [0x65, 0xFF]))
    #expect(raised.name == "aiozmq.rpc.base.NotFoundError")
    #expect(raised.firstArgument == "e\u{FFFD}")
  }

  @Test(
    "a message without a readable head is counted and left out, and the next call is answered",
    arguments: [[[1]], [[], [], [], []], ServiceBench.request(1, "echo").dropLast()] as [[[UInt8]]])
  func noCall(message: [[UInt8]]) async throws {
    try await ServiceBench.with(Self.methods) { bench in
      let client = try await bench.client()
      try await client.sendSoon(message)
      try await client.sendSoon(ServiceBench.request(9, "echo", [0x91, 5]))
      let reply = try await client.reply()
      #expect((reply.number, reply.body, reply.isException) == (9, [5], false))
      #expect(await bench.service.counters.malformed == 1)
    }
  }

  @Test("VALUE-3: a result with keys that Python cannot read is a TypeError")
  func keys() async throws {
    let raised = try await exception(ServiceBench.request(7, "echo", [0x91, 0x81, 0x01, 0x02]))
    #expect(raised.name == "builtins.TypeError")
  }

  @Test("an exception whose arguments cannot be packed is a TypeError")
  func unpackableException() async throws {
    #expect(try await exception(ServiceBench.request(7, "unpackable")).name == "builtins.TypeError")
  }

  @Test(
    "EXC-1: an error of Swift travels as the plain name of its type, which may be nested, private or local",
    arguments: [("odd", "Odd"), ("lost", "Lost"), ("local", "Local"), ("generic", "Failed<Int>")])
  func className(method: String, name: String) async throws {
    #expect(try await exception(ServiceBench.request(7, method)).name == name)
  }

  @Test("a method's own cancelled work is no TimeoutError")
  func cancelled() async throws {
    #expect(try await exception(ServiceBench.request(7, "cancelled")).name == "CancellationError")
  }

  @Test("proxies on the way get their frames back, up to 32 frames in all", arguments: [26, 27, 28])
  func envelope(proxies: Int) async throws {
    try await ServiceBench.with(Self.methods) { bench in
      let client = try await bench.client()
      let envelope = (0..<proxies).map { [UInt8($0)] }
      try await client.sendSoon(envelope + ServiceBench.request(1, "echo"))
      if proxies < 28 { #expect(Array(try await client.receive().dropLast(2)) == envelope) }
      try await client.sendSoon(ServiceBench.request(2, "echo"))
      #expect(try await client.reply().number == 2)
      #expect(await bench.service.counters.malformed == (proxies < 28 ? 0 : 1))
    }
  }

  @Test("a pipeline service counts what it cannot unpack, and runs the next call")
  func pipeline() async throws {
    let ran = Tally()
    var methods = Methods()
    methods.add("job") { ran.countUp() }
    try await ServiceBench.with(methods, .pipeline) { bench in
      let client = try await bench.client(.push)
      try await client.sendSoon([[0x6A], [0x90]])
      try await client.sendSoon([Array("job".utf8), [0x90, 0x90], [0x80]])
      try await client.sendSoon([Array("job".utf8), [0x90], [0x80]])
      await ran.reaches(1)
      #expect(await bench.service.counters.malformed == 2)
    }
  }

  @Test("with a concurrency of 1, one-way calls run in the order in which they came")
  func order() async throws {
    let (order, ran) = (Guarded<[Int64]>([]), Tally())
    var methods = Methods()
    methods.add("job", "n") { (number: Int64) in
      // Later calls would overtake this one if they could.
      for _ in 0..<(number % 7) { await Task.yield() }
      order.withLock { $0.append(number) }
      ran.countUp()
    }
    try await ServiceBench.with(methods, .pipeline, options: { $0.concurrency = 1 }) { bench in
      let client = try await bench.client(.push)
      for number in 0..<500 {
        try await client.sendSoon([Array("job".utf8), try Packer().pack([.int(Int64(number))]), [0x80]])
      }
      await ran.reaches(500)
      #expect(order.withLock { $0 } == Array(0..<500))
    }
  }

  @Test(
    "SERV-3: a service that is dropped, or fails at its second endpoint, leaves its port free",
    arguments: [false, true])
  func dropped(fails: Bool) async throws {
    try await Cleanup.with { cleanup in
      let reactor = try Reactor(name: "service")
      cleanup.add { await reactor.stop() }
      let context = try Context()
      let anyPort = try Endpoint("tcp://127.0.0.1:*")
      var service: RPCService? = try await RPCService.start(Self.methods, bind: [anyPort], on: reactor, in: context)
      let endpoint = try #require(try await service?.transport.bindings.first)
      if fails {
        // A port that was free a moment ago, and one that is taken.
        let other = try await WireSocket(.pull, bind: anyPort.description)
        let free = try Endpoint(await other.endpoint)
        await other.close()
        await #expect(throws: ZMQError.self) {
          _ = try await RPCService.start(Self.methods, bind: [free, endpoint], on: reactor, in: context)
        }
        try await expectFree(free.description, cleanup)
        await service?.close()
      } else {
        service = nil
        try await expectFree(endpoint.description, cleanup)
      }
    }
  }
}
