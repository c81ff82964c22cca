import Glibc
import Reactor
import Support
import Testing

@testable import ZeroMQ

extension Monitor.Kind {
  /// The event's name.
  var name: Substring { "\(self)".prefix { $0 != "(" } }
}

@Suite("a monitor", .inTurn(minutes: 3))
struct MonitorTests {
  /// The names of the events up to one.
  private static func names(of monitor: Monitor, upTo last: Substring) async throws -> [Substring] {
    var names: [Substring] = []
    for await event in monitor {
      names.append(event.kind.name)
      if event.kind.name == last { return names }
    }
    throw TimedOut("the monitor has ended before \(last): \(names)")
  }

  @Test(
    "events say in words what has happened, and where",
    arguments: [
      (.handshakeRefused(.refused), "handshakeRefused(400) at tcp://10.0.0.5:5555"),
      (
        .connectDelayed(.init(rawValue: EINPROGRESS)),
        "connectDelayed(Operation now in progress) at tcp://10.0.0.5:5555"
      ),
      (.handshakeBroken(.mechanismMismatch), "handshakeBroken(ZMTP: mechanism mismatch) at tcp://10.0.0.5:5555"),
    ] as [(Monitor.Kind, String)])
  func words(kind: Monitor.Kind, text: String) {
    #expect("\(Monitor.Event(kind: kind, endpoint: "tcp://10.0.0.5:5555"))" == text)
  }

