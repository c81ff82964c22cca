import Reactor
import Support
import Testing
import ZeroMQ

@testable import ZeroMQRPC

/// The client in front of backends that fail.
@Suite("an endpoint that fails", .inTurn(minutes: 3)) struct BreakerLifeTests {
  private var options: RPCOptions {
    var options = RPCOptions()
    options.leastSilence = .milliseconds(20)
    options.timeoutsBeforeReplacement = 1_000
    (options.breaker.failures, options.breaker.open) = (2, .seconds(100))
    return options
  }

  /// Calls whose deadlines pass, one after the other.
  private func timeOut(_ count: Int, _ bench: CallBench, within timeout: Duration = .milliseconds(20)) async throws {
    for _ in 0..<count {
      #expect(try await bench.call(within: timeout).outcome == .failed(.init(.timeout, sent: true)))
    }
  }

  @Test("gets no calls after failures in a row: they are refused, and told until when") func opens() async throws {
    try await CallBench.with(options: options) { bench, _ in
      try await timeOut(2, bench)
      guard case .failed(let failure) = try await bench.call().outcome else {
        Issue.record("a call was not refused")
        return
      }
      #expect(failure.code == .breakerOpen)
      #expect(!failure.sent)
      let retryAfter = try #require(failure.retryAfter)
      #expect(retryAfter > .seconds(50) && retryAfter <= .seconds(100))
      #expect(await bench.connectedEndpoints == 1)
      #expect(await bench.callsUnderWay == 0)
    }
  }

  @Test("is not left alone for deadlines shorter than the least silence, nor for calls that were under way together")
  func hurried() async throws {
    var options = options
    options.leastSilence = .milliseconds(200)
    try await CallBench.with(options: options) { bench, _ in
      try await timeOut(10, bench)
      var replies: [CallBench.Reply] = []
      for _ in 0..<20 { replies.append(await bench.call(within: .milliseconds(200))) }
      for reply in replies { #expect(try await reply.outcome == .failed(.init(.timeout, sent: true))) }
      #expect(await bench.call().now == nil)
    }
  }

  @Test("is not left alone while it answers some calls") func answersSome() async throws {
    try await CallBench.with(options: options) { bench, backends in
      for _ in 0..<5 {
        try await timeOut(1, bench)
        let reply = await bench.call("other")
        var call = try await backends[0].call()
        while call.method != "other" { call = try await backends[0].call() }
        try await backends[0].answer(call, [1])
        #expect(try await reply.outcome == .result([1]))
      }
    }
  }

  @Test("leaves its calls to the others; a late reply brings it back") func ejected() async throws {
    var options = options
    options.breaker.failures = 1
    try await CallBench.with(backends: 2, options: options) { bench, backends in
      try await timeOut(1, bench)
      // Of two that are equally busy, chance chose one.
      let silent = try await eventually("it is there") {
        for backend in backends where await backend.waiting == 1 { return backend }
        return nil
      }
      let other = silent === backends[0] ? backends[1] : backends[0]
      let late = try await silent.call()
      for _ in 0..<10 { _ = await bench.call() }
      for _ in 0..<10 { _ = try await other.call() }
      #expect(await silent.waiting == 0)
      try await silent.answer(late, [1])
      try await eventually("the late reply came") { await bench.counters.lateReplies.count == 1 }
      for _ in 0..<5 { _ = await bench.call() }
      for _ in 0..<5 { _ = try await silent.call() }
    }
  }

  @Test("is tried with one call when its time has passed; a reply brings it back, silence does not") func tried()
    async throws
  {
    var options = options
    (options.breaker.failures, options.breaker.open) = (1, .milliseconds(30))
    try await CallBench.with(options: options) { bench, backends in
      try await timeOut(1, bench)
      _ = try await backends[0].call()
      for isAnswered in [false, true] {
        let trying = try await eventually("one call is taken") {
          let reply = await bench.call(within: isAnswered ? .seconds(20) : .milliseconds(20))
          return reply.now == nil ? reply : nil
        }
        // While it is under way no other one is.
        if isAnswered {
          #expect(await bench.call().now == .failed(.init(.breakerOpen, sent: false, retryAfter: .zero)))
        }
        let call = try await backends[0].call()
        if isAnswered {
          try await backends[0].answer(call, [1])
          #expect(try await trying.outcome == .result([1]))
        } else {
          #expect(try await trying.outcome == .failed(.init(.timeout, sent: true)))
        }
      }
      for _ in 0..<5 { #expect(await bench.call().now == nil) }
    }
  }

  @Test("may be tried again when the call that tried it was cancelled or had no time") func noVerdict() async throws {
    var options = options
    (options.breaker.failures, options.breaker.open) = (1, .milliseconds(30))
    try await CallBench.with(options: options) { bench, backends in
      try await timeOut(1, bench)
      let first = try await eventually("one call is taken") {
        let reply = await bench.call()
        return reply.now == nil ? reply : nil
      }
      await bench.cancel(first)
      #expect(try await bench.call(within: .milliseconds(1)).outcome == .failed(.init(.timeout, sent: true)))
      #expect(await bench.call().now == nil)
    }
  }

  @Test("is left alone when its connection is lost with calls, and not when it is lost without") func losses()
    async throws
  {
    for hasCalls in [false, true] {
      var options = options
      options.breaker.failures = 1
      try await CallBench.with(options: options) { bench, backends in
        let reply = hasCalls ? await bench.call() : nil
        if hasCalls { _ = try await backends[0].call() }
        let endpoint = await backends[0].endpoint
        await backends[0].close()
        if let reply { #expect(try await reply.outcome == .failed(.init(.backendLost, sent: true))) }
        try await eventually("it is gone") { await bench.connectedEndpoints == 0 }
        #expect(await bench.call().now == .failed(.init(.noBackend, sent: false)))
        let next = try await WireSocket(.router, bind: endpoint, in: await bench.context)
        try await eventually("it is back") { await bench.connectedEndpoints == 1 }
        let outcome = await bench.call().now
        if hasCalls {
          guard case .failed(let failure)? = outcome else {
            Issue.record("a call was not refused")
            return await next.close()
          }
          #expect(failure.code == .breakerOpen)
        } else {
          #expect(outcome == nil)
        }
        await next.close()
      }
    }
  }
}
