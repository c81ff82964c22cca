import Reactor
import Support
import Testing
import ZeroMQ

@testable import ZeroMQRPC

/// An engine whose backends connect to it, played by the test.
@Suite("calls to backends that dial in", .inTurn(minutes: 3))
struct BoundEngineTests {
  /// Runs the body with a bound client, and a way to have a backend connect.
  private func with(
    options: RPCOptions = .init(), waiting: Int? = nil, backend: SocketOptions = .init(),
    _ body: (CallBench, @escaping () async throws -> WireSocket) async throws -> Void
  ) async throws {
    let directory = try TemporaryDirectory()
    let context = try Context()
    let endpoint = directory.endpoint("client")
    try await Cleanup.with { cleanup in
      try await CallBench.with(bind: [Endpoint(endpoint)], options: options, waiting: waiting, in: context) { bench in
        try await body(bench) {
          let socket = try await WireSocket(.router, connect: endpoint, options: backend, in: context)
          cleanup.add { await socket.close() }
          return socket
        }
      }
    }
  }

  @Test("without a backend a call is refused as not sent; with one it is answered; without it again, refused at once")
  func comesAndGoes() async throws {
    try await with { bench, dial in
      #expect(await bench.call().now == .failed(.init(.noBackend, sent: false, reason: .noPeer)))
      for _ in 0..<3 {
        let backend = try await dial()
        try await eventually("it is connected") { await bench.isConnected }
        let reply = await bench.call()
        try await backend.answer(try await backend.call(), [7])
        #expect(try await reply.outcome == .result([7]))
        let lost = await bench.call()
        _ = try await backend.call()
        await backend.close()
        #expect(try await lost.outcome == .failed(.init(.backendLost, sent: true)))
        #expect(await bench.call().now == .failed(.init(.noBackend, sent: false, reason: .noPeer)))
        #expect(await bench.callsUnderWay == 0)
      }
    }
  }

  @Test("two share the calls; when one goes, its calls wait for their deadline, and the other has all that follow")
  func two() async throws {
    try await with { bench, dial in
      let first = try await dial()
      try await eventually("it is connected") { await bench.isConnected }
      let second = try await dial()
      try await eventually("both have calls") {
        _ = await bench.call("probe", within: .milliseconds(100))
        let counts = [await first.waiting, await second.waiting]
        return counts.allSatisfy { $0 > 0 }
      }
      try await eventually("no call is under way") { await bench.callsUnderWay == 0 }
      for socket in [first, second] { while await socket.receiveNow() != nil {} }
      let time = Duration.milliseconds(700)
      let replies = [await bench.call("m", within: time), await bench.call("m", within: time)]
      let call = try await second.call()
      _ = try await first.call()
      await first.close()
      try await eventually("the other one has all") {
        for _ in 0..<4 { _ = await bench.call("probe", within: .milliseconds(500)) }
        var probes = 0
        while let frames = await second.receiveNow() { probes += frames.count == 5 ? 1 : 0 }
        return probes >= 4
      }
      try await second.answer(call, [1])
      let outcomes = [try await replies[0].outcome, try await replies[1].outcome]
      #expect(outcomes.contains(.result([1])))
      #expect(outcomes.contains(.failed(.init(.timeout, sent: true))))
      let silent = replies.compactMap(\.silence)
      #expect(silent.count == 1)
      #expect((silent[0].connected ?? .zero) < silent[0].waited, "a backend was lost meanwhile")
    }
  }

  /// Calls a backend that reads nothing until each call has been refused for a tenth of a second: libzmq takes some from the queue a
  /// moment later. Returns those that were taken; the last two of them wait.
  private func fill(_ bench: CallBench) async throws -> [CallBench.Reply] {
    let arguments = [UInt8](repeating: 0xC0, count: 1 << 20)
    var taken: [CallBench.Reply] = []
    var refusedSince: Instant?
    try await eventually("nothing more is taken") {
      let reply = await bench.call("m\(taken.count)", arguments)
      guard reply.now == .failed(.init(.queueFull, sent: false)) else {
        taken.append(reply)
        refusedSince = nil
        return false
      }
      let since = refusedSince ?? .monotonic()
      refusedSince = since
      return Instant.monotonic() - since > .milliseconds(100)
    }
    return taken
  }

