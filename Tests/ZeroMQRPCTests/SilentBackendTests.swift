import Support
import Testing
import ZeroMQ

@testable import ZeroMQRPC

@Suite("a backend that is silent", .inTurn(minutes: 3))
struct SilentBackendTests {
  @Test("after a row of deadlines a fresh connection takes over; a reply in between starts the row anew")
  func replace() async throws {
    var options = RPCOptions()
    options.leastSilence = .milliseconds(20)
    try await CallBench.with(options: options) { bench, backends in
      for answered in [false, false, true, false, false] {
        let reply = await bench.call(within: answered ? .seconds(20) : .milliseconds(20))
        let call = try await backends[0].call()
        if answered { try await backends[0].answer(call, [1]) }
        _ = try await reply.outcome
      }
      #expect(await bench.counters.replacedConnections == 0)
      let before = await bench.call()
      let old = try await backends[0].call()
      let last = await bench.call(within: .milliseconds(20))
      _ = try await last.outcome
      _ = try await backends[0].call()
      #expect(await bench.counters.replacedConnections == 1)
      // Calls come by another connection soon; what the old one still owes is taken.
      try await eventually("the fresh connection is used") {
        let reply = await bench.call()
        let call = try await backends[0].call()
        try await backends[0].answer(call, [3])
        _ = try await reply.outcome
        return call.envelope != old.envelope
      }
      try await backends[0].answer(old, [4])
      #expect(try await before.outcome == .result([4]))
      #expect(await bench.connectedEndpoints == 1)
    }
  }

  @Test("a call that is not answered in time is told how long the backend had it, and what came meanwhile")
  func silence() async throws {
    try await CallBench.with { bench, backends in
      let first = await bench.call("m", within: .milliseconds(300))
      let silent = try await backends[0].call()
      for _ in 0..<3 {
        let other = await bench.call("other")
        try await backends[0].answer(try await backends[0].call(), [1])
        #expect(try await other.outcome == .result([1]))
      }
      #expect(try await first.outcome == .failed(.init(.timeout, sent: true)))
      let silence = try #require(first.silence)
      #expect(silence.queued == .zero)
      #expect(silence.waited >= .milliseconds(300))
      #expect(try #require(silence.connected) >= silence.waited)
      #expect(silence.answeredMeanwhile == 3)
      // Its reply is counted, and so is its time.
      try await backends[0].answer(silent, [2])
      try await eventually("the late reply") { await bench.counters.lateReplies.count == 1 }
      let counters = await bench.counters
      #expect(counters.timeouts == 1 && counters.queueTimeouts == 0)
      #expect(counters.lateReplies.timed == 1)
      #expect(counters.lateReplies.longest >= .milliseconds(300))
    }
  }

  @Test("late replies count in what the method usually takes, those of callers that left too")
  func lateReplies() async throws {
    try await CallBench.with { bench, backends in
      for number in 0..<10 {
        let reply = await bench.call("slow", within: number < 8 ? .milliseconds(20) : .seconds(20))
        let call = try await backends[0].call()
        if number < 8 { _ = try await reply.outcome } else { await bench.cancel(reply) }
        try await backends[0].answer(call, [1])
        try await eventually("the late reply") { await bench.counters.lateReplies.timed == number + 1 }
      }
      #expect(try #require(await bench.percentile95(of: "slow")) >= .milliseconds(20))
      #expect(await bench.percentile95(of: "other") == nil)
    }
  }

  @Test("a deadline shorter than the least silence says nothing of the backend; one as long does")
  func shortDeadlines() async throws {
    var options = RPCOptions()
    options.leastSilence = .milliseconds(200)
    try await CallBench.with(options: options) { bench, backends in
      for timeout in [Duration.nanoseconds(1_000), .milliseconds(1), .milliseconds(20)] {
        for _ in 0..<options.timeoutsBeforeReplacement {
          let outcome = try await bench.call(within: timeout).outcome
          #expect(outcome == .failed(.init(.timeout, sent: true)))
        }
      }
      #expect(await bench.counters.replacedConnections == 0)
      for number in 1...options.timeoutsBeforeReplacement {
        let outcome = try await bench.call(within: options.leastSilence).outcome
        #expect(outcome == .failed(.init(.timeout, sent: true)))
        #expect(await bench.counters.replacedConnections == (number < options.timeoutsBeforeReplacement ? 0 : 1))
      }
      #expect(backends.count == 1)
    }
  }
}
