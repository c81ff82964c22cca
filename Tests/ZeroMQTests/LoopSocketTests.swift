import Glibc
import Reactor
import Support
import Testing

@testable import ZeroMQ

@Suite("a socket", .inTurn(minutes: 3))
struct LoopSocketTests {
  private static let any = "tcp://127.0.0.1:*"

  @Test("carries whole messages both ways, over tcp, ipc and inproc", arguments: ["tcp", "ipc", "inproc"])
  func messages(scheme: String) async throws {
    let directory = try TemporaryDirectory()
    try await Stations.with { stations in
      let (a, b) = (try await stations.open(.pair), try await stations.open(.pair))
      let wanted = ["tcp": Self.any, "ipc": directory.endpoint("a"), "inproc": "inproc://a"][scheme] ?? ""
      try await b.connect(try await a.bind(wanted))
      try await b.sees([.connected])
      #expect(await b.connected == 1)
      #expect(await b.endpoints == [1, 1])
      let sent: [[[UInt8]]] = [[[1], [], [2, 3]], [[4]]]
      for message in sent { #expect(try await b.send(message)) }
      #expect(try await a.has(2) == sent)
      for message in sent { #expect(try await a.send(message)) }
      #expect(try await b.has(2) == sent)
    }
  }

  @Test("tells of peers that come and go, and connects again", arguments: [SocketKind.dealer, .push, .subscribe])
  func comeAndGo(kind: SocketKind) async throws {
    let directory = try TemporaryDirectory()
    let other: SocketKind = kind == .dealer ? .router : kind == .push ? .pull : .publish
    try await Stations.with { stations in
      let station = try await stations.open(kind)
      for name in ["a", "b"] { try await station.connect(directory.endpoint(name)) }
      let a = try await stations.open(other)
      _ = try await a.bind(directory.endpoint("a"))
      try await station.sees([.connected])
      #expect(await station.endpoints == [1, 2])
      let b = try await stations.open(other)
      _ = try await b.bind(directory.endpoint("b"))
      try await station.sees([.connected, .connected])
      try await b.sees([.connected])
      await a.close()
      try await station.sees([.connected, .connected, .disconnected])
      #expect(await station.connected == 1)
      let again = try await stations.open(other)
      _ = try await again.bind(directory.endpoint("a"))
      try await station.sees([.connected, .connected, .disconnected, .connected])
      await station.close()
      try await b.sees([.connected, .disconnected])
      #expect(await b.connected == 0)
    }
  }

  @Test("connects again to a peer that broke a limit, though libzmq gives it up")
  func givenUp() async throws {
    try await Stations.with { stations in
      let peer = try await stations.open(.push)
      var options = SocketOptions()
      options.longestFrame = 100
      let station = try await stations.open(.pull, options)
      try await station.connect(try await peer.bind(Self.any))
      try await station.sees([.connected])
      #expect(try await peer.send([.init(repeating: 0, count: 101)]))
      try await station.sees([.connected, .disconnected, .connected])
      #expect(try await peer.send([.init(repeating: 0, count: 100)]))
      _ = try await station.has(1)
      #expect(station.events.withLock { $0.count } == 3)
    }
  }

  @Test("with reconnect nil a connection that is lost is not made again by itself", arguments: ["tcp", "ipc"])
  func unrepeated(scheme: String) async throws {
    let directory = try TemporaryDirectory()
    try await Stations.with { stations in
      var options = SocketOptions()
      options.set(.reconnect, to: nil)
      let (first, push) = (try await stations.open(.pull), try await stations.open(.push, options))
      let endpoint = try await first.bind(scheme == "tcp" ? Self.any : directory.endpoint("a"))
      try await push.connect(endpoint)
      try await push.sees([.connected])
      await first.close()
      try await push.sees([.connected, .disconnected])
      let second = try await stations.open(.pull)
      try await eventually("the address is free") { (try? await second.bind(endpoint)) != nil }
      // Longer than until a connection that libzmq had given up would be made again.
      let later = Tally()
      await push.fires(later, in: .milliseconds(800))
      await later.reaches(1)
      #expect(second.events.withLock { !$0.contains(.connected) })
      try await push.connect(endpoint)
      try await push.sees([.connected, .disconnected, .connected])
      #expect(await push.endpoints == [1, 1])
      #expect(push.errors.withLock { $0.isEmpty })
    }
  }

  @Test("hands over what came before the end of a connection, then tells the end")
  func lastMessages() async throws {
    try await Stations.with { stations in
      var options = SocketOptions()
      options.linger = .seconds(10)
      let peer = try await stations.open(.push, options)
      let station = try await stations.open(.pull)
      try await station.connect(try await peer.bind(Self.any))
      try await peer.sees([.connected])
      for number in 0..<100 { #expect(try await peer.send([[UInt8(number)]])) }
      await peer.close()
      try await station.sees([.connected, .disconnected])
      #expect(station.messages.withLock { $0.count } == 100)
    }
  }

  @Test(
    "a refused send leaves the message with the caller, and room is told once", arguments: [SocketKind.push, .dealer])
  func room(kind: SocketKind) async throws {
    try await Stations.with { stations in
      var options = SocketOptions()
      (options.sendHighWaterMark, options.receiveHighWaterMark) = (10, 10)
      let sender = try await stations.open(kind, options)
      #expect(try await !sender.send([[1], [2]]), "there is no peer")
      let receiver = try await stations.open(kind == .push ? .pull : .dealer, options)
      await receiver.read(false)
      try await sender.connect(try await receiver.bind(Self.any))
      await sender.writables.reaches(1)
      var (sent, refusals) = (0, 1)
      let body = [UInt8](repeating: 0, count: 100_000)
      // What the kernel takes makes room once more, after the first refusal.
      while refusals < 3 {
        if try await sender.send([body, body]) { sent += 1 } else { refusals += 1 }
      }
      await receiver.read(true)
      await sender.writables.reaches(2)
      try await eventually("room") { try await sender.send([[], []]) }
      sent += 1
      #expect(sender.writables.count <= refusals)
      #expect(try await receiver.has(sent).count == sent)
      #expect(receiver.messages.withLock { $0.allSatisfy { $0.count == 2 } })
    }
  }

  @Test("a router is refused by a full client, and told of room; an unknown one is an error")
  func router() async throws {
    try await Stations.with { stations in
      var options = SocketOptions()
      (options.sendHighWaterMark, options.receiveHighWaterMark) = (10, 10)
      let router = try await stations.open(.router, options)
      let endpoint = try await router.bind(Self.any)
      let (full, idle) = (try await stations.open(.dealer, options), try await stations.open(.dealer, options))
      for client in [full, idle] {
        try await client.connect(endpoint)
        #expect(try await client.send([[9]]))
      }
      let identities = try await router.has(2).map { $0[0] }
      await full.read(false)
      await idle.read(false)
      let body = [UInt8](repeating: 0, count: 100_000)
      while try await router.send([identities[0], body]) {}
      await full.read(true)
      await idle.read(true)
      await router.writables.reaches(1)
      try await eventually("room") { try await router.send([identities[0], [1]]) }
      let unknown = await #expect(throws: ZMQError.self) { try await router.send([[1, 2, 3], [1]]) }
      #expect(unknown?.code == .unreachable)
    }
  }

  @Test("pauses and goes on reading")
  func pause() async throws {
    try await Stations.with { stations in
      let (a, b) = (try await stations.open(.push), try await stations.open(.pull))
      await b.read(false)
      try await a.connect(try await b.bind(Self.any))
      try await a.sees([.connected])
      #expect(try await a.send([[1]]))
      try await b.sees([.connected])
      #expect(b.messages.withLock { $0.isEmpty })
      await b.read(true)
      #expect(try await b.has(1) == [[[1]]])
    }
  }

  @Test("refuses endpoints that make no sense, and a prefix that libzmq would corrupt", arguments: [245, 246])
  func refusals(length: Int) async throws {
    try await Stations.with { stations in
      let station = try await stations.open(.subscribe)
      for text in ["tcp://*:5555", "tcp://127.0.0.1:*", "ipc://*"] {
        let error = await #expect(throws: ZMQError.self) { try await station.connect(text) }
        #expect(error?.description.contains("to bind to") == true)
      }
      await #expect(throws: ZMQError.self) { try await station.disconnect("tcp://127.0.0.1:1") }
      let prefix = [UInt8](repeating: 65, count: length)
      if length <= Socket.longestPrefix {
        try await station.subscribe(prefix)
      } else {
        await #expect(throws: ZMQError.self) { try await station.subscribe(prefix) }
      }
    }
  }

  @Test("what is unbound can be bound again, what is disconnected is left alone, what is closed says so")
  func ends() async throws {
    try await Stations.with { stations in
      let (a, b) = (try await stations.open(.pair), try await stations.open(.pair))
      let endpoint = try await a.bind(Self.any)
      try await b.connect(endpoint)
      try await b.sees([.connected])
      try await b.disconnect(endpoint)
      try await b.sees([.connected, .disconnected])
      #expect(await b.endpoints == [0, 0])
      try await a.unbind(endpoint)
      let c = try await stations.open(.pair)
      try await eventually("the port is free") { (try? await c.bind(endpoint)) != nil }
      await b.close()
      let closed = await #expect(throws: ZMQError.self) { try await b.send([[1]]) }
      #expect(closed?.code == .notSocket)
    }
  }

  @Test(
    "when its context ends it closes itself: each connection is told as ended, then the error, and nothing after it")
  func terminated() async throws {
    try await Stations.with { stations in
      let station = try await stations.open(.dealer)
      let peers = [try await stations.open(.router), try await stations.open(.router)]
      for peer in peers { try await station.connect(try await peer.bind(Self.any)) }
      try await station.sees([.connected, .connected])
      await stations.context.close(within: .seconds(10))
      try await eventually("it is closed") { await !station.isOpen }
      try await station.sees([.connected, .connected, .disconnected, .disconnected])
      #expect(station.errors.withLock { $0.map(\.code) } == [.terminated])
      #expect(await station.connected == 0)
      #expect(await station.endpoints == [0, 2])
      await #expect(throws: ZMQError.self) { try await station.send([[1]]) }
      for peer in peers { #expect(await !peer.isOpen) }
    }
  }

  @Test("an inproc connection that ends before it was told is not told at all")
  func inprocConnections() throws {
    let (a, b) = (try Endpoint("inproc://a"), try Endpoint("inproc://b"))
    var it = InprocConnections()
    it.add(a)
    it.tellNext()
    it.add(b)
    #expect((it.count, it.untold) == (2, 1))
    var isTold = it.remove(at: try #require(it.index(of: b)))
    #expect(!isTold)
    #expect(it.untold == 0)
    isTold = it.remove(at: try #require(it.index(of: a)))
    #expect(isTold)
    #expect(it.index(of: a) == nil)
  }

  @Test("counts an inproc peer as connected") func inproc() async throws {
    try await Stations.with { stations in
      let (a, b) = (try await stations.open(.pull), try await stations.open(.push))
      _ = try await a.bind("inproc://a")
      try await b.connect("inproc://a")
      try await b.sees([.connected])
      #expect(await b.connected == 1)
      try await b.disconnect("inproc://a")
      try await b.sees([.connected, .disconnected])
    }
  }
}
