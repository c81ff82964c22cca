import Support
import Testing
import ZeroMQ

@testable import ZeroMQRPC

/// The client with calls that may run twice.
@Suite("a call that may run twice", .inTurn(minutes: 3)) struct RepeatTests {
  private func options(attempts: Int = 1, percent: Int = 0, burst: Int = 10, hedge: HedgeDelay = .never) -> RPCOptions {
    var options = RPCOptions()
    (options.retries.attempts, options.retries.percent, options.retries.burst) = (attempts, percent, burst)
    options.hedge = hedge
    return options
  }

  /// The backend that has the only call, and the other one.
  private func parted(_ backends: [WireSocket]) async throws -> (has: WireSocket, other: WireSocket) {
    try await eventually("the call is there") {
      for (index, backend) in backends.enumerated() where await backend.waiting == 1 {
        return (backend, backends[1 - index])
      }
      return nil
    }
  }

  /// Keeps one of the backends busy, so that the next call goes to the other one, and its second copy to this one.
  private func order(_ bench: CallBench, _ backends: [WireSocket]) async throws -> (
    first: WireSocket, second: WireSocket
  ) {
    _ = await bench.call("busy")
    let (has, other) = try await parted(backends)
    _ = try await has.call()
    return (other, has)
  }

  // MARK: Retries

  @Test("goes to another backend when its connection is lost, and is answered once") func retried() async throws {
    try await CallBench.with(backends: 2, options: options()) { bench, backends in
      let reply = await bench.call("get", [0x91, 7], isRepeatable: true)
      let (first, second) = try await parted(backends)
      await first.close()
      let call = try await second.call()
      #expect(call.method == "get")
      #expect(call.arguments == [0x91, 7])
      #expect(call.number == reply.number)
      try await second.answer(call, [1])
      #expect(try await reply.outcome == .result([1]))
      #expect(await bench.counters.retriedCalls == 1)
      #expect(await bench.callsUnderWay == 0)
    }
  }

  @Test("is not retried unless it may run twice, and the options say so", arguments: [(1, false), (0, true)])
  func notRetried(attempts: Int, isRepeatable: Bool) async throws {
    try await CallBench.with(backends: 2, options: options(attempts: attempts)) { bench, backends in
      let reply = await bench.call(isRepeatable: isRepeatable)
      let (first, second) = try await parted(backends)
      await first.close()
      #expect(try await reply.outcome == .failed(.init(.backendLost, sent: true)))
      #expect(await second.waiting == 0)
    }
  }

  @Test("is retried as often as the options say, and fails then as one that was sent", arguments: [1, 2]) func attempts(
    most: Int
  ) async throws {
    try await CallBench.with(options: options(attempts: most)) { bench, backends in
      let reply = await bench.call(isRepeatable: true)
      _ = try await backends[0].call()
      let endpoint = await backends[0].endpoint
      await backends[0].close()
      for _ in 0..<most {
        let backend = try await WireSocket(.router, bind: endpoint, in: await bench.context)
        _ = try await backend.call()
        #expect(reply.now == nil)
        await backend.close()
      }
      #expect(try await reply.outcome == .failed(.init(.backendLost, sent: true)))
      #expect(await bench.counters.retriedCalls == most)
    }
  }

  @Test("waits for its backend's return until its own deadline, and was sent then") func deadline() async throws {
    try await CallBench.with(options: options()) { bench, backends in
      let reply = await bench.call(within: .milliseconds(500), isRepeatable: true)
      _ = try await backends[0].call()
      await backends[0].close()
      #expect(try await reply.outcome == .failed(.init(.backendLost, sent: true)))
      #expect(await bench.counters.retriedCalls == 1)
      #expect(await bench.callsUnderWay == 0)
    }
  }

  @Test("is retried within the budget, and no further") func budget() async throws {
    try await CallBench.with(backends: 2, options: options(burst: 3)) { bench, backends in
      var replies: [CallBench.Reply] = []
      for _ in 0..<10 { replies.append(await bench.call(isRepeatable: true)) }
      for _ in 0..<5 { _ = try await backends[0].call() }
      await backends[0].close()
      for _ in 0..<8 { try await backends[1].answer(try await backends[1].call(), [1]) }
      var outcomes: [CallBench.Outcome: Int] = [:]
      for reply in replies { outcomes[try await reply.outcome, default: 0] += 1 }
      #expect(outcomes == [.result([1]): 8, .failed(.init(.backendLost, sent: true)): 2])
      #expect(await backends[1].waiting == 0)
    }
  }

  // MARK: Second copies

  @Test(
    "has a second copy at another backend when its reply takes long; the first reply counts", arguments: [true, false])
  func hedged(secondAnswers: Bool) async throws {
    try await CallBench.with(backends: 2, options: options(attempts: 0, hedge: .after(.milliseconds(20)))) {
      bench, backends in
      let (first, second) = try await order(bench, backends)
      let reply = await bench.call("get", [0x91, 7], isRepeatable: true)
      let calls = (try await first.call(), try await second.call())
      #expect(calls.0.number == calls.1.number)
      #expect(calls.1.arguments == [0x91, 7])
      #expect(await bench.counters.hedgedCalls == 1)
      let (winner, loser) = secondAnswers ? (second, first) : (first, second)
      try await winner.answer(secondAnswers ? calls.1 : calls.0, [1])
      #expect(try await reply.outcome == .result([1]))
      #expect(await bench.callsUnderWay == 1)
      try await loser.answer(secondAnswers ? calls.0 : calls.1, [2])
      try await eventually("the other reply is late") { await bench.counters.lateReplies.count == 1 }
      #expect(await bench.counters.malformedReplies == 0)
    }
  }

  @Test("has no second copy when its reply comes in time, when there is no other backend, or when the budget is spent")
  func notHedged() async throws {
    for (backends, burst) in [(1, 10), (2, 0)] {
      let options = options(attempts: 0, burst: burst, hedge: .after(.milliseconds(20)))
      try await CallBench.with(backends: backends, options: options) { bench, _ in
        let reply = await bench.call(within: .milliseconds(200), isRepeatable: true)
        let outcome = try await reply.outcome
        #expect(outcome == .failed(.init(.timeout, sent: true)))
        #expect(await bench.counters.hedgedCalls == 0)
      }
    }
    try await CallBench.with(backends: 2, options: options(attempts: 0, hedge: .after(.seconds(20)))) {
      bench, backends in
      let reply = await bench.call(isRepeatable: true)
      let (first, second) = try await parted(backends)
      try await first.answer(try await first.call(), [1])
      #expect(try await reply.outcome == .result([1]))
      #expect(await second.waiting == 0)
    }
  }

  @Test("has a second copy when it takes longer than the method did of late, once twenty replies are known")
  func percentile() async throws {
    try await CallBench.with(backends: 2, options: options(attempts: 0, hedge: .percentile95)) { bench, backends in
      let answering = backends.map { backend in
        Task {
          while true {
            let call = try await backend.call()
            if call.arguments == [0x91, 1] { try await backend.answer(call, [1]) }
          }
        }
      }
      defer { for task in answering { task.cancel() } }
      func quick(_ count: Int) async throws {
        for _ in 0..<count { _ = try await bench.call("get", [0x91, 1], isRepeatable: true).outcome }
      }
      func slow() async throws {
        _ = try await bench.call("get", [0x91, 2], within: .milliseconds(200), isRepeatable: true).outcome
      }
      try await quick(19)
      try await slow()
      #expect(await bench.counters.hedgedCalls == 0)
      try await eventually("a second copy") {
        try await quick(50)
        try await slow()
        return await bench.counters.hedgedCalls > 0
      }
    }
  }

  @Test("lives on in its other copy when one backend goes", arguments: [true, false]) func lossOfACopy(losesFirst: Bool)
    async throws
  {
    try await CallBench.with(backends: 2, options: options(attempts: 0, hedge: .after(.milliseconds(20)))) {
      bench, backends in
      let (first, second) = try await order(bench, backends)
      let reply = await bench.call(isRepeatable: true)
      let calls = (try await first.call(), try await second.call())
      await (losesFirst ? first : second).close()
      try await eventually("it is gone") { await bench.connectedEndpoints == 1 }
      #expect(reply.now == nil)
      try await (losesFirst ? second : first).answer(losesFirst ? calls.1 : calls.0, [1])
      #expect(try await reply.outcome == .result([1]))
      // The busy one went with the second.
      #expect(await bench.callsUnderWay == (losesFirst ? 1 : 0))
    }
  }

  @Test("ends with both copies at its deadline and when it is cancelled", arguments: [true, false]) func bothEnd(
    isCancelled: Bool
  ) async throws {
    try await CallBench.with(backends: 2, options: options(attempts: 0, hedge: .after(.milliseconds(20)))) {
      bench, backends in
      let (first, second) = try await order(bench, backends)
      let reply = await bench.call(within: isCancelled ? .seconds(20) : .milliseconds(500), isRepeatable: true)
      let calls = (try await first.call(), try await second.call())
      if isCancelled {
        await bench.cancel(reply)
      } else {
        #expect(try await reply.outcome == .failed(.init(.timeout, sent: true)))
      }
      #expect(await bench.callsUnderWay == 1)
      try await first.answer(calls.0, [1])
      try await second.answer(calls.1, [1])
      try await eventually("both replies are late") { await bench.counters.lateReplies.count == 2 }
    }
  }
}
