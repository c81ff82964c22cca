import Foundation
import Glibc
import Reactor
import Support
import Testing

@testable import ZeroMQ

@Suite("peers that mean no good", .inTurn(minutes: 3))
struct HostilePeerTests {
  @Test("heartbeats are refused together with a mark that can be reached")
  func heartbeats() throws {
    let context = try Context()
    var options = SocketOptions()
    options.heartbeat = .seconds(2)
    let error = #expect(throws: ZMQError.self) { try Socket(.push, in: context, options: options) }
    for word in ["heartbeat", "receiveHighWaterMark", "1000"] { #expect(error?.description.contains(word) == true) }
    options.receiveHighWaterMark = 0
    _ = try Socket(.push, in: context, options: options)
    (options.heartbeat, options.receiveHighWaterMark) = (.zero, 1)
    _ = try Socket(.push, in: context, options: options)
  }

  @Test("5,000 messages from a worker that resets, or 5,000 subscriptions, end no process")
  func floods() async {
    await #expect(processExitsWith: .success) {
      try await Stations.with { stations in
        let (push, publisher) = (try await stations.open(.push), try await stations.open(.publish))
        for (station, kind, message) in [(push, "PULL", [0, 1, 65] as [UInt8]), (publisher, "SUB", [0, 2, 1, 65])] {
          let port = try await station.bindAnyPort()
          try await offThread {
            let peer = try RawPeer(port: port)
            try peer.greet(as: kind)
            try peer.send(Array([[UInt8]](repeating: message, count: 5_000).joined()))
            peer.resetOnClose()
          }
          try await eventually("the peer") { station.events.withLock { $0.contains(.connected) } }
        }
        // libzmq's default heartbeats of old ended the process within three seconds.
        let later = Tally()
        await push.fires(later, in: .seconds(3))
        await later.reaches(1)
        let pull = try await stations.open(.pull)
        try await pull.connect("tcp://127.0.0.1:\(try await push.bindAnyPort())")
        try await pull.sees([.connected])
      }
    }
  }

  @Test("5,000 connections of a port scan leave every socket of the context working")
  func scan() async throws {
    try await Stations.with { stations in
      let (scanned, other) = (try await stations.open(.pull), try await stations.open(.pull))
      let port = try await scanned.bindAnyPort()
      try await offThread { try RawPeer.scan(port, times: 5_000) }
      for station in [scanned, other] {
        let push = try await stations.open(.push)
        try await push.connect("tcp://127.0.0.1:\(try await station.bindAnyPort())")
        try await push.sees([.connected])
        #expect(try await push.send([[1]]))
        #expect(try await station.has(1) == [[[1]]])
      }
    }
  }

  /// Takes no events, until it is asked to.
  private final class Idle: MonitorDelegate {
    func monitorHasEvents() {}
    func socketFailed(_ error: ZMQError) {}
  }

  private actor IdleMonitor {
    nonisolated let unownedExecutor: UnownedSerialExecutor
    private let reactor: Reactor
    private let socket: Socket
    private let idle = Idle()
    private var monitor: SocketMonitor?

    init(_ reactor: Reactor, _ context: Context, _ kind: SocketKind) throws {
      self.reactor = reactor
      unownedExecutor = reactor.asUnownedSerialExecutor()
      socket = try Socket(kind, in: context)
    }

    func open() throws -> UInt16 {
      monitor = try SocketMonitor(socket, on: reactor.loop, delegate: idle)
      return try Endpoint(try socket.bind("tcp://127.0.0.1:*")).port
    }
    var dropped: Int { monitor?.dropped ?? 0 }
    func take() -> Int { monitor?.takeEvents().count ?? 0 }
    func connectToItself(_ port: UInt16) throws { try socket.connect("tcp://127.0.0.1:\(port);127.0.0.1:\(port)") }
    func leave(_ port: UInt16) throws { try socket.disconnect("tcp://127.0.0.1:\(port);127.0.0.1:\(port)") }
    func bind(_ port: UInt16) throws { try socket.bind("tcp://127.0.0.1:\(port)") }
    func events() -> [SocketMonitor.Event] { monitor?.takeEvents() ?? [] }
    func close() {
      socket.stopMonitor()
      monitor = nil
    }
  }

