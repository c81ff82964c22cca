import MessagePack
import Reactor
import Support
import Testing
import ZeroMQ
import ZeroMQRPC

@Suite("what ends a client's calls", .inTurn(minutes: 3)) struct RPCClientTimeTests {
  private func methods(_ hold: Hold) -> Methods {
    var methods = Methods()
    methods.add("hold") { () async -> Int in
      await hold.enter()
      return 1
    }
    methods.add("quick") { 2 }
    return methods
  }

  @Test("RPC-10, RPC-11: after its time a call throws; its late reply is counted, and calls go on") func timeout()
    async throws
  {
    let hold = Hold()
    try await ClientBench.with(methods(hold), timeout: .milliseconds(50)) { _, client in
      try await client.withTimeout(.seconds(20)).call.quick()
      #expect(try await failure { try await client.call.hold() } == CallFailure(.timeout, sent: true))
      #expect(await client.callsUnderWay == 0)
      hold.release()
      try await eventually("the late reply comes") { await client.counters.lateReplies.count == 1 }
      let quick: Int = try await client.withTimeout(nil).call.quick()
      #expect(quick == 2)
    }
  }

  @Test(
    "RPC-12, SERV-6: without a time a call waits as long as it takes; a time is given to a client, a value or a scope")
  func scopes() async throws {
    let hold = Hold()
    try await ClientBench.with(methods(hold)) { _, client in
      #expect(client.timeout == nil)
      async let held: Int = client.call.hold()
      await hold.entered.reaches(1)
      let short = Duration.milliseconds(50)
      let expired = CallFailure(.timeout, sent: true)
      #expect(try await failure { try await client.withTimeout(short).call.hold() } == expired)
      #expect(try await failure { try await client.withTimeout(short) { try await $0.call.hold() } } == expired)
      let two: Int = try await client.withTimeout(short) { try await $0.withTimeout(nil).call.quick() }
      #expect(two == 2)
      hold.release()
      #expect(try await held == 1)
    }
  }

  @Test("a cancelled task throws CancellationError, and its call's place is free at once") func cancel() async throws {
    let hold = Hold()
    try await ClientBench.with(methods(hold), { $0.callsUnderWay = 1 }) { _, client in
      let task = Task { try await client.call.hold() as Int }
      await hold.entered.reaches(1)
      #expect(try await failure { try await client.call.quick() } == CallFailure(.overloaded, sent: false))
      task.cancel()
      await #expect(throws: CancellationError.self) { try await task.value }
      #expect(await client.callsUnderWay == 0)
      #expect(try await client.call.quick() == 2)
      hold.release()
      try await eventually("the late reply comes") { await client.counters.lateReplies.count == 1 }
    }
  }

  @Test("a task that was cancelled before sends nothing") func cancelledBefore() async throws {
    let hold = Hold()
    try await ClientBench.with(methods(hold), timeout: .seconds(20)) { _, client in
      try await client.call.quick()
      let ready = Tally()
      let task = Task {
        await ready.reaches(1)
        return try await client.call.hold() as Int
      }
      task.cancel()
      ready.countUp()
      await #expect(throws: CancellationError.self) { try await task.value }
      try await client.call.quick()
      #expect(hold.entered.count == 0)
    }
  }

  @Test("before a service is there calls wait, in their order, until their deadline; the queue is bounded") func early()
    async throws
  {
    try await ClientBench.with { bench in
      let endpoint = bench.endpoint("later")
      let client = try await bench.client([endpoint], timeout: .seconds(20)) { $0.waitingCalls = 2 }
      let short = client.withTimeout(.milliseconds(50))
      #expect(try await failure { try await short.call.add("x") } == CallFailure(.queueTimeout, sent: false))
      var order: [Task<Int, any Error>] = []
      for number in 0..<2 {
        order.append(Task { try await client.call.next(number) })
        try await eventually("it waits") { await client.callsUnderWay == number + 1 }
      }
      #expect(try await failure { try await client.call.next(2) } == CallFailure(.queueFull, sent: false))
      let came = Guarded<[Int]>([])
      var methods = Methods()
      methods.add("next", "n") { (n: Int) in
        came.withLock { $0.append(n) }
        return n
      }
      let service = try await bench.serve(methods, bind: [endpoint])
      #expect(try await order[0].value == 0)
      #expect(try await order[1].value == 1)
      #expect(came.withLock { $0 } == [0, 1])
      // After a loss it is as it was before.
      await service.close()
      await service.waitClosed()
      try await eventually("it is gone") { try await client.transport.connectedEndpoints == 0 }
      #expect(try await failure { try await short.call.next(3) } == CallFailure(.queueTimeout, sent: false))
    }
  }

  @Test("with failFast a call without a service fails at once") func failFast() async throws {
    try await ClientBench.with { bench in
      let client = try await bench.client([bench.endpoint("nobody")]) { $0.failFast = true }
      let found = try await failure { try await client.call.add(1) }
      #expect(found?.code == .noBackend && found?.sent == false)
    }
  }

  @Test("RPC-16, RPC-17, EXC-10: closing ends the calls that wait and those that were sent; then it is closed")
  func close() async throws {
    let hold = Hold()
    try await ClientBench.with(methods(hold)) { bench, client in
      let idle = try await bench.client([bench.endpoint("nobody")])
      let (sent, waiting) = (
        Task { try await failure { try await client.call.hold() } },
        Task { try await failure { try await idle.call.x() } }
      )
      await hold.entered.reaches(1)
      try await eventually("one waits") { await idle.callsUnderWay == 1 }
      async let closed: Void = client.waitClosed()
      for client in [client, idle] {
        await client.close()
        await client.close()
        await client.waitClosed()
        #expect(try await failure { try await client.call.quick() } == CallFailure(.closed, sent: false))
        await #expect(throws: CallFailure(.closed, sent: false)) { try await client.transport }
      }
      await closed
      #expect(try await sent.value == CallFailure(.closed, sent: true))
      #expect(try await waiting.value == CallFailure(.closed, sent: false))
      hold.release()
    }
  }

  @Test("when the last copy is gone, the sockets close") func dropped() async throws {
    try await ClientBench.with { bench in
      let endpoint = bench.endpoint("client")
      do {
        let client = try await RPCClient.bind([endpoint], on: bench.reactor, in: bench.context)
        #expect(try await client.transport.bindings.count == 1)
      }
      try await expectFree(endpoint, bench.cleanup)
    }
  }
}
