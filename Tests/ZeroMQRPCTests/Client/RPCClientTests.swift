import MessagePack
import Reactor
import Support
import Testing
import ZeroMQ
import ZeroMQRPC

@Suite("a client calls services in Swift", .inTurn(minutes: 3)) struct RPCClientTests {
  private struct Point: Codable, Hashable, ValueConvertible { var x, y: Int }

  private var methods: Methods {
    var (methods, math) = (Methods(), Methods())
    math.add("add", "a", Parameter("b", default: 2)) { (a: Int, b: Int) in a + b }
    methods["math"] = math
    methods.add("echo", Parameter(rest: "args"), Parameter(keywords: "kwargs")) {
      (args: [Value], kwargs: [String: Value]) in
      Value.array([.array(args), .map(kwargs.map { .init(.string($0.key), $0.value) })])
    }
    methods.add("same", "x") { (x: Value) in x }
    methods.add("none") {}
    return methods
  }

  @Test("RPC-2, RPC-4, SERV-4, SERV-5: a name with its members is called, and gives a typed result or a value")
  func dynamic()
    async throws
  {
    try await ClientBench.with(methods, timeout: .seconds(20)) { _, client in
      let sum: Int = try await client.call.math.add(1, b: 2)
      #expect(sum == 3)
      #expect(try await client.call.math.add(1) == .int(3))
      let echoed = try await client.call.echo(1, "two", [3.5], nil, Value.binary([4]), five: ["k": true])
      #expect(echoed == [[1, "two", [3.5], nil, .binary([4])], ["five": ["k": true]]])
      try await client.call.none()
      let nothing: Int? = try await client.call.none()
      #expect(nothing == nil)
      let point: Point = try await client.call.same(Point(x: 1, y: 2))
      #expect(point == Point(x: 1, y: 2))
    }
  }

  @Test("RPC-4, SERV-4, SERV-7: the plain form calls by the whole name, and never by the empty one") func plain()
    async throws
  {
    try await ClientBench.with(methods, timeout: .seconds(20)) { _, client in
      let sum: Int = try await client.call("math.add", [1], ["b": 5])
      #expect(sum == 6)
      #expect(try await client.call("math.add", [1]) == .int(3))
      try await client.call("none")
      let arguments: [Value] = [1, "x"]
      #expect(try await client.call("echo", arguments) == [[1, "x"], [:]])
      #expect(try await failure { try await client.call("") } == CallFailure(.noName, sent: false))
    }
  }

  @Test("VALUE-3, VALUE-11: a result of another type than is wanted, and an argument that cannot travel, are told")
  func misfits()
    async throws
  {
    try await ClientBench.with(methods, timeout: .seconds(20)) { _, client in
      await #expect(throws: ConversionError.self) { let _: String = try await client.call.math.add(1) }
      await #expect(throws: TranscodingError.self) {
        try await client.call.same(Value.map([.init(1, 2)]))
      }
      #expect(await client.callsUnderWay == 0)
    }
  }

  @Test("a failure says in words what happened, and whether the call may have run") func words() {
    #expect("\(CallFailure(.timeout, sent: true))" == "timeout: no reply came in its time; the call may have run")
    let nobody = CallFailure(.noBackend, sent: false, reason: .init(rawValue: "unresolved"))
    #expect("\(nobody)" == "no-backend: no service is connected (unresolved); the call was not sent")
    #expect("\(CallFailure(.init(rawValue: "new"), sent: false))" == "new: there is no reply; the call was not sent")
  }

  @Test("RPC-6: binds, and a service connects", arguments: ["tcp://127.0.0.1:*", "ipc", "inproc://client"])
  func bound(transport: String) async throws {
    try await ClientBench.with { bench in
      let endpoint = transport == "ipc" ? bench.endpoint("client") : transport
      let client = try await RPCClient.bind([endpoint], timeout: .seconds(20), on: bench.reactor, in: bench.context)
      bench.cleanup.add { await client.close() }
      let bound = try await client.transport.bindings[0].description
      let service = try await bench.serve(methods, connect: [bound])
      #expect(try await client.call.math.add(1) == 3)
      await service.close()
    }
  }

  @Test("RPC-7: several services share the calls, and come and go while it runs") func several() async throws {
    try await ClientBench.with { bench in
      func named(_ name: String) -> Methods {
        var methods = Methods()
        methods.add("who") { name }
        return methods
      }
      let endpoints = ["a", "b"].map(bench.endpoint)
      let client = try await bench.client([endpoints[0]], timeout: .seconds(20))
      for (name, endpoint) in zip(["a", "b"], endpoints) { try await bench.serve(named(name), bind: [endpoint]) }
      try await client.transport.connect(endpoints[1])
      try await eventually("both are connected") { try await client.transport.connectedEndpoints == 2 }
      var counts: [String: Int] = [:]
      for _ in 0..<200 {
        let who: String = try await client.call.who()
        counts[who, default: 0] += 1
      }
      #expect((50...150).contains(counts["a"] ?? 0) && counts.values.reduce(0, +) == 200)
      try await client.transport.disconnect(endpoints[0])
      for _ in 0..<20 {
        let who: String = try await client.call.who()
        #expect(who == "b")
      }
      await #expect(throws: ZMQError.self) { try await client.transport.disconnect(endpoints[0]) }
      // A third one dials in.
      let bound = try await client.transport.bind(bench.endpoint("bound"))
      try await client.transport.disconnect(endpoints[1])
      try await bench.serve(named("c"), connect: [bound.description])
      let who: String = try await client.call.who()
      #expect(who == "c")
      try await client.transport.unbind(bound)
      #expect(try await client.transport.bindings.isEmpty)
    }
  }

  @Test("RPC-8, RPC-15: many calls at once, each with its own answer, in whatever order they come") func many()
    async throws
  {
    let hold = Hold()
    var methods = Methods()
    methods.add("slow") { () async -> Int in
      await hold.enter()
      return -1
    }
    methods.add("quick", "n") { (n: Int) in n }
    try await ClientBench.with(methods, timeout: .seconds(20)) { _, client in
      async let slow: Int = client.call.slow()
      await hold.entered.reaches(1)
      try await withThrowingTaskGroup(of: Bool.self) { group in
        for number in 0..<500 {
          group.addTask {
            let same: Int = try await client.call.quick(number)
            return same == number
          }
        }
        for try await isOwn in group { #expect(isOwn) }
      }
      hold.release()
      #expect(try await slow == -1)
    }
  }

  @Test("replies of any length come whole", arguments: [65_000, 65_536, 65_537, 16 << 20]) func long(count: Int)
    async throws
  {
    try await ClientBench.with(methods, timeout: .seconds(20)) { _, client in
      let bytes = [UInt8](repeating: 7, count: count)
      let same: [UInt8] = try await client.call.same(bytes)
      #expect(same == bytes)
    }
  }
}
