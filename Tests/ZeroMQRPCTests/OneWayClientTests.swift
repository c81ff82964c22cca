import Support
import Testing
import ZeroMQ

@testable import ZeroMQRPC

@Suite("the one-way client", .inTurn(minutes: 3))
struct OneWayClientTests {
  private static let anyPort = "tcp://127.0.0.1:*"

  @Test(
    "PIPE-1: a call goes to a worker, over any transport",
    arguments: ["tcp://127.0.0.1:*", "ipc://*", "inproc://worker"])
  func push(endpoint: String) async throws {
    try await OneWayBench.with { bench, cleanup in
      let worker = try await WireSocket(.pull, bind: endpoint, in: bench.context)
      cleanup.add { await worker.close() }
      try await bench.open(.pipeline, connect: [await worker.endpoint])
      try await eventually("it is connected") { await bench.isConnected }
      #expect(try await bench.send("job", [0x91, 5]) == nil)
      #expect(try await worker.receive() == [Array("job".utf8), [0x91, 5], [0x80]])
    }
  }

  @Test("without a worker there is no backend, whoever has to connect", arguments: [true, false])
  func nobody(isBound: Bool) async throws {
    try await OneWayBench.with { bench, _ in
      let directory = try TemporaryDirectory()
      let endpoint = directory.endpoint("nobody")
      try await bench.open(.pipeline, bind: isBound ? [endpoint] : [], connect: isBound ? [] : [endpoint])
      #expect(try await bench.send("job") == .init(.noBackend, sent: false, reason: isBound ? .noPeer : nil))
    }
  }

  @Test("a worker that has come to a bound endpoint gets calls, however many have come and gone before")
  func bound() async throws {
    try await OneWayBench.with { bench, cleanup in
      try await bench.open(.pipeline, bind: [Self.anyPort])
      let endpoint = await bench.clientBindings[0]
      for round in 0..<3 as Range<UInt8> {
        let worker = try await WireSocket(.pull, connect: endpoint)
        cleanup.add { await worker.close() }
        try await eventually("it takes calls") { try await bench.send("job", [0x91, round]) == nil }
        #expect(try await worker.receive()[1] == [0x91, round])
        await worker.close()
        try await eventually("nobody takes calls") {
          try await bench.send("job") == .init(.noBackend, sent: false, reason: .noPeer)
        }
      }
    }
  }

  @Test("a worker that is full takes no more calls, and what was refused was not sent")
  func full() async throws {
    try await OneWayBench.with { bench, cleanup in
      var small = SocketOptions()
      small.receiveHighWaterMark = 1
      let worker = try await WireSocket(.pull, bind: "ipc://*", options: small)
      cleanup.add { await worker.close() }
      await worker.pause(true)
      try await bench.open(.pipeline, connect: [await worker.endpoint])
      try await eventually("it is connected") { await bench.isConnected }
      let long = [0xC5, 0x40, 0] + [UInt8](repeating: 7, count: 16_384)
      var sent = 0
      while try await bench.send("job", long) == nil { sent += 1 }
      #expect(try await bench.send("job", long) == .init(.queueFull, sent: false))
      await worker.pause(false)
      for _ in 0..<sent { #expect(try await worker.receive().count == 3) }
      try await eventually("it takes calls again") { try await bench.send("last") == nil }
      #expect(try await worker.receive()[0] == Array("last".utf8))
    }
  }

  @Test("when its context ends it is not connected, and takes no more calls", arguments: [true, false])
  func terminated(isBound: Bool) async throws {
    try await OneWayBench.with { bench, cleanup in
      let worker = try await WireSocket(.pull, bind: "ipc://*")
      cleanup.add { await worker.close() }
      try await bench.open(
        .pipeline, bind: isBound ? [Self.anyPort] : [], connect: isBound ? [] : [await worker.endpoint])
      try await eventually("it is connected") { await bench.isConnected }
      await bench.context.close(within: .seconds(10))
      try await eventually("it is not connected") { await !bench.isConnected }
      #expect(try await bench.send("job") == .init(.closed, sent: false))
    }
  }

  @Test("closing closes the socket: its port is free, and later calls are refused", arguments: [false, true])
  func close(isDropped: Bool) async throws {
    try await OneWayBench.with { bench, cleanup in
      try await bench.open(.publish, bind: [Self.anyPort])
      let endpoint = await bench.clientBindings[0]
      #expect(try await bench.send("m", topic: "t") == nil)
      if isDropped {
        await bench.dropClient()
      } else {
        await bench.closeClient()
        #expect(try await bench.send("m", topic: "t") == .init(.closed, sent: false))
        #expect(await !bench.isConnected)
      }
      try await expectFree(endpoint, cleanup)
    }
  }

  @Test("a start that fails at its second endpoint leaves the first one free", arguments: [false, true])
  func failedStart(isSubscriber: Bool) async throws {
    try await OneWayBench.with { bench, cleanup in
      let taken = try await WireSocket(.pull, bind: Self.anyPort)
      cleanup.add { await taken.close() }
      // A port that was free a moment ago.
      let other = try await WireSocket(.pull, bind: Self.anyPort)
      let free = await other.endpoint
      await other.close()
      await #expect(throws: ZMQError.self) {
        if isSubscriber {
          try await bench.subscribe(bind: [free, await taken.endpoint])
        } else {
          try await bench.open(.publish, bind: [free, await taken.endpoint])
        }
      }
      try await expectFree(free, cleanup)
    }
  }
}

/// Passes when somebody else can bind there, soon.
func expectFree(_ endpoint: String, _ cleanup: Cleanup) async throws {
  // libzmq closes sockets on a thread of its own.
  let socket = try await eventually("the port is free") { try? await WireSocket(.pull, bind: endpoint) }
  cleanup.add { await socket.close() }
}
