import Dispatch
import MessagePack
import Reactor
import Support
import Testing
import ZeroMQ

@testable import ZeroMQRPC

/// Methods that take their time, and what a service does when that is over.
@Suite("the time of a service's methods", .inTurn(minutes: 3)) struct ServiceTimeTests {
  @Test("RPC-15: a quick call overtakes a slow one")
  func overtakes() async throws {
    let (entered, gate) = (Tally(), Tally())
    try await ServiceBench.with(ServiceLifeTests.methods(entered, gate: gate)) { bench in
      let client = try await bench.client()
      try await client.sendSoon(ServiceBench.request(1, "wait"))
      await entered.reaches(1)
      try await client.sendSoon(ServiceBench.request(2, "ping"))
      #expect(try await client.reply().number == 2)
      gate.countUp()
      #expect(try await client.reply().number == 1)
    }
  }

  @Test("RPC-13: at the end of its time a method is cancelled, and its caller told at once")
  func timeout() async throws {
    let (entered, cancelled, clock) = (Tally(), Tally(), ManualClock())
    try await ServiceBench.with(
      ServiceLifeTests.methods(entered, cancelled), clock: clock, options: { $0.timeout = .seconds(5) }
    ) {
      bench in
      let client = try await bench.client()
      try await client.sendSoon(ServiceBench.request(1, "sleep"))
      await entered.reaches(1)
      clock.advance(by: .milliseconds(4_990))
      bench.reactor.wake()
      try await client.sendSoon(ServiceBench.request(2, "ping"))
      #expect(try await client.reply().number == 2)
      clock.advance(by: .milliseconds(20))
      bench.reactor.wake()
      let reply = try await client.reply()
      #expect(reply.number == 1)
      #expect(try reply.exception == RemoteException("builtins.TimeoutError", []))
      await cancelled.reaches(1)
      try await eventually("the method has ended") { await bench.service.counters.running == 0 }
      #expect(await bench.service.counters == ServiceCounters(timedOut: 1))
    }
  }

  @Test("RPC-13: a method that goes on after its time is counted and logged, and its late result dropped")
  func stuck() async throws {
    let (entered, gate, clock, log) = (Tally(), Tally(), ManualClock(), RecordingLog())
    try await ServiceBench.with(
      ServiceLifeTests.methods(entered, gate: gate), clock: clock,
      options: {
        $0.timeout = .seconds(5)
        $0.concurrency = 1
        $0.logger = log.logger()
      }
    ) { bench in
      let client = try await bench.client()
      try await client.sendSoon(ServiceBench.request(1, "wait"))
      await entered.reaches(1)
      clock.advance(by: .seconds(6))
      bench.reactor.wake()
      #expect(try await client.reply().isException)
      #expect(await bench.service.counters == ServiceCounters(running: 1, timedOut: 1))
      clock.advance(by: .seconds(2))
      bench.reactor.wake()
      try await eventually("it is stuck") { await bench.service.counters.stuck == 1 }
      // It is counted first.
      try await eventually("it is logged") {
        log.lines.contains { $0.hasPrefix("error: a method goes on") && $0.contains("method=wait") }
      }
      gate.countUp()
      try await client.sendSoon(ServiceBench.request(2, "ping"))
      #expect(try await client.reply().number == 2)
      #expect(await bench.service.counters == ServiceCounters(timedOut: 1))
    }
  }

  @Test("RPC-13: a method that is not async cannot be cut: its result comes late, and is counted and logged")
  func overrun() async throws {
    let log = RecordingLog()
    var methods = Methods()
    methods.add("block") { (call: CallContext) in
      while let deadline = call.deadline, deadline >= .now {}
      return "late"
    }
    methods.add("ping") { "pong" }
    func options(_ options: inout ServiceOptions) {
      options.timeout = .milliseconds(20)
      options.logger = log.logger()
    }
    try await ServiceBench.with(methods, options: options) { bench in
      let client = try await bench.client()
      for number in 1...3 {
        try await client.sendSoon(ServiceBench.request(UInt8(number), "block"))
        #expect(try await client.reply().value == "late")
      }
      #expect(await bench.service.counters == ServiceCounters(overran: 3))
    }
    // The first, the second, the fourth: a method that is always late does not fill the log.
    let told = log.lines.filter { $0.hasPrefix("error: a method that is not async was stuck") }
    #expect(told.count == 2 && told.allSatisfy { $0.contains("method=block") })
    // One that is in time is not counted, nor is any without a time.
    func patient(_ options: inout ServiceOptions) { options.timeout = .seconds(100) }
    for configure in [patient, { _ in }] {
      try await ServiceBench.with(methods, options: configure) { bench in
        let client = try await bench.client()
        try await client.sendSoon(ServiceBench.request(1, "ping"))
        #expect(try await client.reply().value == "pong")
        #expect(await bench.service.counters == ServiceCounters())
      }
    }
  }

  @Test("RPC-13: a method that is not async and does not come back is counted and logged while it holds the reactor")
  func held() async throws {
    let (entered, gate, log) = (Tally(), DispatchSemaphore(value: 0), RecordingLog())
    var methods = Methods()
    methods.add("quick") { "pong" }
    methods.add("block") {
      entered.countUp()
      gate.wait()
      return "late"
    }
    func options(_ options: inout ServiceOptions) {
      options.timeout = .milliseconds(20)
      options.logger = log.logger()
    }
    try await ServiceBench.with(methods, options: options) { bench in
      // Before the service is closed, which the method would hold up.
      defer { gate.signal() }
      let client = try await bench.client()
      // So that the look after this one finds another.
      try await client.sendSoon(ServiceBench.request(1, "quick"))
      #expect(try await client.reply().value == "pong")
      for number in 2...3 {
        try await client.sendSoon(ServiceBench.request(UInt8(number), "block"))
        await entered.reaches(number - 1)
        try await eventually("it is stuck") { await bench.service.counters.stuck == 1 }
        gate.signal()
        #expect(try await client.reply().value == "late")
        #expect(await bench.service.counters == ServiceCounters(overran: number - 1))
      }
    }
    let told = log.lines.filter { $0.hasPrefix("error: a method that is not async is stuck") }
    #expect(told.count == 2 && told.allSatisfy { $0.contains("method=block") })
  }

  @Test(
    "RPC-13: what a service counts is told while a method of another one holds the reactor", arguments: [true, false])
  func heldByAnother(isTimed: Bool) async throws {
    let (entered, gate) = (Tally(), DispatchSemaphore(value: 0))
    var methods = Methods()
    methods.add("block") {
      entered.countUp()
      gate.wait()
    }
    try await ServiceBench.with(methods) { bench in
      defer { gate.signal() }
      let other = try await RPCService.start(Methods(), on: bench.reactor, in: bench.context) {
        $0.timeout = isTimed ? .seconds(100) : nil
        $0.grace = .zero
      }
      bench.cleanup.add { await other.close() }
      let client = try await bench.client()
      try await client.sendSoon(ServiceBench.request(1, "block"))
      await entered.reaches(1)
      #expect(await other.counters == ServiceCounters())
    }
  }

  @Test("RPC-13: a method may know when its time is up")
  func deadline() async throws {
    var methods = Methods()
    methods.add("left") { (call: CallContext) in
      call.deadline.map { (ContinuousClock.now.duration(to: $0) / .seconds(1)) }
    }
    try await ServiceBench.with(methods, options: { $0.timeout = .seconds(100) }) { bench in
      let client = try await bench.client()
      try await client.sendSoon(ServiceBench.request(1, "left"))
      let left = try #require(try await client.reply().value.doubleValue)
      #expect((50.0...100).contains(left))
    }
    try await ServiceBench.with(methods) { bench in
      let client = try await bench.client()
      try await client.sendSoon(ServiceBench.request(1, "left"))
      #expect(try await client.reply().value == .nil)
    }
  }
}
