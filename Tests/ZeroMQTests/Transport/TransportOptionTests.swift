import Foundation
import Reactor
import Support
import Testing

@testable import ZeroMQ

@Suite("a transport's options", .inTurn(minutes: 3))
struct TransportOptionTests {
  /// An option with its default, and another value that it takes.
  private static func check<Value: Equatable>(
    _ option: SocketOption<Value>, is usual: Value, takes other: Value, of transport: Transport
  ) async throws {
    #expect(try await transport.option(option) == usual, "\(option.name)")
    try await transport.set(option, to: other)
    #expect(try await transport.option(option) == other, "\(option.name)")
  }

  @Test("CORE-30, CORE-31: options are read and set with their types, and have the defaults that are documented")
  func typed() async throws {
    try await Peers.with { peers in
      let it = try await peers.peer(.dealer).transport
      try await Self.check(.sendHighWaterMark, is: 1_000, takes: 7, of: it)
      try await Self.check(.receiveHighWaterMark, is: 1_000, takes: 0, of: it)
      try await Self.check(.sendBuffer, is: nil, takes: 65_536, of: it)
      try await Self.check(.receiveBuffer, is: nil, takes: 65_536, of: it)
      try await Self.check(.longestFrame, is: -1, takes: 1 << 40, of: it)
      try await Self.check(.immediate, is: false, takes: true, of: it)
      try await Self.check(.linger, is: .seconds(30), takes: nil, of: it)
      try await Self.check(.reconnect, is: .milliseconds(100), takes: nil, of: it)
      try await Self.check(.longestReconnect, is: .milliseconds(400), takes: .seconds(5), of: it)
      try await Self.check(.connectTimeout, is: .seconds(3), takes: .zero, of: it)
      try await Self.check(.handshake, is: .seconds(5), takes: .milliseconds(1), of: it)
      try await Self.check(.retransmission, is: .zero, takes: .seconds(1), of: it)
      try await Self.check(.backlog, is: 100, takes: 5, of: it)
      try await Self.check(.typeOfService, is: 0, takes: 8, of: it)
      try await Self.check(.ipv6, is: false, takes: true, of: it)
      try await Self.check(.affinity, is: 0, takes: 1 << 63, of: it)
      try await Self.check(.device, is: "", takes: "lo", of: it)
      try await Self.check(.listener, is: nil, takes: nil, of: it)
      try await Self.check(.keepAlive, is: 1, takes: nil, of: it)
      try await Self.check(.keepAliveCount, is: 3, takes: nil, of: it)
      try await Self.check(.keepAliveIdle, is: .seconds(9), takes: nil, of: it)
      try await Self.check(.keepAliveInterval, is: .seconds(3), takes: .seconds(1), of: it)
      try await Self.check(.heartbeat, is: .zero, takes: .seconds(1), of: it)
      try await Self.check(.heartbeatTTL, is: .zero, takes: .milliseconds(300), of: it)
      try await Self.check(.heartbeatTimeout, is: .seconds(6), takes: .seconds(2), of: it)
      try await Self.check(.routingID, is: [], takes: [1, 2], of: it)
      try await Self.check(.invertMatching, is: false, takes: true, of: it)
    }
  }

  @Test("each of libzmq's stable options has a name, or is on the list of those that have none")
  func complete() throws {
    // What is not built against libzmq's header has no options to miss.
    let header = try String(contentsOfFile: "/usr/include/zmq.h", encoding: .utf8)
    let root = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../../Sources/ZeroMQ/Options").standardized
    let sources = try FileManager.default.contentsOfDirectory(at: root, includingPropertiesForKeys: nil).map {
      try String(contentsOf: $0, encoding: .utf8)
    }.joined()
    let words = Set(sources.split { !$0.isLetter && !$0.isNumber && $0 != "_" && $0 != "*" }.map(String.init))
    let groups = words.filter { $0.hasSuffix("_*") }.map { $0.dropLast() }
    let section = try #require(header.firstRange(of: "Socket options.  "))
    let options = header[section.upperBound...].prefix { $0 != "\0" }.components(separatedBy: "/*  Message options")[0]
      .split(separator: "\n").filter { $0.hasPrefix("#define ZMQ_") }.map { $0.split(separator: " ")[1] }
    #expect(options.count > 70)
    for option in options {
      #expect(words.contains(String(option)) || groups.contains { option.hasPrefix($0) }, "\(option)")
    }
  }