  /// Both sides hold one message at most.
  private static let small = {
    var options = RPCOptions()
    options.sendHighWaterMark = 1
    var backend = SocketOptions()
    backend.receiveHighWaterMark = 1
    return (options, backend)
  }()

  @Test("what waits when the last one goes was not sent, and what was may have run")
  func waiting() async throws {
    try await with(options: Self.small.0, waiting: 2, backend: Self.small.1) { bench, dial in
      let backend = try await dial()
      try await eventually("it is connected") { await bench.isConnected }
      await backend.pause(true)
      let replies = try await fill(bench)
      await backend.close()
      var outcomes: [CallBench.Outcome: Int] = [:]
      for reply in replies { outcomes[try await reply.outcome, default: 0] += 1 }
      #expect(outcomes[.failed(.init(.noBackend, sent: false))] == 2)
      #expect(outcomes[.failed(.init(.backendLost, sent: true))] == replies.count - 2)
      #expect(replies.count > 2)
    }
  }

  @Test("a call that waits goes to the next one that dials in, or is cancelled and never sent")
  func room() async throws {
    try await with(options: Self.small.0, waiting: 2, backend: Self.small.1) { bench, dial in
      let full = try await dial()
      try await eventually("it is connected") { await bench.isConnected }
      await full.pause(true)
      let replies = try await fill(bench)
      await bench.cancel(replies[replies.count - 2])
      let free = try await dial()
      let call = try await free.call()
      #expect(call.method == "m\(replies.count - 1)")
      try await free.answer(call, [9])
      #expect(try await replies[replies.count - 1].outcome == .result([9]))
      #expect(replies[replies.count - 2].now == nil)
    }
  }

  @Test("silence neither replaces the socket nor opens a breaker")
  func silence() async throws {
    var options = RPCOptions()
    options.leastSilence = .milliseconds(10)
    try await with(options: options) { bench, dial in
      let backend = try await dial()
      try await eventually("it is connected") { await bench.isConnected }
      for _ in 0..<12 {
        let reply = await bench.call("m", within: .milliseconds(20))
        #expect(try await reply.outcome == .failed(.init(.timeout, sent: true)))
      }
      #expect(await bench.counters.replacedConnections == 0)
      while await backend.receiveNow() != nil {}
      let reply = await bench.call()
      try await backend.answer(try await backend.call(), [3])
      #expect(try await reply.outcome == .result([3]))
    }
  }

  @Test("one whose kind of socket does not fit is no backend, and takes none away")
  func misfit() async throws {
    let directory = try TemporaryDirectory()
    let context = try Context()
    let endpoint = directory.endpoint("client")
    try await CallBench.with(bind: [Endpoint(endpoint)], in: context) { bench in
      try await Cleanup.with { cleanup in
        let right = try await WireSocket(.router, connect: endpoint, in: context)
        cleanup.add { await right.close() }
        try await eventually("it is connected") { await bench.isConnected }
        for _ in 0..<5 {
          let wrong = try await WireSocket(.push, connect: endpoint, in: context)
          cleanup.add { await wrong.close() }
          let reply = await bench.call()
          try await right.answer(try await right.call(), [4])
          #expect(try await reply.outcome == .result([4]))
        }
        #expect(await bench.isConnected)
        await right.close()
        try await eventually("the loss is noticed") { await !bench.isConnected }
      }
    }
  }

  @Test("a path that somebody listens at is not taken away, and what is no socket is not removed")
  func inUse() async throws {
    let directory = try TemporaryDirectory()
    let context = try Context()
    let endpoint = directory.endpoint("client")
    let taken = try await WireSocket(.pull, bind: endpoint, in: context)
    await #expect(throws: ZMQError.self) {
      try await CallBench.with(bind: [Endpoint(endpoint)], in: context) { _ in }
    }
    let sender = try await WireSocket(.push, connect: endpoint, in: context)
    try await eventually("a message is taken") { try await sender.send([[1]]) }
    #expect(try await taken.receive() == [[1]])
    for socket in [sender, taken] { await socket.close() }
    let file = try directory.file("file", "text")
    let error = await #expect(throws: ZMQError.self) {
      try await CallBench.with(bind: [Endpoint("ipc://\(file)")], in: context) { _ in }
    }
    #expect(error?.code == .exists)
    #expect(error?.call == "bind to ipc://\(file)")
  }
}
