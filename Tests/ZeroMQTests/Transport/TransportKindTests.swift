import Glibc
import Reactor
import Support
import Testing

@testable import ZeroMQ

@Suite("the kinds of sockets", .inTurn(minutes: 3))
struct TransportKindTests {
  @Test(
    "CORE-10: each kind exchanges messages with each kind that it goes with, whichever of them binds",
    arguments: [
      (SocketKind.pair, SocketKind.pair), (.push, .pull), (.dealer, .dealer), (.dealer, .reply), (.publish, .subscribe),
      (.publish, .xSubscribe), (.xPublish, .subscribe), (.xPublish, .xSubscribe), (.request, .reply),
      (.request, .router),
      (.dealer, .router), (.router, .router),
    ], [true, false])
  func exchange(kinds: (SocketKind, SocketKind), firstBinds: Bool) async throws {
    try await Peers.with { peers in
      let (sender, receiver) = kinds
      let options: (inout SocketOptions) -> Void = { options in
        options.set(.routingID, to: [77])
      }
      let other = try await peers.peer(
        receiver, bind: firstBinds ? [] : [Peers.any], options: receiver == .router ? options : { _ in },
        doing: { note, transport in
          guard case .message(let frames) = note else { return }
          if [.reply, .router].contains(receiver), frames.last == [5] {
            transport.write(Message(frames.dropLast() + [[6]]))
          }
        })
      let one = try await peers.peer(
        sender, bind: firstBinds ? [Peers.any] : [], connect: firstBinds ? [] : other.boundTo)
      if firstBinds { for endpoint in await one.boundTo { try await other.transport.connect(endpoint) } }
      if receiver == .subscribe { try await other.transport.subscribe([]) }
      if receiver == .xSubscribe { await other.write([1]) }
      var message: [[UInt8]] = [[5]]
      if sender == .dealer, receiver == .reply { message = [[], [5]] }
      if sender == .router { message = [[77], [5]] }
      // A subscription, and the identity of a router's peer, are on their way at first.
      let repeats = [.publish, .xPublish, .router].contains(sender)
      if !repeats { await one.transport.write(Message(message)) }
      try await eventually("the message") {
        if repeats { await one.transport.write(Message(message)) }
        return other.notes.messages.contains { $0.last == [5] }
      }
      if [.reply, .router].contains(receiver), sender != .router {
        try await eventually("the answer") { one.notes.messages.first?.last == [6] }
      }
      #expect(one.notes.events == [.made])
    }
  }

  @Test("REQ and REP take turns, a hundred times, and what is out of turn ends the transport") func turns() async throws
  {
    try await Peers.with { peers in
      let reply = try await peers.peer(
        .reply, bind: [Peers.any],
        doing: { note, transport in if case .message(let frames) = note { transport.write(Message(frames + [[0]])) } })
      let request = try await peers.peer(.request, connect: reply.boundTo)
      for number in 1...100 {
        await request.write([UInt8(number)])
        #expect(try await request.has(number).last == [[UInt8(number)], [0]])
      }
      await request.transport.writeTwice()
      await request.transport.waitClosed()
      #expect(request.notes.events == [.made, .lost(.wrongState)])
    }
  }

  @Test("XPUB is told the subscriptions, with their ends, and sends a welcome") func xPublish() async throws {
    try await Peers.with { peers in
      let publisher = try await peers.peer(.xPublish, bind: [Peers.any], options: { $0.set(.welcome, to: [119]) })
      let subscriber = try await peers.peer(.subscribe)
      try await subscriber.transport.subscribe([119])
      try await subscriber.transport.connect(publisher.boundTo[0])
      #expect(try await publisher.has(1) == [[[1, 119]]])
      #expect(try await subscriber.has(1) == [[[119]]])
      try await subscriber.transport.unsubscribe([119])
      #expect(try await publisher.has(2).last == [[0, 119]])
    }
  }

  @Test("XSUB subscribes by messages, and sends others to the publishers") func xSubscribe() async throws {
    try await Peers.with { peers in
      let (publisher, subscriber) = try await peers.pair(.xPublish, .xSubscribe)
      await subscriber.write([1, 97])
      await subscriber.write([9, 9])
      #expect(try await publisher.has(2) == [[[1, 97]], [[9, 9]]])
      for topic in ["b", "ab"] { await publisher.transport.write(Message(topic)) }
      #expect(try await subscriber.has(1) == [[[97, 98]]])
      await subscriber.write([0, 97])
      #expect(try await publisher.has(3).last == [[0, 97]])
    }
  }

