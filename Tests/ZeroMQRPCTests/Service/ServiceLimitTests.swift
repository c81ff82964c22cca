import MessagePack
import Support
import Testing
import ZeroMQ

@testable import ZeroMQRPC

/// The limits of a service, on both sides of each.
@Suite("a service keeps its limits", .inTurn(minutes: 3)) struct ServiceLimitTests {
  private static let methods: Methods = {
    var methods = Methods()
    methods.add("size", "x") { (x: [UInt8]) in x.count }
    methods.add("make", "n") { (n: Int) in [UInt8](repeating: 7, count: n) }
    methods.add("deep", "n") { (n: Int) in (0..<n).reduce(Value.nil) { inner, _ in .array([inner]) } }
    methods.add("echo", "x") { (x: Value) in x }
    methods.add("fail", "n") { (n: Int) in
      throw RemoteException("m.E", [.binary([UInt8](repeating: 7, count: n))], repr: "E")
    }
    return methods
  }()

  private func reply(
    _ method: String, _ argument: Value, _ configure: (inout ServiceOptions) -> Void = { _ in }
  ) async throws -> ServiceReply {
    var reply: ServiceReply?
    try await ServiceBench.with(Self.methods, options: configure) { bench in
      let client = try await bench.client()
      let limits = TranscodingLimits(depth: 2_000)
      try await client.sendSoon(
        ServiceBench.request(1, method, try Packer(limits: limits, allowsAnyKeys: true).pack([argument])))
      reply = try await client.reply()
      try await client.sendSoon(ServiceBench.request(2, "echo", [0x91, 5]))
      #expect(try await client.reply().body == [5])
    }
    return try #require(reply)
  }

  @Test("bytes of a call: one beyond is answered with a ParametersError", arguments: [9_999, 10_000])
  func longCall(bytes: Int) async throws {
    // Two heads of the array and the binary, and the keywords: five bytes.
    let reply = try await reply("size", .binary([UInt8](repeating: 1, count: bytes - 5))) { $0.longestMessage = 9_999 }
    if bytes == 9_999 {
      #expect(try reply.value == 9_994)
    } else {
      #expect(try reply.exception.firstArgument?.contains("10000 bytes are more than the 9999") == true)
    }
  }

  @Test("a call of many bytes is unpacked beside the reactor, and what is wrong with it answered all the same")
  func long() async throws {
    let bytes = [UInt8](repeating: 1, count: 1 << 20)
    #expect(try await reply("size", .binary(bytes)).value == 1_048_576)
    try await ServiceBench.with(Self.methods) { bench in
      let client = try await bench.client()
      try await client.sendSoon(ServiceBench.request(1, "size", [0x91, 0xC1] + bytes))
      #expect(try await client.reply().exception.firstArgument?.contains("Cannot unpack") == true)
      #expect(await bench.service.counters == ServiceCounters(malformed: 1))
    }
  }

  @Test("bytes of a result: one beyond is answered with a ValueError", arguments: [997, 998])
  func longResult(bytes: Int) async throws {
    let reply = try await reply("make", .int(Int64(bytes))) { $0.longestMessage = 1_000 }
    if bytes == 997 {
      #expect(try reply.value.binaryValue?.count == 997)
    } else {
      #expect(try reply.exception.name == "builtins.ValueError")
    }
  }

  @Test("bytes of an exception: one beyond is answered with a ValueError", arguments: [989, 990])
  func longException(bytes: Int) async throws {
    let exception = try await reply("fail", .int(Int64(bytes))) { $0.longestMessage = 1_000 }.exception
    if bytes == 989 {
      #expect(exception.body.count == 1_000 && exception.name == "m.E")
    } else {
      #expect(exception == .value("the m.E has 1001 bytes, which are more than the 1000 allowed"))
    }
  }

  @Test("an exception about a call is not longer either, nor is the log of it")
  func longComplaint() async throws {
    let log = RecordingLog()
    func options(_ options: inout ServiceOptions) {
      options.longestMessage = 60_000
      options.logger = log.logger()
      options.logs = .exceptions()
    }
    try await ServiceBench.with(Self.methods, options: options) { bench in
      let client = try await bench.client()
      let keywords = try Packer().pack(.map([.init(.string(String(repeating: "\0", count: 20_000)), 1)]))
      try await client.sendSoon(ServiceBench.request(1, "echo", [0x91, 1], keywords))
      // Python writes four characters for each.
      let exception = try await client.reply().exception
      #expect(exception.firstArgument?.contains("more than the 60000 allowed") == true)
    }
    #expect(log.lines.count == 1)
    #expect(log.lines[0].contains("ParametersError(") && log.lines[0].utf8.count < 90_000)
  }

  @Test("depth of a result", arguments: [500, 501])
  func deepResult(depth: Int) async throws {
    let reply = try await reply("deep", .int(Int64(depth)))
    if depth == 500 {
      #expect(reply.body.count == 501)
    } else {
      #expect(try reply.exception.name == "builtins.ValueError")
    }
  }

  @Test("bytes of a name: one beyond is not found, and told by its beginning", arguments: [4_096, 4_097])
  func longName(bytes: Int) async throws {
    let name = String(repeating: "n", count: bytes)
    var methods = Methods()
    methods.add(name) { "found" }
    try await ServiceBench.with(methods) { bench in
      let client = try await bench.client()
      try await client.sendSoon(ServiceBench.request(1, name))
      let reply = try await client.reply()
      if bytes == 4_096 {
        #expect(try reply.value == "found")
      } else {
        #expect(try reply.exception == .notFound(String(name.prefix(4_096))))
      }
    }
  }

  @Test("bytes that stand before a call: one beyond cannot be answered, and is counted", arguments: [false, true])
  func longEnvelope(isBeyond: Bool) async throws {
    try await ServiceBench.with(Self.methods) { bench in
      let client = try await bench.client()
      // libzmq puts the five bytes of an identity before it.
      let envelope = [UInt8](repeating: 1, count: (64 << 10) - 5 + (isBeyond ? 1 : 0))
      try await client.sendSoon([envelope] + ServiceBench.request(1, "echo", [0x91, 1]))
      if !isBeyond { #expect(try await client.receive().first == envelope) }
      try await client.sendSoon(ServiceBench.request(2, "echo", [0x91, 2]))
      #expect(try await client.reply().number == 2)
      #expect(await bench.service.counters.malformed == (isBeyond ? 1 : 0))
    }
  }

  @Test("number of values", arguments: [8, 9])
  func elements(count: Int) async throws {
    let reply = try await reply("echo", .array(Array(repeating: 1, count: count))) { $0.limits.elements = 10 }
    #expect(reply.isException == (count == 9))
    if count == 9 { #expect(try reply.exception.name == "aiozmq.rpc.base.ParametersError") }
  }

  @Test("keys that Python cannot read are sent where that is asked for")
  func keys() async throws {
    let map: Value = .map([.init(1, 2)])
    #expect(try await reply("echo", map).exception.name == "builtins.TypeError")
    #expect(try await reply("echo", map) { $0.allowsAnyKeys = true }.value == map)
  }

  @Test("methods that run, and bytes of their arguments: further calls wait", arguments: [false, true])
  func running(inBytes: Bool) async throws {
    let (entered, gate) = (Tally(), Tally())
    var methods = Methods()
    methods.add("wait", "x") { (x: [UInt8]) in
      entered.countUp()
      await gate.reaches(1)
    }
    try await ServiceBench.with(
      methods,
      options: {
        // Each call has some more than 1,000 bytes.
        if inBytes { $0.bytesUnderWay = 2_500 } else { $0.concurrency = 3 }
      }
    ) { bench in
      let client = try await bench.client()
      let arguments = try Packer().pack([.binary([UInt8](repeating: 1, count: 1_000))])
      for number in 1...5 { try await client.sendSoon(ServiceBench.request(UInt8(number), "wait", arguments)) }
      await entered.reaches(3)
      #expect(await bench.service.counters.running == 3)
      gate.countUp()
      for _ in 1...5 { _ = try await client.reply() }
      #expect(entered.count == 5)
    }
  }
}
