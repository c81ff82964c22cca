import CZeroMQ
import Reactor
import Support
import Testing

@testable import ZeroMQ

@Suite("a proxy", .inTurn(minutes: 3))
struct ProxyEngineTests {
  private static func small() -> SocketOptions {
    var options = SocketOptions()
    (options.sendHighWaterMark, options.receiveHighWaterMark) = (10, 10)
    return options
  }

  @Test("queue: requests of many REQ reach REP through ROUTER and DEALER, and each gets its own reply")
  func queue() async throws {
    try await Stations.with { stations in
      let proxy = ProxyStation(stations)
      let ends = try await proxy.open(.router, .dealer)
      let context = try Context()
      do {
        let clients = try (0..<5).map { _ in try Socket(.request, in: context) }
        let server = try Socket(.reply, in: context)
        for client in clients { try client.connect(ends[0]) }
        try server.connect(ends[1])
        var message = ReceivedMessage()
        for round in UInt8(0)..<20 {
          for (index, client) in clients.enumerated() {
            #expect(try [UInt8(index), round].withUnsafeBytes { try client.send($0, more: false) })
          }
          for _ in clients {
            try await eventually("a request") { try message.receive(from: server) }
            #expect(try Array(message[0]).withUnsafeBytes { try server.send($0, more: true) })
            #expect(try [UInt8(7)].withUnsafeBytes { try server.send($0, more: false) })
          }
          for (index, client) in clients.enumerated() {
            try await eventually("the reply") { try message.receive(from: client) }
            #expect(message.count == 2)
            #expect(Array(message[0]) == [UInt8(index), round])
            #expect(Array(message[1]) == [7])
          }
        }
      }
      let statistics = await proxy.statistics
      #expect(statistics.forth.messages == 100)
      #expect(statistics.back.messages == 100)
      #expect([statistics.forth.dropped, statistics.back.dropped] == [0, 0])
      #expect(proxy.ends.withLock { $0.isEmpty })
    }
  }

