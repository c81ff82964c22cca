import Reactor
import Support
import Testing

@testable import ZeroMQ

@Suite("hostile connections", .timeLimit(Soak.limit))
struct ConnectionStressTests {
  private static let token = Array("an honest message".utf8)

  /// Notes that the token has come; a REP and a ROUTER send back what comes.
  private final class Listener: TransportDelegate, Sendable {
    let heard = Tally()

    func messageReceived(_ message: Message, on transport: isolated Transport) {
      if let last = message.last, [UInt8](last) == token { heard.countUp() }
      if transport.kind == .reply || transport.kind == .router { transport.write(message) }
    }
  }

  /// A socket that is attacked, and the kind of an honest peer.
  private struct Victim: Sendable {
    let transport: Transport
    let listener: Listener
    let honest: SocketKind
    /// Or else the honest peer speaks first.
    let speaks: Bool
    let port: UInt16

    /// Each kind, with one that goes with it.
    static let kinds: [(kind: SocketKind, honest: SocketKind, speaks: Bool)] = [
      (.publish, .subscribe, true), (.subscribe, .publish, false), (.request, .reply, true),
      (.reply, .request, false), (.dealer, .dealer, true), (.router, .dealer, false), (.pull, .push, false),
      (.push, .pull, true), (.xPublish, .subscribe, true), (.xSubscribe, .publish, false), (.stream, .stream, false),
    ]

    init(_ kind: SocketKind, _ honest: SocketKind, speaks: Bool, on reactor: Reactor, in context: Context) async throws
    {
      let listener = Listener()
      (self.honest, self.speaks, self.listener) = (honest, speaks, listener)
      transport = try await Transport.open(
        kind, bind: [Peers.any], on: reactor, in: context,
        options: { options in
          options.set(.backlog, to: 1_000)
          // What a router cannot send to those who are gone is no matter here.
          options.mandatory = false
        }, reporting: { _ in }
      ) { listener }
      port = await transport.boundPort
      if kind == .subscribe { try await transport.subscribe([]) }
      if kind == .xSubscribe { await transport.write([[1]]) }
    }

    /// Connections that misbehave, one after the other; some of them stay open while others come.
    func attack(_ count: Int, seed: UInt64) throws {
      var random = SplitMix(state: seed)
      let greeting = RawPeer.greeting(as: honest.description)
      var open: [Held] = []
      for _ in 0..<count {
        let held = try Held(RawPeer(port: port))
        // The other side may have ended it already.
        try? misbehave(on: held.peer, greeting, &random)
        if random.next() % 2 == 0 { held.peer.resetOnClose() }
        if random.next() % 8 == 0 { open.append(held) }
        if open.count > 20 { open.removeFirst() }
      }
    }

    private func misbehave(on peer: borrowing RawPeer, _ greeting: [UInt8], _ random: inout SplitMix) throws {
      let garbage = (0..<random.next() % 300).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      switch random.next() % 7 {
      case 0: break
      case 1: try peer.send(Array(greeting.prefix(Int(random.next() % UInt64(greeting.count)))))
      case 2: try peer.send(garbage)
      case 3: try peer.send(Array("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
      case 4: try peer.send(greeting + garbage)
      // A frame of 2^62 bytes, and a command that is none.
      case 5: try peer.send(greeting + (random.next() % 2 == 0 ? [2, 0x40, 0, 0, 0, 0, 0, 0, 0] : [4, 3, 9, 1, 2]))
      default:
        if transport.kind != .stream { try peer.greet(as: honest.description) }
        // An empty frame is what REP waits for, and a subscription is a message with 1 in front.
        let message: [UInt8] = transport.kind == .reply ? [1, 0, 0, 1, 65] : [0, 2, 1, UInt8(random.next() % 256)]
        try peer.send(Array([[UInt8]](repeating: message, count: Int(random.next() % 200)).joined()))
      }
    }

    /// An honest peer comes, and is served.
    func serves(on reactor: Reactor, in context: Context) async throws {
      let answers = Listener()
      guard transport.kind != .stream else {
        try await offThread { [port] in try RawPeer(port: port).send(token) }
        return await listener.heard.reaches(1)
      }
      let peer = try await Transport.open(
        honest, connect: [Endpoint(host: "127.0.0.1", port: port)], on: reactor, in: context
      ) { answers }
      if honest == .subscribe { try await peer.subscribe([]) }
      let (speaker, hearer) = speaks ? (transport, answers) : (peer, listener)
      // A subscription is on its way for a while.
      let isPublisher = [.publish, .xPublish].contains(speaker.kind)
      if !isPublisher { await speaker.write(Message([token])) }
      try await eventually("\(transport.kind) serves \(honest)") {
        if isPublisher { await speaker.write(Message([token])) }
        return hearer.heard.count > 0
      }
      await peer.close()
      await peer.waitClosed()
    }
  }

  /// A connection that stays open as long as somebody has it.
  private final class Held {
    let peer: RawPeer
    init(_ peer: consuming RawPeer) { self.peer = peer }
  }

  @Test(
    "five hundred to each kind, with half handshakes, garbage, resets, and messages that make no sense, harm no socket")
  func attacks() async {
    await #expect(processExitsWith: .success) {
      let (reactor, context) = (try Reactor(), try Context())
      var victims: [Victim] = []
      for (kind, honest, speaks) in Victim.kinds {
        victims.append(try await Victim(kind, honest, speaks: speaks, on: reactor, in: context))
      }
      let before = try await Descriptors.count()
      // A PAIR has one peer, and libzmq keeps the descriptors of some others until the socket closes.
      let pair = try await Victim(.pair, .pair, speaks: false, on: reactor, in: context)
      try await withThrowingTaskGroup { group in
        for (index, victim) in (victims + [pair]).enumerated() {
          group.addTask { try await offThread { try victim.attack(500 * Soak.factor, seed: UInt64(index)) } }
        }
        try await group.waitForAll()
      }
      do {
        try await pair.serves(on: reactor, in: context)
        #expect(await pair.transport.isOpen)
        await pair.transport.abort()
        await pair.transport.waitClosed()
        try await eventually("all connections have ended") { try await Descriptors.count() <= before }
        for victim in victims { try await victim.serves(on: reactor, in: context) }
      } catch { Issue.record(error) }
      for victim in victims {
        #expect(await victim.transport.isOpen)
        await victim.transport.abort()
        await victim.transport.waitClosed()
      }
      #expect(await context.close(within: .seconds(10)))
      await reactor.stop()
    }
  }
}

extension Transport {
  fileprivate var boundPort: UInt16 { bindings.first?.port ?? 0 }
}