  @Test("tells a connection's whole life on both sides, and ends with its socket") func life() async throws {
    try await Stations.with { stations in
      let (server, client) = (try await stations.open(.pull), try await stations.open(.push))
      let (its, theirs) = (try #require(try await server.monitor()), try #require(try await client.monitor()))
      let endpoint = "tcp://127.0.0.1:\(try await server.bindAnyPort())"
      try await client.connect(endpoint)
      #expect(
        try await Self.names(of: its, upTo: "handshakeSucceeded") == ["listening", "accepted", "handshakeSucceeded"])
      #expect(
        try await Self.names(of: theirs, upTo: "handshakeSucceeded")
          == ["connectDelayed", "connected", "handshakeSucceeded"])
      await client.close()
      let own = try await Self.names(of: theirs, upTo: "stopped")
      #expect(own.last == "stopped")
      for await event in theirs { Issue.record("\(event) after the end") }
      #expect(try await Self.names(of: its, upTo: "disconnected") == ["disconnected"])
      await server.drop()
      #expect(try await Self.names(of: its, upTo: "stopped").last == "stopped")
      for await event in its { Issue.record("\(event) after the end") }
      // One that is asked for now says so.
      await #expect(throws: ZMQError.self) { try await client.monitor() }
    }
  }

  @Test("tells values and endpoints: intervals, error codes, descriptors") func values() async throws {
    try await Stations.with { stations in
      let client = try await stations.open(.push)
      let monitor = try #require(try await client.monitor())
      let endpoint = "tcp://127.0.0.1:\(try RawPeer.freePort())"
      try await client.connect(endpoint)
      let retry = try await monitor.first { $0.name == "connectRetried" }
      guard case .connectRetried(let interval) = retry.kind else { return }
      // libzmq adds some chance to the first pause of 100 ms.
      #expect((.milliseconds(100)...(.milliseconds(400))).contains(interval))
      #expect(retry.endpoint == endpoint)
      #expect(retry.description.hasPrefix("connectRetried(after: "))
      let server = try await stations.open(.pull)
      let its = try #require(try await server.monitor())
      let holder = try await stations.open(.pull)
      let held = "tcp://127.0.0.1:\(try await holder.bindAnyPort())"
      await #expect(throws: ZMQError.self) { try await server.bind(held) }
      let failure = try await its.first { $0.name == "bindFailed" }
      #expect(failure.kind == .bindFailed(.addressInUse))
      let bound = try await server.bind("tcp://127.0.0.1:*")
      let listening = try await its.first { $0.name == "listening" }
      #expect(try Endpoint(listening.endpoint).isSame(as: Endpoint(bound)))
      guard case .listening(let descriptor) = listening.kind else { return }
      #expect(descriptor > 2)
      try await server.unbind(bound)
      #expect(try await its.first { $0.name == "closed" }.kind == .closed(descriptor: descriptor))
    }
  }

  @Test("keeps the newest 100 events for one that does not take them, and counts the others") func bounded()
    async throws
  {
    try await Stations.with { stations in
      let server = try await stations.open(.pull)
      let (idle, other) = (try #require(try await server.monitor()), try #require(try await server.monitor()))
      let port = try await server.bindAnyPort()
      try await offThread { try RawPeer.scan(port, times: 200) }
      // At least two events for each connection.
      try await eventually("events are dropped") { idle.dropped >= 301 }
      await server.close()
      var events: [Monitor.Event] = []
      for await event in idle { events.append(event) }
      #expect(events.count == Monitor.limit)
      #expect(events.last?.kind == .stopped)
      #expect(!events.contains { $0.kind.name == "listening" })
      #expect(other.dropped == idle.dropped)
    }
  }

  @Test("one that is made later, or takes its turn from another, loses nothing that is its own") func several()
    async throws
  {
    try await Stations.with { stations in
      let server = try await stations.open(.pull)
      let first = try #require(try await server.monitor())
      let port = try await server.bindAnyPort()
      let second = try #require(try await server.monitor())
      let client = try await stations.open(.push)
      try await client.connect("tcp://127.0.0.1:\(port)")
      #expect(
        try await Self.names(of: first, upTo: "handshakeSucceeded") == ["listening", "accepted", "handshakeSucceeded"])
      #expect(try await Self.names(of: second, upTo: "handshakeSucceeded") == ["accepted", "handshakeSucceeded"])
      // A cancelled one takes no event away from the next.
      let task = Task {
        for await event in second { return event as Monitor.Event? }
        return nil
      }
      task.cancel()
      #expect(await task.value == nil)
      await client.close()
      #expect(try await Self.names(of: second, upTo: "disconnected") == ["disconnected"])
    }
  }

  @Test("when nobody listens any more, and when somebody does again, the socket keeps its connections and tells them")
  func again() async throws {
    try await Stations.with { stations in
      let server = try await stations.open(.pull)
      let port = try await server.bindAnyPort()
      var told: [ConnectionEvent] = []
      for _ in 0..<5 {
        do {
          let monitor = try #require(try await server.monitor())
          #expect(monitor.dropped == 0)
        }
        for _ in 0..<2 {
          let client = try await stations.open(.push)
          try await client.connect("tcp://127.0.0.1:\(port)")
          told.append(.connected)
          try await server.sees(told)
          await client.close()
          told.append(.disconnected)
          try await server.sees(told)
        }
      }
      #expect(server.errors.withLock { $0.isEmpty })
    }
  }

  @Test("out of descriptors it tells so, neither floods nor stops, and goes on afterwards") func descriptors() async {
    await #expect(processExitsWith: .success) {
      try await Stations.with { stations in
        let server = try await stations.open(.pull)
        let port = try await server.bindAnyPort()
        let monitor = try #require(try await server.monitor())
        let late = try RawPeer()
        let another = try RawPeer()
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        limit.rlim_cur = min(limit.rlim_cur, 512)
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        var taken: [CInt] = []
        while case let copy = dup(0), copy >= 0 { taken.append(copy) }
        try late.connect(port)
        var event = try await monitor.first { $0.name.hasPrefix("accept") }
        if event.kind.name != "acceptFailed" {
          // libzmq had still to give back those of a socket that was closed before.
          while case let copy = dup(0), copy >= 0 { taken.append(copy) }
          try another.connect(port)
          event = try await monitor.first { $0.name.hasPrefix("accept") }
        }
        #expect(event.kind == .acceptFailed(.init(rawValue: EMFILE)))
        // Nobody takes them for a while.
        let later = Tally()
        await server.fires(later, in: .seconds(1))
        await later.reaches(1)
        for descriptor in taken { close(descriptor) }
        _ = try await monitor.first { $0.name == "accepted" }
        let client = try await stations.open(.push)
        try await client.connect("tcp://127.0.0.1:\(port)")
        try await client.sees([.connected])
        #expect(server.errors.withLock { $0.isEmpty })
      }
    }
  }

  @Test("every number of libzmq's has its name; others stay as they are") func names() {
    #expect(Monitor.ProtocolError.cryptographic.description == "ZMTP: cryptographic")
    #expect(Monitor.ProtocolError(rawValue: 0x2000_0001).description == "ZAP: malformed reply")
    #expect(Monitor.ProtocolError(rawValue: 7).description == "protocol error 7")
    #expect(Monitor.Kind(number: 0x2000, value: 0x1100_0002) == .handshakeBroken(.mechanismMismatch))
    #expect(Monitor.Kind(number: 0x4000, value: 400) == .handshakeRefused(.refused))
    #expect(Monitor.Kind(number: 0x8000, value: 9) == .other(number: 0x8000, value: 9))
    #expect(Monitor.Event(kind: .stopped, endpoint: "").description == "stopped")
  }
}