  @Test("forwarder: subscriptions pass to publishers, and only what is subscribed to comes") func forwarder()
    async throws
  {
    try await Stations.with { stations in
      let proxy = ProxyStation(stations)
      let ends = try await proxy.open(.xSubscribe, .xPublish)
      let publisher = try await stations.open(.xPublish)
      let subscriber = try await stations.open(.subscribe)
      try await publisher.connect(ends[0])
      try await subscriber.connect(ends[1])
      try await subscriber.subscribe([5])
      #expect(try await publisher.has(1) == [[[1, 5]]])
      for number in UInt8(0)..<10 { #expect(try await publisher.send([[number], [1]])) }
      #expect(try await subscriber.has(1) == [[[5], [1]]])
      try await subscriber.unsubscribe([5])
      #expect(try await publisher.has(2)[1] == [[0, 5]])
      #expect(await proxy.statistics.forth.messages == 1)
    }
  }

  @Test("forwarder: a subscription that would spoil those behind it is dropped; those beside that length pass")
  func longSubscriptions() async throws {
    try await Stations.with { stations in
      let proxy = ProxyStation(stations)
      // Not over the wire, where a subscriber of this libzmq would spoil its own.
      let ends = try await proxy.open(.xSubscribe, .xPublish, at: "inproc://long")
      let publisher = try await stations.open(.xPublish)
      try await publisher.connect(ends[0])
      do {
        // Past this library, which sends none of them.
        let subscriber = try Socket(.xSubscribe, in: stations.context)
        try subscriber.connect(ends[1])
        for count in [245, 246, 250, 255, 256, 300, 1] {
          let frame = [1] + [UInt8](repeating: 9, count: count)
          #expect(zmq_send(subscriber.raw, frame, frame.count, ZMQ_DONTWAIT) == frame.count)
        }
        #expect(try await publisher.has(4).map { $0[0].count - 1 } == [245, 256, 300, 1])
        #expect(await proxy.statistics.back.messages == 4)
        #expect(await proxy.statistics.back.dropped == 3)
      }
    }
  }

  @Test("streamer: a sink that stands still loses nothing and holds the source up; whole messages, in order")
  func streamer() async throws {
    try await Stations.with { stations in
      let proxy = ProxyStation(stations)
      // No kernel between the sockets, which would hold megabytes.
      let ends = try await proxy.open(.pull, .push, Self.small(), at: "inproc://streamer")
      let (source, sink) = (try await stations.open(.push, Self.small()), try await stations.open(.pull, Self.small()))
      await sink.read(false)
      try await sink.connect(ends[1])
      try await source.connect(ends[0])
      try await source.sees([.connected])
      // Frames of both libzmq's forms, and none.
      func message(_ number: Int) -> [[UInt8]] {
        (0...number % 40).map {
          [UInt8](repeating: UInt8(truncatingIfNeeded: number + $0), count: (number * 7 + $0) % 90)
        }
      }
      var sent = 0
      // Until nothing more is taken, because the proxy takes nothing more.
      try await eventually("it stands still") {
        while try await source.send(message(sent)) { sent += 1 }
        return await proxy.isBlocked
      }
      #expect((20...100).contains(sent))
      await sink.read(true)
      while sent < 10_000 {
        if try await source.send(message(sent)) { sent += 1 } else { await Task.yield() }
      }
      let received = try await sink.has(sent)
      #expect(received.count == sent)
      for (number, frames) in received.enumerated() where frames != message(number) {
        Issue.record("message \(number) is another one")
        break
      }
      #expect(await proxy.statistics.forth.messages == sent)
      #expect(await proxy.statistics.forth.dropped == 0)
    }
  }

  @Test("frames are moved and not copied") func moves() async throws {
    let budget = MemoryBudget(limit: 1 << 30)
    try await Stations.with { stations in
      let proxy = ProxyStation(stations)
      let ends = try await proxy.open(.pull, .push, at: "inproc://moves")
      do {
        let (source, sink) = (try Socket(.push, in: stations.context), try Socket(.pull, in: stations.context))
        try sink.connect(ends[1])
        try source.connect(ends[0])
        let frame = [UInt8](repeating: 7, count: 1 << 20)
        #expect(try frame.withUnsafeBytes { try source.send($0, more: false, memory: budget) })
        try await eventually("it is passed on") { await proxy.statistics.forth.messages == 1 }
        // A copy would have let go of the bytes that were sent.
        #expect(budget.count == 1 << 20)
        var message = ReceivedMessage()
        try await eventually("it is there") { try message.receive(from: sink) }
        #expect(message[0].elementsEqual(frame))
        #expect(budget.count == 1 << 20)
        message.clear()
        #expect(budget.count == 0)
      }
    }
  }

  @Test("a capturing socket gets both directions, and holds nobody up when it has no room") func captures() async throws
  {
    try await Stations.with { stations in
      let proxy = ProxyStation(stations)
      let ends = try await proxy.open(.dealer, .dealer, capture: .push, Self.small())
      let (a, b) = (try await stations.open(.dealer), try await stations.open(.dealer))
      try await a.connect(ends[0])
      try await b.connect(ends[1])
      for station in [a, b] { try await station.sees([.connected]) }
      // Nobody captures yet.
      #expect(try await a.send([[1], [2]]))
      #expect(try await b.has(1) == [[[1], [2]]])
      #expect(await proxy.statistics.forth.uncaptured == 1)
      let tap = try await stations.open(.pull, Self.small())
      try await tap.connect(ends[2])
      try await tap.sees([.connected])
      let long = [UInt8](repeating: 7, count: 100_000)
      // The proxy may hear later than the other side that the two are connected.
      try await eventually("it is captured") {
        guard try await a.send([[3], long]) else { return false }
        return tap.messages.withLock { !$0.isEmpty }
      }
      #expect(tap.messages.withLock { $0.allSatisfy { $0 == [[3], long] } })
      // More than once, for the capture may have no room at the moment.
      try await eventually("so is the other direction") {
        guard try await b.send([[4]]) else { return false }
        return tap.messages.withLock { $0.contains([[4]]) }
      }
      #expect(try await a.has(1).allSatisfy { $0 == [[4]] })
      await tap.read(false)
      for _ in 0..<1_000 {
        try await eventually("there is room") { try await a.send([[5], [UInt8](repeating: 8, count: 10_000)]) }
      }
      try await eventually("all came") { b.messages.withLock { $0.count { $0[0] == [5] } } == 1_000 }
      #expect(await proxy.statistics.forth.uncaptured > 1)
      #expect(await proxy.statistics.forth.dropped == 0)
    }
  }

  /// Counts messages.
  private final class Counter: LoopSocketDelegate, Sendable {
    let messages = Tally()
    func messageReceived(_ message: borrowing ReceivedMessage, on socket: LoopSocket) { messages.countUp() }
  }

  @Test("what a capturing socket receives itself is handed over, though sending has used its wake-up up")
  func captureReceives() async throws {
    let counter = Counter()
    try await Stations.with { stations in
      let proxy = ProxyStation(stations)
      let ends = try await proxy.open(.pull, .push, capture: .dealer, at: "inproc://capture")
      try await proxy.connectPeers(to: ends, counter)
      for round in 1...5 {
        try await eventually("a turn") { try await proxy.receiveWhileCapturing() }
        try await eventually("what came to it") { counter.messages.count == round }
      }
      #expect(await proxy.statistics.forth.uncaptured == 0)
      await proxy.disconnectPeers()
    }
  }

  @Test("paused, it leaves messages where they are; stopped, it leaves the sockets open, and can start anew")
  func steers() async throws {
    try await Stations.with { stations in
      let proxy = ProxyStation(stations)
      let ends = try await proxy.open(.pull, .push)
      let (source, sink) = (try await stations.open(.push), try await stations.open(.pull))
      try await sink.connect(ends[1])
      try await source.connect(ends[0])
      for station in [source, sink] { try await station.sees([.connected]) }
      func sends(_ number: UInt8, passes: Bool) async throws {
        let before = sink.messages.withLock { $0.count }
        #expect(try await source.send([[number]]))
        if passes {
          _ = try await sink.has(before + 1)
        } else {
          try await eventually("it waits at the front") { await proxy.hasInput }
        }
        #expect(sink.messages.withLock { $0.count } == before + (passes ? 1 : 0))
      }
      try await sends(1, passes: true)
      await proxy.pause(true)
      try await sends(2, passes: false)
      #expect(await source.rests())
      await proxy.pause(false)
      #expect(try await sink.has(2) == [[[1]], [[2]]])
      #expect(try await proxy.faultInUse()?.code == .invalid)
      await proxy.stop()
      await proxy.stop()
      try await sends(3, passes: false)
      #expect(await proxy.areOpen)
      try await proxy.start()
      #expect(try await sink.has(3) == [[[1]], [[2]], [[3]]])
      #expect(await source.rests())
      #expect(proxy.ends.withLock { $0.isEmpty })
    }
  }

  @Test("a reply to a client that is gone is dropped, and the others go on") func unreachable() async throws {
    try await Stations.with { stations in
      let proxy = ProxyStation(stations)
      let ends = try await proxy.open(.router, .dealer)
      let (gone, client) = (try await stations.open(.dealer), try await stations.open(.dealer))
      let server = try await stations.open(.dealer)
      try await server.connect(ends[1])
      for station in [gone, client] {
        try await station.connect(ends[0])
        #expect(try await station.send([[1]]))
      }
      let requests = try await server.has(2)
      await gone.close()
      let left = try #require(requests.last)
      for request in requests {
        // The one that is left twice, so that it is the last.
        #expect(try await server.send([request[0], [2]]))
        #expect(try await server.send([left[0], [3]]))
      }
      #expect(try await server.send([[9, 9, 9], [4]]))
      _ = try await client.has(1)
      try await eventually("both are dropped") { await proxy.statistics.back.dropped >= 1 }
      #expect(proxy.ends.withLock { $0.isEmpty })
    }
  }

  @Test("ends with an error when one of its sockets closes, and says why it cannot begin") func faults() async throws {
    try await Stations.with { stations in
      let proxy = ProxyStation(stations)
      _ = try await proxy.open(.pull, .push)
      await proxy.closeBack()
      #expect(proxy.ends.withLock { $0.map { $0?.code } } == [.notSocket])
      #expect(try await proxy.fault(.pull, .pull)?.description.contains("none can send") == true)
      #expect(try await proxy.fault(.push, .publish)?.code == .invalid)
      #expect(try await proxy.fault(.router, .dealer, capture: .pull)?.description.contains("cannot send") == true)
      for (front, back) in [
        (SocketKind.pull, SocketKind.push), (.push, .pull), (.subscribe, .publish), (.router, .dealer),
      ] {
        #expect(try await proxy.fault(front, back) == nil)
      }
    }
  }
}
