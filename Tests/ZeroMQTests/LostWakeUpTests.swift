import CZeroMQ
import Reactor
import Support
import Testing

@testable import ZeroMQ

/// libzmq's descriptor fires once for what comes in. Whoever makes libzmq look at it has to see to it that the socket is looked at too.
@Suite("what is done beside the turns of a socket", .inTurn(minutes: 3))
struct LostWakeUpTests {
  enum Disturbance: CaseIterable { case readiness, description, options, endpoints, pausing, sending, monitors }

  @Test(
    "leaves no message lying", arguments: ["tcp://127.0.0.1:*", "ipc", "inproc://lost"], Disturbance.allCases)
  func messages(endpoint: String, disturbance: Disturbance) async throws {
    try await Peers.with { peers in
      let endpoint = endpoint == "ipc" ? peers.directory.endpoint("a") : endpoint
      let (taker, giver) = try await peers.pair(.dealer, .dealer, at: endpoint)
      let isOver = Guarded(false)
      let disturbing = Task {
        while !isOver.withLock({ $0 }) {
          try await taker.transport.disturb(disturbance)
          await Task.yield()
        }
      }
      defer { isOver.withLock { $0 = true } }
      // One at a time: with another one behind it, it would be found in time.
      for number in 1...300 {
        await giver.write([1])
        _ = try await eventually("message \(number)", within: .seconds(10)) {
          taker.notes.messages.count >= number ? 1 : nil
        }
      }
      isOver.withLock { $0 = true }
      try await disturbing.value
    }
  }

  @Test("asks for libzmq's events by its number: refused, for it would take a message's wake-up") func events()
    async throws
  {
    try await Peers.with { peers in
      let it = try await peers.peer(.pull)
      let error = await failure { try await it.transport.option(.int32(ZMQ_EVENTS)) }
      #expect(error?.code == .invalid)
      #expect(error?.call.contains("use Socket.readiness") == true)
    }
  }

  @Test("leaves nothing in the buffer that is written to a transport of a paused proxy") func pausedProxy() async throws
  {
    try await Peers.with { peers in
      let front = try await peers.peer(.pull, bind: [Peers.any])
      let back = try await peers.peer(.push, bind: [Peers.any], options: { $0.sendHighWaterMark = 2 })
      let elsewhere = try Reactor()
      let sink = try await MessageStream.open(.pull, connect: back.transport.bindings, on: elsewhere, in: peers.context)
      {
        $0.receiveHighWaterMark = 2
      }
      let it = Proxy(front.transport, back.transport)
      await it.pause()
      let running = Task { try await it.run() }
      try await eventually("it runs") { await it.isRunning }
      let looking = Task { while !Task.isCancelled { _ = await front.transport.description } }
      for round in 0..<200 {
        for number in 0..<20 { await back.write([UInt8(number)]) }
        for number in 0..<20 {
          let message = try await eventually("message \(number) of round \(round)", within: .seconds(10)) {
            sink.readBufferSize > 0 ? try await sink.read() : nil
          }
          #expect(message == [[UInt8(number)]])
        }
      }
      looking.cancel()
      running.cancel()
      try await running.value
      await sink.close()
      await elsewhere.stop()
    }
  }
}

extension Transport {
  fileprivate func disturb(_ disturbance: LostWakeUpTests.Disturbance) throws {
    switch disturbance {
    case .readiness: _ = try inner?.readiness
    case .description: _ = description
    case .options: try set(.linger, to: option(.linger))
    case .endpoints:
      try connect("inproc://nobody")
      try disconnect("inproc://nobody")
    case .pausing:
      try pauseReading()
      try resumeReading()
    case .sending: write([[2]])
    case .monitors: _ = try monitor()
    }
  }
}
