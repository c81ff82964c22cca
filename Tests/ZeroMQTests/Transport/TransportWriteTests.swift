import Reactor
import Support
import Testing

@testable import ZeroMQ

@Suite("what is written to a transport", .inTurn(minutes: 3))
struct TransportWriteTests {
  private static func bytes(_ count: Int) -> Message { Message([[UInt8](repeating: 7, count: count)]) }

  @Test("CORE-22: close sends what waits, receives no more, and then tells connectionLost(nil)", arguments: [1, 100])
  func close(count: Int) async throws {
    try await Peers.with { peers in
      let push = try await peers.peer(.push, bind: [Peers.any])
      for number in 0..<count { await push.write([UInt8(number)]) }
      #expect(await push.transport.writeBufferSize == count)
      await push.transport.close()
      #expect(push.notes.events == [.made])
      // A connection that comes after the close still gets it all.
      let pull = try await peers.peer(.pull, connect: push.boundTo)
      #expect(try await pull.has(count) == (0..<count).map { [[UInt8($0)]] })
      await push.transport.waitClosed()
      #expect(push.notes.all == [.made, .lost(nil)])
      #expect(await push.transport.bindings.isEmpty)
    }
  }

  @Test("CORE-22: what the peer sends after close is not received") func closeReading() async throws {
    try await Peers.with { peers in
      let (a, b) = try await peers.pair(.pair, .pair)
      await b.write([1])
      _ = try await a.has(1)
      try await a.transport.setWriteBufferLimits(high: 1 << 40)
      try await b.transport.pauseReading()
      _ = try await a.fill(Self.bytes(100_000))
      await a.transport.close()
      await b.write([2])
      try await b.transport.resumeReading()
      await a.transport.waitClosed()
      #expect(a.notes.messages == [[[1]]])
    }
  }

  @Test(
    "close keeps what waits as long as the option linger says, however it was set",
    arguments: ["option", "later", "both"])
  func closeOption(set: String) async throws {
    try await Peers.with { peers in
      let push = try await peers.peer(
        .push,
        options: { options in
          if set != "later" { options.set(.linger, to: .milliseconds(20)) }
          if set == "both" { options.linger = nil }
        })
      if set == "later" { try await push.transport.set(.linger, to: .milliseconds(20)) }
      await push.write([1])
      let took = await duration(of: {
        await push.transport.close()
        await push.transport.waitClosed()
      })
      #expect(took < .seconds(15))
    }
  }

  @Test("close gives up on what waits when linger has passed") func closeLimit() async throws {
    try await Peers.with { peers in
      let push = try await peers.peer(.push, bind: [Peers.any], options: { $0.linger = .milliseconds(20) })
      await push.write([1])
      await push.transport.close()
      await push.transport.waitClosed()
      #expect(push.notes.all == [.made, .lost(nil)])
    }
  }

  @Test("one that closes is kept until it has sent what waits, though nobody holds it") func closeKept() async throws {
    try await Peers.with { peers in
      let notes = Notes { _, _ in }
      var push: Transport? = try await Transport.open(
        .push, bind: [Peers.any], on: peers.reactor, in: peers.context
      ) { notes }
      let endpoint = try #require(await push?.bindings.first)
      await push?.write(["last"])
      await push?.close()
      push = nil
      let pull = try await peers.peer(.pull, connect: [endpoint])
      #expect(try await pull.has(1) == [[Array("last".utf8)]])
      try await eventually("the end") { notes.events == [.made, .lost(nil)] }
    }
  }

  @Test("CORE-23: to close twice, to abort after it, or to abort twice, is harmless", arguments: [0, 1, 2])
  func twice(which: Int) async throws {
    try await Peers.with { peers in
      let peer = try await peers.peer(.dealer)
      if which == 2 { await peer.transport.abort() } else { await peer.transport.close() }
      if which == 0 { await peer.transport.close() } else { await peer.transport.abort() }
      await peer.transport.waitClosed()
      await peer.transport.close()
      #expect(peer.notes.all == [.made, .lost(nil)])
    }
  }

  @Test("CORE-24: abort drops what waits, here and in libzmq, and tells connectionLost(nil)", arguments: [true, false])
  func abort(binds: Bool) async throws {
    try await Peers.with { peers in
      // Bound, the message waits in the buffer; connecting, in libzmq.
      let endpoint = binds ? Peers.any : peers.directory.endpoint("a")
      var place = endpoint
      try await Peers.with { first in
        let dealer = try await first.peer(
          .dealer, bind: binds ? [endpoint] : [], connect: binds ? [] : [endpoint], options: { $0.linger = nil })
        await dealer.write([1])
        if binds { place = await dealer.transport.bindings[0].description }
        #expect(await dealer.transport.writeBufferSize == (binds ? 1 : 0))
        await dealer.transport.abort()
        #expect(await dealer.transport.writeBufferSize == 0)
        await dealer.transport.waitClosed()
        #expect(dealer.notes.all == [.made, .lost(nil)])
        // libzmq lets go of a socket that waits for nothing, and only then of its context.
        #expect(await first.context.close(within: .seconds(20)))
      }
      let router = try await eventually("the address") { [place] in try? await peers.peer(.router, bind: [place]) }
      let other = try await peers.peer(.dealer, connect: [place])
      await other.write([2])
      await other.write([3])
      #expect(try await router.has(2).map { $0[1] } == [[2], [3]])
    }
  }