  @Test(
    "STREAM refuses a message of other than two frames, reports it, and sends what follows", arguments: [1, 3])
  func wrongFrames(count: Int) async throws {
    try await Peers.with { peers in
      let stream = try await peers.peer(
        .stream, bind: [Peers.any],
        doing: { note, transport in
          guard case .message(let frames) = note, frames[1] == Array("ping".utf8) else { return }
          transport.write(Message(Array(repeating: frames[0], count: count)))
          transport.write(Message([frames[0], Array("pong".utf8)]))
        })
      let port = await stream.boundTo[0].port
      let answer = try await offThread {
        let client = try RawPeer(port: port)
        try client.send(Array("ping".utf8))
        return client.receive(4)
      }
      #expect(answer == Array("pong".utf8))
      #expect(stream.reported.count == 1)
      #expect(stream.reported[0].contains("has two frames, whom it goes to and the bytes, not \(count)"))
      #expect(await stream.transport.writeBufferSize == 0)
    }
  }

  @Test("ROUTER reports a message of one frame, and one to nobody, and sends what follows") func unaddressed()
    async throws
  {
    try await Peers.with { peers in
      let dealer = try await peers.peer(.dealer, bind: [Peers.any])
      let router = try await peers.peer(.router)
      try await router.transport.set(.connectRoutingID, to: [65])
      try await router.transport.connect(dealer.boundTo[0])
      for message: Message in [["A"], ["B", "x"], ["A", "y"]] { await router.transport.write(message) }
      #expect(try await dealer.has(1) == [[Array("y".utf8)]])
      #expect(
        router.reported == [
          "a ROUTER socket: send on a ROUTER socket: a message has two frames or more, the first is whom it goes to: Invalid argument",
          "a ROUTER socket: write to B, a peer that is not there: Host unreachable",
        ])
    }
  }

  @Test("XSUB refuses a subscription that would spoil those behind it, in whichever frame, and reports it")
  func longSubscriptions() async throws {
    try await Peers.with { peers in
      let (publisher, subscriber) = try await peers.pair(.xPublish, .xSubscribe)
      for count in [246, 255] {
        let long = [1] + [UInt8](repeating: 65, count: count)
        await subscriber.write(long)
        await subscriber.write([9], long)
      }
      for count in [245, 256] { await subscriber.write([1] + [UInt8](repeating: 65, count: count)) }
      await subscriber.write([9] + [UInt8](repeating: 65, count: 250))
      #expect(try await publisher.has(3).map { $0[0].count } == [246, 257, 251])
      #expect(subscriber.reported.count == 4)
    }
  }

  @Test("so do sockets that are sent to frame by frame") func byFrame() throws {
    let context = try Context()
    let (stream, other) = (try Socket(.stream, in: context), try Socket(.stream, in: context))
    func send(_ frame: [UInt8], more: Bool) throws -> Bool {
      try frame.withUnsafeBytes { try stream.send($0, more: more) }
    }
    try stream.set(.connectRoutingID, to: [65])
    try stream.connect(other.bind(Peers.any))
    for _ in 0..<2 {
      #expect(throws: ZMQError.self) { try send([65], more: false) }
      #expect(throws: ZMQError.self) { try send([66], more: true) }
      #expect(try send([65], more: true))
      #expect(throws: ZMQError.self) { try send([1], more: true) }
      #expect(try send([1], more: false))
    }
    let subscriber = try Socket(.xSubscribe, in: context)
    for (count, isSent) in [(245, true), (246, false)] {
      let frame = [1] + [UInt8](repeating: 65, count: count)
      #expect((try? frame.withUnsafeBytes { try subscriber.send($0, more: false) }) == (isSent ? true : nil))
    }
  }

  @Test("STREAM speaks plain TCP: it is told of the connection, exchanges bytes, and ends the connection") func stream()
    async throws
  {
    try await Peers.with { peers in
      let stream = try await peers.peer(
        .stream, bind: [Peers.any],
        doing: { note, transport in
          guard case .message(let frames) = note, frames[1] == Array("ping".utf8) else { return }
          transport.write(Message([frames[0], Array("pong".utf8)]))
          transport.write(Message([frames[0], []]))
        })
      let port = await stream.boundTo[0].port
      let answer = try await offThread {
        let client = try RawPeer(port: port)
        try client.send(Array("ping".utf8))
        return client.receive(5)
      }
      #expect(answer == Array("pong".utf8), "and the end of the connection after it")
      let messages = try await stream.has(2)
      #expect(messages.map { $0[1] } == [[], Array("ping".utf8)])
      #expect(Set(messages.map { $0[0] }).count == 1)
    }
  }
}

extension Transport {
  /// In one turn: no reply can come between the two.
  fileprivate func writeTwice() {
    for number: UInt8 in 1...2 { write(Message([[number]])) }
  }
}
