import Reactor
import Support
import Testing
import ZeroMQ

@testable import ZeroMQRPC

/// The client in front of backends that read nothing.
@Suite("the queue of the rpc client", .inTurn(minutes: 3))
struct CallQueueTests {
  @Test(
    "what a full backend does not take waits in the client, expires there as not sent, and goes out when there is room")
  func queue() async throws {
    var options = RPCOptions()
    options.sendHighWaterMark = 1
    options.timeoutsBeforeReplacement = 1_000
    var full = SocketOptions()
    full.receiveHighWaterMark = 1
    try await CallBench.with(options: options, backend: full) { bench, backends in
      await backends[0].pause(true)
      let long = [0xC6, 0, 16, 0, 0] + [UInt8](repeating: 7, count: 1 << 20)
      var replies: [CallBench.Reply] = []
      for _ in 0..<24 { replies.append(await bench.call("long", long, within: .milliseconds(600))) }
      let waiting = await bench.call("short", [0x91, 9], within: .seconds(20))
      var outcomes: [CallBench.Outcome] = []
      for reply in replies { outcomes.append(try await reply.outcome) }
      let sent = outcomes.filter { $0 == .failed(.init(.timeout, sent: true)) }
      let unsent = outcomes.filter { $0 == .failed(.init(.queueTimeout, sent: false)) }
      #expect(sent.count + unsent.count == 24)
      #expect(!sent.isEmpty && !unsent.isEmpty)
      #expect(await bench.counters.timeouts == sent.count)
      #expect(await bench.counters.queueTimeouts == unsent.count)
      #expect(waiting.now == nil)
      // What was sent is there, what expired in the queue never comes, what still waited does.
      await backends[0].pause(false)
      for _ in sent { #expect(try await backends[0].call().method == "long") }
      let call = try await backends[0].call()
      #expect(call.method == "short")
      #expect(call.arguments == [0x91, 9])
      #expect(call.keywords == [0x80])
      try await backends[0].answer(call, [1])
      #expect(try await waiting.outcome == .result([1]))
      #expect(await bench.callsUnderWay == 0)
    }
  }

  @Test(
    "as many calls wait as may; the next is refused, and taken when one has left the queue", arguments: [0, 1, 5])
  func fullQueue(most: Int) async throws {
    var options = RPCOptions()
    options.sendHighWaterMark = 1
    var full = SocketOptions()
    full.receiveHighWaterMark = 1
    try await CallBench.with(options: options, backend: full, waiting: most) { bench, backends in
      await backends[0].pause(true)
      let long = [0xC6, 0, 16, 0, 0] + [UInt8](repeating: 7, count: 1 << 20)
      var replies: [CallBench.Reply] = []
      repeat { replies.append(await bench.call("long", long)) } while replies.last?.now == nil && replies.count < 100
      #expect(replies.last?.now == .failed(.init(.queueFull, sent: false)))
      #expect(await bench.callsUnderWay == replies.count - 1)
      // The last of those that were taken wait, as many as may.
      guard most > 0 else { return }
      await bench.cancel(replies[replies.count - 2])
      let next = await bench.call("next")
      #expect(next.now == nil)
      // The socket may have taken one meanwhile, which makes room for another.
      var last = await bench.call()
      for _ in 0..<1_000 where last.now == nil { last = await bench.call() }
      #expect(last.now == .failed(.init(.queueFull, sent: false)))
      await backends[0].pause(false)
      // The one that was cancelled is among the long ones if there was room for it after all.
      var call = try await backends[0].call()
      while call.method == "long" { call = try await backends[0].call() }
      #expect(call.method == "next")
      try await backends[0].answer(call, [1])
      #expect(try await next.outcome == .result([1]))
      for _ in 0..<most { #expect(await bench.call().now == nil) }
    }
  }

  @Test("a call waits no longer than it may, and has its own deadline when it was sent before that")
  func longestWait() async throws {
    var options = RPCOptions()
    options.sendHighWaterMark = 1
    options.timeoutsBeforeReplacement = 1_000
    options.longestWait = .milliseconds(300)
    var full = SocketOptions()
    full.receiveHighWaterMark = 1
    try await CallBench.with(options: options, backend: full) { bench, backends in
      await backends[0].pause(true)
      let long = [0xC6, 0, 16, 0, 0] + [UInt8](repeating: 7, count: 1 << 20)
      var replies: [CallBench.Reply] = []
      for _ in 0..<24 { replies.append(await bench.call("long", long)) }
      let unsent = CallBench.Outcome.failed(.init(.queueTimeout, sent: false))
      // Long before their deadline, which is that of the test's patience.
      // They are given up in the order in which they came.
      let waited = try await eventually("those that wait are given up") {
        replies.last?.now == nil ? nil : replies.filter { $0.now != nil }
      }
      #expect(waited.allSatisfy { $0.now == unsent })
      #expect(await bench.counters.queueTimeouts > 0)
      // Sent at once, and answered after more than that time: its deadline counts.
      await backends[0].pause(false)
      for _ in waited.count..<replies.count { try await backends[0].answer(try await backends[0].call(), [1]) }
      try await eventually("all are answered") { await bench.callsUnderWay == 0 }
      let slow = await bench.call("slow")
      let call = try await backends[0].call()
      let end = Instant.monotonic() + .milliseconds(400)
      try await eventually("longer than a call may wait") { Instant.monotonic() > end }
      #expect(slow.now == nil)
      try await backends[0].answer(call, [2])
      #expect(try await slow.outcome == .result([2]))
    }
  }

  @Test("the lowest are refused first: each priority fills its part of the limit, and the highest all of it")
  func priorities() async throws {
    var options = RPCOptions()
    (options.shares.low, options.shares.normal) = (30, 60)
    try await CallBench.with(options: options, limit: 10) { bench, backends in
      let refused = CallBench.Outcome.failed(.init(.overloaded, sent: false))
      func fill(_ priority: CallPriority, upTo count: Int) async {
        while await bench.callsUnderWay < count { #expect(await bench.call(priority: priority).now == nil) }
        #expect(await bench.call(priority: priority).now == refused)
      }
      await fill(.low, upTo: 3)
      await fill(.normal, upTo: 6)
      #expect(await bench.call(priority: .low).now == refused)
      await fill(.high, upTo: 10)
      for priority in [CallPriority.low, .normal] { #expect(await bench.call(priority: priority).now == refused) }
      let shed = await bench.counters.shed
      #expect([shed[.low], shed[.normal], shed[.high]] == [3, 2, 1])
      // One that has ended makes room for the highest alone.
      try await backends[0].answer(try await backends[0].call(), [1])
      try await eventually("a place is free") { await bench.callsUnderWay == 9 }
      #expect(await bench.call(priority: .normal).now == refused)
      #expect(await bench.call(priority: .high).now == nil)
    }
  }

  @Test("queued calls fail as not sent when the last backend goes")
  func queueLost() async throws {
    var options = RPCOptions()
    options.sendHighWaterMark = 1
    var full = SocketOptions()
    full.receiveHighWaterMark = 1
    try await CallBench.with(options: options, backend: full) { bench, backends in
      await backends[0].pause(true)
      let long = [0xC6, 0, 16, 0, 0] + [UInt8](repeating: 7, count: 1 << 20)
      var replies: [CallBench.Reply] = []
      for _ in 0..<24 { replies.append(await bench.call("long", long)) }
      await backends[0].close()
      var codes: Set<CallFailure> = []
      for reply in replies { if case .failed(let failure) = try await reply.outcome { codes.insert(failure) } }
      #expect(codes == [.init(.backendLost, sent: true), .init(.noBackend, sent: false)])
      #expect(await bench.callsUnderWay == 0)
    }
  }
}
