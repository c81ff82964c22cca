import Support
import Testing
import ZeroMQ

@testable import ZeroMQRPC

/// The client alone, in front of ROUTERs that the test plays.
@Suite("the rpc client", .inTurn(minutes: 3))
struct CallEngineTests {
  @Test("RPC-1: a call is four frames behind the router's identity, numbers from one")
  func frames() async throws {
    try await CallBench.with { bench, backends in
      let replies = [await bench.call("a.b", [0x91, 5]), await bench.call("c")]
      let calls = [try await backends[0].call(), try await backends[0].call()]
      #expect(calls.map(\.method) == ["a.b", "c"])
      #expect(calls.map(\.number) == [1, 2])
      #expect(calls.map(\.header.count) == [16, 16])
      #expect(calls[0].arguments == [0x91, 5])
      #expect(calls[0].keywords == [0x80])
      #expect(calls[0].envelope.count == 1)
      try await backends[0].answer(calls[1], [2])
      try await backends[0].answer(calls[0], [1], isException: true)
      #expect(try await replies[1].outcome == .result([2]))
      #expect(try await replies[0].outcome == .exception([1]))
      #expect(await bench.callsUnderWay == 0)
    }
  }

  @Test("RPC-7: calls go to the less busy of two backends")
  func share() async throws {
    try await CallBench.with(backends: 2) { bench, backends in
      for _ in 0..<20 { _ = await bench.call() }
      for backend in backends { for _ in 0..<10 { _ = try await backend.call() } }
      for backend in backends { #expect(await backend.waiting == 0) }
    }
  }

  @Test("when one of two backends goes, its calls fail as sent, and the other one's live on")
  func oneGoes() async throws {
    try await CallBench.with(backends: 2) { bench, backends in
      let replies = [await bench.call(), await bench.call()]
      let calls = [try await backends[0].call(), try await backends[1].call()]
      await backends[0].close()
      let gone = try #require(replies.first { $0.number == calls[0].number })
      let kept = try #require(replies.first { $0.number == calls[1].number })
      #expect(try await gone.outcome == .failed(.init(.backendLost, sent: true)))
      try await backends[1].answer(calls[1], [1])
      #expect(try await kept.outcome == .result([1]))
      let next = await bench.call()
      try await backends[1].answer(try await backends[1].call(), [2])
      #expect(try await next.outcome == .result([2]))
    }
  }

  @Test("backends get calls as their weights say", arguments: [[1, 3], [3, 1], [1, 1], [1, 999]])
  func weights(weights: [Int]) async throws {
    var options = RPCOptions()
    // So that neither is ever full, when the other one would get its calls.
    options.sendHighWaterMark = 2_000
    try await CallBench.with(backends: 2, weights: weights, options: options) { bench, backends in
      let (sum, rounds) = (weights[0] + weights[1], weights.contains(999) ? 1 : 5)
      for _ in 0..<sum * rounds { _ = await bench.call() }
      for (backend, weight) in zip(backends, weights) {
        for _ in 0..<weight * rounds { _ = try await backend.call() }
        #expect(await backend.waiting == 0)
      }
    }
  }

  @Test("RPC-17: closing fails what is under way; later calls are refused (RPC-16)")
  func close() async throws {
    try await CallBench.with { bench, backends in
      let reply = await bench.call()
      _ = try await backends[0].call()
      await bench.close()
      #expect(try await reply.outcome == .failed(.init(.closed, sent: true)))
      #expect(try await bench.call().outcome == .failed(.init(.closed, sent: false)))
    }
  }

  @Test("a cancelled call hears no more, and its place is free")
  func cancel() async throws {
    try await CallBench.with(limit: 1) { bench, backends in
      let first = await bench.call()
      let call = try await backends[0].call()
      #expect(try await bench.call().outcome == .failed(.init(.overloaded, sent: false)))
      await bench.cancel(first)
      let second = await bench.call()
      try await backends[0].answer(call, [1])
      try await backends[0].answer(try await backends[0].call(), [2])
      #expect(try await second.outcome == .result([2]))
      #expect(first.now == nil)
      #expect(await bench.counters.lateReplies.count == 1)
    }
  }

  @Test("many calls in flight are matched to their replies")
  func many() async throws {
    try await CallBench.with(backends: 2) { bench, backends in
      let answering = backends.map { backend in
        Task { while true { let call = try await backend.call(); try await backend.answer(call, call.arguments) } }
      }
      defer { for task in answering { task.cancel() } }
      var replies: [(UInt8, CallBench.Reply)] = []
      for index in 0..<1_000 {
        let byte = UInt8(index % 100)
        replies.append((byte, await bench.call("m", [0x91, byte])))
      }
      for (byte, reply) in replies {
        let outcome = try await reply.outcome
        #expect(outcome == .result([0x91, byte]))
      }
    }
  }

  @Test(
    "a reply longer than a short one is handed over to keep, one beyond the limit is not",
    arguments: [(1_000, false), (1_001, true), (1_500, true), (1_501, nil)])
  func longReply(count: Int, isKept: Bool?) async throws {
    var options = RPCOptions()
    (options.longestShortReply, options.longestReply) = (1_000, 1_500)
    try await CallBench.with(options: options) { bench, backends in
      let reply = await bench.call(within: .seconds(30))
      let body = [UInt8](repeating: 7, count: count)
      try await backends[0].answer(try await backends[0].call(), body)
      switch isKept {
      case false?: #expect(try await reply.outcome == .result(body))
      case true?: #expect(try await reply.outcome == .long(body))
      case nil: #expect(try await reply.outcome == .failed(CallFailure(.replyTooLarge, sent: true)))
      }
      #expect(await bench.callsUnderWay == 0)
    }
  }

  @Test("a backend cannot answer the call that another one has; that is malformed, and the call goes on")
  func foreignReply() async throws {
    try await CallBench.with(backends: 2) { bench, backends in
      let replies = [await bench.call(), await bench.call()]
      let calls = [try await backends[0].call(), try await backends[1].call()]
      let mine = try #require(replies.first { $0.number == calls[0].number })
      let forged = calls[1].envelope + [calls[0].replyHeader(), [6]]
      try await backends[1].send(forged)
      try await eventually("it is counted") { await bench.counters.malformedReplies == 1 }
      #expect(mine.now == nil)
      try await backends[0].answer(calls[0], [1])
      #expect(try await mine.outcome == .result([1]))
      #expect(await bench.counters.lateReplies.count == 0)
    }
  }

  @Test("a call that waits cannot be answered")
  func replyToQueued() async throws {
    var options = RPCOptions()
    options.sendHighWaterMark = 1
    var full = SocketOptions()
    full.receiveHighWaterMark = 1
    full.heartbeat = .zero
    try await CallBench.with(options: options, backend: full) { bench, backends in
      let first = await bench.call()
      let call = try await backends[0].call()
      await backends[0].pause(true)
      let long = [0xC6, 0, 16, 0, 0] + [UInt8](repeating: 7, count: 1 << 20)
      var last = first
      for _ in 0..<24 { last = await bench.call("long", long) }
      // Calls are numbered one after the other, so the last one's number is easy to guess.
      let header = call.header.prefix(4) + [UInt8(last.number), 0, 0, 0] + call.header.suffix(8) + [0]
      try await backends[0].send(call.envelope + [Array(header), [6]])
      try await eventually("it is counted") { await bench.counters.malformedReplies == 1 }
      #expect(last.now == nil)
    }
  }

  @Test("a backend that may still be busy with cancelled calls counts as busy until it answers")
  func cancelledLoad() async throws {
    try await CallBench.with(backends: 2) { bench, backends in
      var replies: [CallBench.Reply] = []
      for _ in 0..<4 { replies.append(await bench.call()) }
      for backend in backends {
        for _ in 0..<2 {
          let call = try await backend.call()
          let reply = try #require(replies.first { $0.number == call.number })
          if backend === backends[0] {
            await bench.cancel(reply)
          } else {
            try await backend.answer(call, [1])
            _ = try await reply.outcome
          }
        }
      }
      for _ in 0..<2 { _ = await bench.call() }
      for _ in 0..<2 { _ = try await backends[1].call() }
      #expect(await backends[0].waiting == 0)
    }
  }

  @Test("when its context ends, the calls under way fail and later ones are refused")
  func terminated() async throws {
    try await CallBench.with { bench, backends in
      let reply = await bench.call()
      _ = try await backends[0].call()
      // The backend lives in the same context, and its socket is waited for.
      async let ended = bench.context?.close(within: .seconds(10))
      #expect(try await reply.outcome == .failed(.init(.backendLost, sent: true)))
      #expect(await !bench.isConnected)
      #expect(try await bench.call().outcome == .failed(.init(.noBackend, sent: false)))
      await backends[0].close()
      _ = await ended
    }
  }

  @Test("a closed client is not connected")
  func closed() async throws {
    try await CallBench.with { bench, _ in
      #expect(await bench.isConnected)
      await bench.close()
      #expect(await !bench.isConnected)
      #expect(await bench.connectedEndpoints == 0)
    }
  }

  @Test("GEN-4: calls go over inproc as well")
  func inproc() async throws {
    try await CallBench.with(inproc: true) { bench, backends in
      let reply = await bench.call("m", [0x91, 5])
      let call = try await backends[0].call()
      try await backends[0].answer(call, [1])
      #expect(try await reply.outcome == .result([1]))
      #expect(await bench.isConnected)
    }
  }
}
