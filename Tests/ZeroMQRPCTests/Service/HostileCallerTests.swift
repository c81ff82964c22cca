import MessagePack
import Support
import Testing
import ZeroMQ

@testable import ZeroMQRPC

/// Callers that are many, behind something, or send rubbish.
@Suite("a service serves", .inTurn(minutes: 3)) struct HostileCallerTests {
  /// A message made of a recorded request, which is changed in some places.
  private static func mutated(_ request: [[UInt8]], _ random: inout SplitMix) -> [[UInt8]] {
    var frames = request
    for _ in 0..<Int.random(in: 0...3, using: &random) {
      let index = Int.random(in: 0..<frames.count, using: &random)
      switch Int.random(in: 0..<8, using: &random) {
      case 0 where frames.count > 1: frames.remove(at: index)
      case 1: frames.insert(frames[index], at: index)
      case 2: frames[index] = []
      case 3:
        frames[index] = (0..<Int.random(in: 0..<40, using: &random)).map { _ in .random(in: 0...255, using: &random) }
      case 4: frames[index] = Array(frames[index].dropLast(Int.random(in: 1...4, using: &random)))
      case 5: frames[index] += [.random(in: 0...255, using: &random)]
      default:
        guard !frames[index].isEmpty else { break }
        frames[index][Int.random(in: 0..<frames[index].count, using: &random)] = .random(in: 0...255, using: &random)
      }
    }
    return frames
  }

  @Test(
    "whatever it is sent: each message with a readable head is answered once, and none keeps it from the next",
    arguments: [1, 2, 3, 4] as [UInt64])
  func rubbish(seed: UInt64) async throws {
    var random = SplitMix(state: seed)
    let requests = (Recorded.load("rpc_replies") + Recorded.load("rpc_no_reply")).map(\.request).filter {
      // One that sleeps for as long as it is told.
      !$0.contains(Array("slow".utf8))
    }
    let messages = (0..<2_000).map { _ in
      Self.mutated(requests[Int.random(in: 0..<requests.count, using: &random)], &random)
    }
    let readable = messages.count(where: {
      $0.count >= 4 && $0.count < 32 && $0[$0.count - 4].count == CallHeader.requestSize
    })
    #expect(readable > 1_000 && readable < 2_000)
    let log = RecordingLog()
    try await ServiceBench.with(GoldenMethods.all, options: { $0.logger = log.logger() }) { bench in
      let client = try await bench.client()
      for message in messages { try await client.sendSoon(message) }
      for _ in 0..<readable { #expect(try await client.receive().count >= 2) }
      try await client.sendSoon(ServiceBench.request(9, "echo", [0x91, 5]))
      let last = try await client.reply()
      #expect((last.number, last.body) == (9, [5]))
      #expect(await bench.service.counters.malformed >= 2_000 - readable)
      #expect(log.lines.contains { $0.hasPrefix("warning: Cannot unpack a call") })
    }
  }

  @Test("RPC-8: ten clients that make a hundred calls each get their own answers")
  func many() async throws {
    var methods = Methods()
    methods.add("echo", "x") { (x: String) in
      await Task.yield()
      return x
    }
    try await ServiceBench.with(methods) { bench in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for client in 0..<10 {
          group.addTask {
            let socket = try await bench.client()
            for call in 0..<100 {
              let token = Value.string("\(client)-\(call)")
              try await socket.sendSoon(ServiceBench.request(UInt8(call), "echo", try Packer().pack([token])))
            }
            var seen: Set<UInt8> = []
            for _ in 0..<100 {
              let reply = try await socket.reply()
              #expect(try reply.value == .string("\(client)-\(reply.number)"))
              seen.insert(reply.number)
            }
            #expect(seen.count == 100)
          }
        }
        try await group.waitForAll()
      }
      #expect(await bench.service.counters == ServiceCounters())
    }
  }

  @Test("RPC-1: a bare REQ socket, whose delimiter comes back")
  func request() async throws {
    try await ServiceBench.with(GoldenMethods.all) { bench in
      let client = try await bench.client(.request)
      for number in 1...3 as ClosedRange<UInt8> {
        try await client.sendSoon(ServiceBench.request(number, "echo", [0x91, number]))
        let reply = try await client.reply()
        #expect((reply.number, reply.body) == (number, [number]))
      }
    }
  }

  @Test(
    "RPC-13: Python's own client, which gets its TimeoutError when the service's time is up",
    .enabled(if: Python.isThere, "\(Python.comment)"))
  func pythonTimeout() async throws {
    try await ServiceBench.with(
      PeerMethods.all, at: "tcp://127.0.0.1:*", options: { $0.timeout = .milliseconds(20) }
    ) { bench in
      let calls = [#"{"method": "slow", "args": [3600]}"#, #"{"method": "slow", "args": [0]}"#]
      let answers = try await Python.lines(
        of: "peer_calls.py", [bench.endpoint], input: calls.map { "\($0)\n" }.joined())
      try #require(answers.count == 2)
      #expect(answers[0]["error"]["type"].text == "builtins.TimeoutError")
      #expect(answers[0]["error"]["args"].elements.isEmpty)
      #expect(await bench.service.counters.timedOut >= 1)
    }
  }

  @Test(
    "RPC-1, RPC-3: Python's own client behind a proxy of a ROUTER and a DEALER",
    .enabled(if: Python.isThere, "\(Python.comment)"))
  func proxied() async throws {
    let directory = try TemporaryDirectory()
    try await ServiceBench.with(PeerMethods.all) { bench in
      final class Silent: TransportDelegate {}
      let front = try await Transport.open(
        .router, bind: [directory.endpoint("front")], on: bench.reactor, in: bench.context
      ) { Silent() }
      let back = try await Transport.open(
        .dealer, connect: [bench.endpoint], on: bench.reactor, in: bench.context
      ) { Silent() }
      let running = Task { try await Proxy(front, back).run() }
      let answers = try await Python.lines(
        of: "peer_calls.py", [directory.endpoint("front")],
        input: (0..<20).map { #"{"method": "math.add", "args": [\#($0), 1]}"# + "\n" }.joined())
      #expect(answers.map { $0["result"].integer } == (1...20).map { $0 })
      running.cancel()
      _ = await running.result
      for transport in [front, back] {
        await transport.close()
        await transport.waitClosed()
      }
    }
  }
}