  @Test("a monitor that nobody reads keeps the newest events, and counts what it drops")
  func unread() async throws {
    let reactor = try Reactor()
    let monitored = try IdleMonitor(reactor, try Context(), .pull)
    let port = try await monitored.open()
    try await offThread { try RawPeer.scan(port, times: 1_000) }
    try await eventually("events are dropped") { await monitored.dropped >= 900 }
    #expect(await monitored.take() == SocketMonitor.limit)
    await monitored.close()
    await reactor.stop()
  }

  @Test("a connection to itself is seen, and its port is free at once")
  func itself() async throws {
    let reactor = try Reactor()
    let monitored = try IdleMonitor(reactor, try Context(), .dealer)
    _ = try await monitored.open()
    let port = try RawPeer.freePort()
    // With the source address given, the kernel connects the port with itself.
    try await monitored.connectToItself(port)
    let seen = try await eventually("an event") {
      await monitored.events().first { if case .opened = $0.kind { true } else { false } }
    }
    #expect(seen.kind == .opened(toItself: true))
    #expect(seen.address == "tcp://127.0.0.1:\(port)")
    try await monitored.leave(port)
    try await eventually("the port is free") { (try? await monitored.bind(port)) != nil }
    await monitored.close()
    await reactor.stop()
  }
}

@Suite("what is dropped", .inTurn(minutes: 3))
struct OwnershipTests {
  @Test("a socket that is dropped, closed, or fails to bind leaves no descriptor, and the loop at rest")
  func dropped() async {
    await #expect(processExitsWith: .success) {
      try await Stations.with { stations in
        let first = try await stations.open(.pull)
        let port = try await first.bindAnyPort()
        let before = try await Descriptors.count()
        for end in 0..<3 {
          let push = try await stations.open(.push)
          try await push.connect("tcp://127.0.0.1:\(port)")
          try await eventually("a connection") { await push.connected == 1 }
          await #expect(throws: ZMQError.self) { try await push.bind("tcp://127.0.0.1:\(port)") }
          switch end {
          case 0: await push.close()
          case 1: await push.drop()
          // Dropped with the actor, on a thread of Swift's.
          default: break
          }
        }
        try await eventually("the descriptors are back") { try await Descriptors.count() <= before }
        #expect(await first.rests())
      }
    }
  }
}

@Suite("a context", .inTurn(minutes: 3))
struct ContextTests {
  @Test("ends when its sockets have been closed, and makes none afterwards") func end() async throws {
    let context = try Context()
    do {
      let socket = try Socket(.push, in: context)
      try socket.bind("inproc://a")
    }
    #expect(await context.close(within: .seconds(Int64.max)))
    #expect(await context.close(within: .seconds(10)))
    let error = #expect(throws: ZMQError.self) { try Socket(.push, in: context) }
    #expect(error?.code == .terminated)
  }

  @Test("has room for so many transports, with their monitors, and for no more") func room() async throws {
    let (reactor, context) = (try Reactor(name: "room"), try Context(sockets: 2))
    func open() async throws -> MessageStream { try await MessageStream.open(.pull, on: reactor, in: context) }
    let streams = [try await open(), try await open()]
    // To begin to listen takes two places of libzmq's for a moment, for which there is room as well.
    var monitors: [Monitor] = []
    for stream in streams { monitors.append(try await stream.transport.monitor()) }
    #expect(monitors.count == 2)
    #expect(await failure { try await open() }?.code.rawValue == EMFILE)
    await streams[0].close()
    let third = try await eventually("the place of what was closed") { try? await open() }
    for stream in [streams[1], third] { await stream.close() }
    #expect(await context.close(within: .seconds(10)))
    await reactor.stop()
    #expect(throws: ZMQError.self) { try Context(sockets: 0) }
  }