  @Test("dumped, options show no value that was set by number") func dumped() {
    var options = SocketOptions()
    options.set(.bytes(49), to: [UInt8](repeating: 211, count: 32))
    var text = ""
    dump(options, to: &text)
    #expect(!text.contains("211") && !"\(options)".contains("211"))
    #expect(text.contains("option 49"))
  }

  @Test("heartbeatTimeout is that of the property, wherever heartbeats are turned on, and can be set by itself")
  func heartbeatTimeouts() async throws {
    try await Peers.with { peers in
      func timeout(_ options: (inout SocketOptions) -> Void) async throws -> Duration {
        let it = try await peers.peer(
          .pull,
          options: {
            $0.receiveHighWaterMark = 0
            options(&$0)
          })
        try await it.transport.set(.heartbeat, to: .seconds(1))
        return try await it.transport.option(.heartbeatTimeout)
      }
      let usual = try await timeout { _ in }
      let later = try await timeout { $0.heartbeatTimeout = .seconds(10) }
      let before = try await timeout { options in
        options.heartbeatTimeout = .seconds(10)
        options.set(.heartbeat, to: .seconds(2))
      }
      let byItself = try await timeout { $0.set(.heartbeatTimeout, to: .seconds(3)) }
      #expect((usual, later) == (.seconds(6), .seconds(10)))
      #expect((before, byItself) == (.seconds(10), .seconds(3)))
    }
  }

  @Test("CORE-31: those that cannot be read are taken by the kinds they are for, and refused by others")
  func writeOnly() async throws {
    try await Peers.with { peers in
      let flags: [(SocketKind, SocketOption<Bool>)] = [
        (.router, .mandatory), (.router, .handover), (.router, .probe), (.stream, .notify), (.xPublish, .verbose),
        (.xPublish, .verboser), (.publish, .noDrop), (.request, .relaxed), (.request, .correlate),
      ]
      for (kind, option) in flags {
        let (it, other) = (try await peers.peer(kind).transport, try await peers.peer(.pull).transport)
        for value in [true, false] { try await it.set(option, to: value) }
        await #expect(throws: ZMQError.self, "\(option.name)") { try await it.option(option) }
        let error = await #expect(throws: ZMQError.self, "\(option.name)") { try await other.set(option, to: true) }
        #expect(error?.code == .invalid)
        #expect(error?.call.contains(option.name) == true)
      }
      try await peers.peer(.router).transport.set(.connectRoutingID, to: [1])
      try await peers.peer(.xPublish).transport.set(.welcome, to: [1])
    }
  }

  @Test("CORE-30: the last endpoint is a text without the NUL at its end") func lastEndpoint() async throws {
    try await Peers.with { peers in
      let peer = try await peers.peer(.pull)
      #expect(try await peer.transport.option(.lastEndpoint) == "")
      let endpoint = try await peer.transport.bind(Peers.any)
      #expect(try await peer.transport.option(.lastEndpoint) == endpoint.description)
    }
  }