  @Test(
    "CORE-25: write never waits; what the socket does not take is sent later, in order", arguments: [Peers.any, "ipc"])
  func order(endpoint: String) async throws {
    try await Peers.with { peers in
      let (pull, push) = try await peers.pair(
        .pull, .push, at: endpoint == "ipc" ? peers.directory.endpoint("a") : endpoint,
        options: { ($0.sendHighWaterMark, $0.receiveHighWaterMark) = (10, 10) })
      try await pull.transport.pauseReading()
      var count = try await push.fill(Message([[0], [UInt8](repeating: 0, count: 10_000)]))
      for number in 1...100 {
        await push.write([UInt8(number)], [])
        count += 1
      }
      try await pull.transport.resumeReading()
      let messages = try await pull.has(count)
      #expect(messages.count == count)
      #expect(messages.suffix(100) == (1...100).map { [[UInt8($0)], []] })
      #expect(await push.transport.writeBufferSize == 0)
    }
  }

  @Test("CORE-26, PROTO-3: a message is any number of frames of any size, made of bytes, text, or what was received")
  func frames() async throws {
    try await Peers.with { peers in
      let (a, b) = try await peers.pair(.pair, .pair)
      let lengths = [0, 1, 33, 34, 8_192, 8_193, 1 << 20]
      let frames = lengths.map { [UInt8](repeating: UInt8($0 % 251), count: $0) }
      await a.transport.write(Message(frames))
      await a.transport.write(["text", [1, 2], Frame([3, 4].span), ""])
      await a.transport.write(Message("alone"))
      await a.transport.write(Message(Array(repeating: [], count: 300)))
      let sent = [
        frames, [Array("text".utf8), [1, 2], [3, 4], []], [Array("alone".utf8)], Array(repeating: [], count: 300),
      ]
      #expect(try await b.has(4) == sent)
    }
  }

  @Test("CORE-27: a message without frames is ignored") func empty() async throws {
    try await Peers.with { peers in
      let (a, b) = try await peers.pair(.pair, .pair)
      await a.transport.write([])
      await a.write([1])
      #expect(try await b.has(1) == [[[1]]])
    }
  }

  @Test("CORE-28: writes after the close are ignored, and reported from the fifth on", arguments: [true, false])
  func late(closes: Bool) async throws {
    try await Peers.with { peers in
      let peer = try await peers.peer(.dealer, bind: [Peers.any])
      // What waits does not let later writes in.
      if closes { await peer.write([1]) }
      if closes { await peer.transport.close() } else { await peer.transport.abort() }
      for _ in 0..<8 { await peer.write([2]) }
      #expect(peer.reported == (5...8).map { "a closed DEALER socket was written to, \($0) times by now" })
      #expect(await peer.transport.writeBufferSize == (closes ? 1 : 0))
    }
  }

  @Test(
    "CORE-29: an error of libzmq's is reported, and ends the transport with it",
    arguments: [(SocketKind.subscribe, ZMQError.Code.notSupported), (.request, .wrongState), (.reply, .wrongState)])
  func fatal(kind: SocketKind, code: ZMQError.Code) async throws {
    try await Peers.with { peers in
      let peer = try await peers.peer(kind, bind: [Peers.any])
      if kind == .request {
        let reply = try await peers.peer(.reply, connect: peer.boundTo)
        await peer.write([1])
        _ = try await reply.has(1)
      }
      await peer.write([1])
      #expect(await !peer.transport.isOpen)
      await peer.transport.waitClosed()
      #expect(peer.notes.all == [.made, .lost(code)])
      #expect(peer.reported.count == 1)
      #expect(peer.reported.first?.contains("was closed by an error: zmq_msg_send") == true)
    }
  }

  @Test(
    "what has waited for a peer that is gone is reported once, with how many messages it was", arguments: [true, false])
  func gone(isRouter: Bool) async throws {
    try await Peers.with { peers in
      let sender = try await peers.peer(
        isRouter ? .router : .stream, bind: [Peers.any], options: { $0.sendHighWaterMark = 2 })
      let dealer = try await peers.peer(.dealer, options: { $0.receiveHighWaterMark = 1 })
      if isRouter {
        try await dealer.transport.connect(sender.boundTo[0])
        await dealer.write([1])
      }
      let port = await sender.boundTo[0].port
      let client = isRouter ? nil : try RawPeer(port: port)
      let identity = try await sender.has(1)[0][0]
      try await dealer.transport.pauseReading()
      let message = Message([identity, [UInt8](repeating: 7, count: 1 << 20)])
      _ = try await sender.fill(message)
      for _ in 0..<500 { await sender.transport.write(message) }
      #expect(sender.reported.isEmpty)
      await dealer.transport.abort()
      _ = consume client
      try await eventually("nothing waits") { await sender.transport.writeBufferSize == 0 }
      #expect(sender.reported.count == 1)
      #expect(sender.reported.first?.contains("a peer that is not there") == true)
    }
  }

  @Test("a message to a router's peer that is gone is dropped and reported, and the router goes on")
  func unreachable() async throws {
    try await Peers.with { peers in
      let (router, dealer) = try await peers.pair(.router, .dealer)
      await router.write([1, 2, 3], [1])
      #expect(router.reported.count == 1)
      await dealer.write([1])
      let identity = try await router.has(1)[0][0]
      await router.write(identity, [2])
      #expect(try await dealer.has(1) == [[[2]]])
    }
  }
}

extension Peer {
  /// Where it is bound.
  var boundTo: [Endpoint] { get async { await transport.bindings } }
}
