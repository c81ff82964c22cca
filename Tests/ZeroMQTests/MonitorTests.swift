import Reactor
import Support
import Testing

@testable import ZeroMQ

@Suite("the monitor", .timeLimit(.minutes(1)))
struct MonitorTests {
  /// A monitored socket on a reactor of its own.
  actor Watched: MonitorDelegate {
    nonisolated let unownedExecutor: UnownedSerialExecutor
    nonisolated let reactor: Reactor
    nonisolated let events = Guarded<[Monitor.Event]>([])
    private var socket: Socket?
    private var monitor: Monitor?

    init() throws {
      reactor = try Reactor(name: "watched")
      unownedExecutor = reactor.asUnownedSerialExecutor()
    }

    func open(_ kind: SocketKind, _ options: SocketOptions, connect endpoints: [String]) throws {
      let context = try Context()
      let socket = try Socket(kind, in: context, options: options)
      self.socket = socket
      monitor = try Monitor(socket, in: context, on: reactor.loop, owner: self)
      for endpoint in endpoints { try monitor?.connect(endpoint) }
    }

    nonisolated func monitor(_ event: Monitor.Event) { events.withLock { $0.append(event) } }

    nonisolated func sees(_ wanted: [Monitor.Event]) async throws {
      try await eventually("\(wanted)") { events.withLock { $0 } == wanted }
    }

    nonisolated func close() async {
      await closeSocket()
      await reactor.stop()
    }

    private func closeSocket() {
      monitor?.cancel()
      monitor = nil
      socket = nil
    }
  }

  @Test("peers that come and go are told", arguments: [SocketKind.dealer, .push])
  func comeAndGo(kind: SocketKind) async throws {
    let directory = try TemporaryDirectory()
    let other: SocketKind = kind == .dealer ? .router : .pull
    try await Cleanup.with { cleanup in
      let watched = try Watched()
      cleanup.add { await watched.close() }
      try await watched.open(kind, .init(), connect: [directory.endpoint("a"), directory.endpoint("b")])
      let a = try await WireSocket(other, bind: directory.endpoint("a"))
      cleanup.add { await a.close() }
      try await watched.sees([.connected])
      let b = try await WireSocket(other, bind: directory.endpoint("b"))
      cleanup.add { await b.close() }
      try await watched.sees([.connected, .connected])
      await a.close()
      try await watched.sees([.connected, .connected, .disconnected])
      let again = try await WireSocket(other, bind: directory.endpoint("a"))
      cleanup.add { await again.close() }
      try await watched.sees([.connected, .connected, .disconnected, .connected])
    }
  }

  @Test("a peer that breaks the limit is lost, and connected again though libzmq gives it up")
  func givenUp() async throws {
    let directory = try TemporaryDirectory()
    try await Cleanup.with { cleanup in
      let peer = try await WireSocket(.push, bind: directory.endpoint("a"))
      cleanup.add { await peer.close() }
      let watched = try Watched()
      cleanup.add { await watched.close() }
      var options = SocketOptions()
      options.longestFrame = 100
      try await watched.open(.pull, options, connect: [directory.endpoint("a")])
      try await watched.sees([.connected])
      try await peer.send([.init(repeating: 0, count: 101)])
      try await watched.sees([.connected, .disconnected, .connected])
      try await peer.send([.init(repeating: 0, count: 100)])
      #expect(watched.events.withLock { $0.count } == 3)
    }
  }
}

@Suite("the addresses of a monitor")
struct MonitorAddressTests {
  @Test(
    "knows an IPv4 address that libzmq reports as an IPv6 one",
    arguments: [
      ("tcp://[::ffff:127.0.0.1]:5555", "tcp://127.0.0.1:5555"), ("tcp://127.0.0.1:5555", "tcp://127.0.0.1:5555"),
      ("tcp://[::1]:5555", "tcp://[::1]:5555"), ("tcp://[::ffff:7f00:1]:5555", "tcp://[::ffff:7f00:1]:5555"),
      ("ipc:///run/a", "ipc:///run/a"),
    ])
  func mapped(reported: String, address: String) { #expect(Monitor.unmapped(reported) == address) }
}