  @Test("CORE-30, CORE-31, GEN-8: the raw door takes any number; what libzmq does not know or take is EINVAL")
  func raw() async throws {
    try await Peers.with { peers in
      let it = try await peers.peer(.dealer).transport
      try await it.set(.int32(17), to: 250)
      #expect(try await it.option(.linger) == .milliseconds(250))
      try await it.set(.int64(22), to: 5)
      #expect(try await it.option(.int64(22)) == 5)
      try await it.set(.uint64(4), to: 3)
      #expect(try await it.option(.uint64(4)) == 3)
      try await it.set(.bytes(5), to: [9, 9])
      #expect(try await it.option(.bytes(5)) == [9, 9])
      #expect(try await it.option(.int32(16)) == SocketKind.dealer.rawValue)
      let calls: [@Sendable () async throws -> Void] = [
        { _ = try await it.option(.int32(12_345)) }, { try await it.set(.int32(12_345), to: 1) },
        { try await it.set(.int32(17), to: -2) }, { try await it.set(.bytes(5), to: []) },
        { _ = try await it.option(.int32(22)) },
      ]
      for call in calls {
        let error = await #expect(throws: ZMQError.self) { try await call() }
        #expect(error?.code == .invalid)
        #expect(error?.description.hasSuffix(": Invalid argument") == true)
      }
    }
  }

  @Test("marks are set before the first endpoint, or not at all", arguments: ["bind", "connect", "name", "none"])
  func marks(endpoint: String) async throws {
    try await Peers.with { peers in
      let it = try await peers.peer(.dealer).transport
      switch endpoint {
      case "bind": try await it.bind(Peers.any)
      case "connect": try await it.connect("ipc://@zg-marks")
      case "name": try await it.connect("tcp://no-such-host.invalid:1")
      default: break
      }
      let calls: [@Sendable () async throws -> Void] = [
        { try await it.set(.sendHighWaterMark, to: 5) }, { try await it.set(.receiveHighWaterMark, to: 5) },
        { try await it.set(.int32(23), to: 5) },
        { try await it.set(.immediate, to: false) },
      ]
      for call in calls {
        guard endpoint != "none" else {
          try await call()
          continue
        }
        let error = await #expect(throws: ZMQError.self) { try await call() }
        #expect(error?.description.contains("before the first endpoint") == true)
      }
    }
  }

  @Test("heartbeats and a receive mark that can be reached exclude each other, in whichever order they are set")
  func heartbeats() async throws {
    try await Peers.with { peers in
      let marked = try await peers.peer(.dealer).transport
      await #expect(throws: ZMQError.self) { try await marked.set(.heartbeat, to: .seconds(1)) }
      await #expect(throws: ZMQError.self) { try await marked.set(.int32(75), to: 1_000) }
      try await marked.set(.heartbeat, to: .zero)
      let beating = try await peers.peer(
        .dealer, options: { ($0.receiveHighWaterMark, $0.heartbeat) = (0, .seconds(1)) }
      ).transport
      await #expect(throws: ZMQError.self) { try await beating.set(.receiveHighWaterMark, to: 1) }
      try await beating.set(.receiveHighWaterMark, to: 0)
      await #expect(throws: ZMQError.self) {
        try await peers.peer(.dealer, options: { $0.set(.heartbeat, to: .seconds(1)) })
      }
    }
  }

  @Test("a name is connected to again after a loss, though the socket queues for peers that are away")
  func lostName() async throws {
    try await Peers.with { peers in
      let dealer = try await peers.peer(.dealer)
      for _ in 0..<3 {
        let router = try await peers.peer(.router, bind: [Peers.any])
        let (numeric, port) = (await router.boundTo[0], await router.boundTo[0].port)
        let named = try await dealer.transport.connect("tcp://localhost:\(port)")
        await dealer.write([1])
        _ = try await router.has(1)
        await router.transport.abort()
        await router.transport.waitClosed()
        let again = try await eventually("the port") { try? await peers.peer(.router, bind: [numeric]) }
        // What goes into the old connection, as long as its loss is not seen, is lost with it.
        try await eventually("a message") {
          await dealer.write([2])
          return again.notes.messages.contains { $0[1] == [2] }
        }
        try await dealer.transport.disconnect(named)
      }
    }
  }
}