  @Test("says when it is not done in time; a socket that is still open is told, closes, and then it ends")
  func late() async throws {
    try await Stations.with { stations in
      let station = try await stations.open(.pull)
      do {
        let socket = try Socket(.push, in: stations.context)
        #expect(await !stations.context.close(within: .milliseconds(50)))
        _ = socket.kind
      }
      try await eventually("the error") { station.errors.withLock { $0.first?.code == .terminated } }
      #expect(await stations.context.close(within: .seconds(10)))
      let error = await #expect(throws: ZMQError.self) { try await station.send([[1]]) }
      #expect(error?.code == .notSocket)
    }
  }

  @Test("goes on ending when signals interrupt it") func interrupted() async throws {
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { _ in }
    // A signal that by default does nothing, so the handler may stay.
    sigaction(SIGURG, &action, nil)
    let context = try Context()
    let end: Task<Bool, Never>
    do {
      let socket = try Socket(.push, in: context)
      end = Task {
        // Threads of tasks block signals, and those that they start inherit that.
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGURG)
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
        return await context.close(within: .seconds(10))
      }
      for _ in 0..<20 {
        // Those of other tests may be among them, and may end meanwhile.
        let threads = try await eventually("it waits") { try Self.waiting(named: "zmq-end") }
        // The kernel gives the signal to the thread that is named, if that does not block it.
        for thread in threads { kill(thread, SIGURG) }
      }
      _ = try await eventually("it waits again") { try Self.waiting(named: "zmq-end") }
      _ = socket.kind
    }
    #expect(await end.value)
  }

  /// The threads of that name, if all of them wait; nil when one does not, or there is none.
  private static func waiting(named name: String) throws -> [pid_t]? {
    let all = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").compactMap { pid_t($0) }
    let threads = all.filter { read($0, "comm") == name + "\n" }
    return threads.isEmpty || !threads.allSatisfy({ state($0) == "S" }) ? nil : threads
  }

  /// The state of a thread, as `proc(5)` names it; nil when it has ended.
  private static func state(_ thread: pid_t) -> Character? {
    let text = read(thread, "stat")
    return text?.firstIndex(of: ")").flatMap { text?[$0...].dropFirst(2).first }
  }

  private static func read(_ thread: pid_t, _ file: String) -> String? {
    try? String(contentsOfFile: "/proc/self/task/\(thread)/\(file)", encoding: .utf8)
  }

  @Test("the last reference may be dropped on a reactor, though messages still linger") func lingers() async throws {
    var options = SocketOptions()
    options.linger = .seconds(30)
    let reactor = try Reactor()
    let station = Station(reactor, in: try Context())
    try await station.open(.push, options)
    try await station.connect("tcp://127.0.0.1:1")
    #expect(try await station.send([[1]]))
    let took = await duration(of: { await station.dropAll() })
    #expect(took < .seconds(10))
    await reactor.stop()
  }

  @Test("the shared one is one, and makes sockets") func shared() throws {
    #expect(Context.shared === Context.shared)
    _ = try Socket(.pull, in: .shared)
  }
}

@Suite("socket options")
struct SocketOptionsTests {
  @Test("any duration is taken: none switches off, what is too long saturates", arguments: [0, 1, 40_000, Int64.max])
  func durations(seconds: Int64) throws {
    let context = try Context()
    var options = SocketOptions()
    options.keepAlive = .seconds(seconds)
    options.handshake = .seconds(seconds)
    options.connectTimeout = .seconds(seconds)
    options.linger = .seconds(seconds)
    let socket = try Socket(.pull, in: context, options: options)
    #expect(try socket.integer(ZMQ.keepAlive) == (seconds == 0 ? 0 : 1))
    #expect(Duration.seconds(Int64.max).millisecondsRoundedUp > 0)
    #expect(Duration.nanoseconds(1).millisecondsRoundedUp == 1)
  }

  private enum ZMQ { static let keepAlive: CInt = 34 }
}
