import Reactor
import Support
import Testing

@testable import ZeroMQ

@Suite(
  "every pattern with pyzmq", .inTurn(minutes: 3), .enabled(if: Python.isThere, Comment(rawValue: Python.comment)))
struct PythonPatternTests {
  /// A pyzmq socket in a process of its own.
  private struct Python: Sendable {
    let process: Subprocess
    let endpoint: String

    init(_ kind: String, connect: Endpoint?) async throws {
      var options: JSON = ["kind": .string(kind)]
      if let connect { options = ["kind": .string(kind), "connect": .string(connect.description)] }
      process = try Support.Python.start("peer_patterns.py", ["\(options)"])
      let line = try #require(try await process.line())
      endpoint = try #require(JSON(line)?["endpoint"].text)
    }

    /// Gives it a command, and waits for its answer.
    @discardableResult
    func tell(_ command: JSON) async throws -> JSON {
      process.write("\(command)\n")
      let line = try #require(try await process.line())
      return try #require(JSON(line))
    }
  }

  @Test(
    "CORE-10: messages go both ways, whichever side binds",
    arguments: [
      (SocketKind.request, "REP"), (.request, "ROUTER"), (.reply, "REQ"), (.reply, "DEALER"), (.dealer, "ROUTER"),
      (.dealer, "REP"), (.router, "DEALER"), (.router, "REQ"), (.push, "PULL"), (.pull, "PUSH"), (.publish, "SUB"),
      (.publish, "XSUB"), (.subscribe, "PUB"), (.subscribe, "XPUB"), (.xPublish, "SUB"), (.xSubscribe, "XPUB"),
      (.pair, "PAIR"),
    ], [true, false])
  func exchange(kinds: (SocketKind, String), weBind: Bool) async throws {
    try await Peers.with { peers in
      let (kind, other) = kinds
      let echoes = kind == .reply || kind == .router
      let peer = try await peers.peer(
        kind, bind: weBind ? [Peers.any] : [],
        doing: { note, transport in
          if echoes, case .message(let frames) = note { transport.write(Message(frames)) }
        })
      let python = try await Python(other, connect: weBind ? await peer.boundTo[0] : nil)
      if !weBind { try await peer.transport.connect(python.endpoint) }
      let envelope: [String] = [.reply, .dealer].contains(kind) && ["DEALER", "REP"].contains(other) ? [""] : []
      let (texts, text): ([String], JSON) = (
        envelope + ["a", "", "b"], .array((envelope + ["a", "", "b"]).map { .string($0) })
      )
      let frames = texts.map { Array($0.utf8) }
      switch kind {
      case .reply, .router:
        try await python.tell(["send": text])
        #expect(try await python.tell(["receive": true])["message"] == text)
      case .request, .dealer, .pair:
        await peer.transport.write(Message(frames))
        try await python.tell(["echo": true])
        #expect(try await peer.has(1) == [frames])
      case .push:
        await peer.transport.write(Message(frames))
        #expect(try await python.tell(["receive": true])["message"] == text)
      case .pull:
        try await python.tell(["send": text])
        #expect(try await peer.has(1) == [frames])
      case .subscribe:
        try await peer.transport.subscribe([97])
        if other == "XPUB" { #expect(try await python.tell(["receive": true])["message"] == ["\u{1}a"]) }
        try await python.tell([other == "XPUB" ? "send" : "repeat": text])
        #expect(try await peer.has(1)[0] == frames)
      case .xSubscribe:
        await peer.write([1, 97])
        #expect(try await python.tell(["receive": true])["message"] == ["\u{1}a"])
        try await python.tell(["send": text])
        #expect(try await peer.has(1) == [frames])
      default:
        if other == "SUB" {
          try await python.tell(["subscribe": "a"])
        } else {
          try await python.tell(["send": ["\u{1}a"]])
        }
        let isOver = Guarded(false)
        // Also because libzmq takes a new connection, and tells it the subscriptions, only when Python calls it.
        async let answer = python.tell(["receive": true])
        if kind == .xPublish { #expect(try await peer.has(1) == [[[1, 97]]]) }
        // A subscription is on its way for a while.
        async let writes: Void = eventually("the message") {
          await peer.transport.write(Message(frames))
          return isOver.withLock { $0 }
        }
        #expect(try await answer["message"] == text)
        isOver.withLock { $0 = true }
        try await writes
      }
      await python.process.destroy()
      #expect(peer.notes.events == [.made])
    }
  }

  @Test("CORE-10: STREAM speaks with a plain TCP peer, whichever side listens", arguments: [true, false])
  func stream(weBind: Bool) async throws {
    try await Peers.with { peers in
      let peer = try await peers.peer(.stream, bind: weBind ? [Peers.any] : [])
      let python = try await Python("TCP", connect: weBind ? await peer.boundTo[0] : nil)
      if !weBind { try await peer.transport.connect(python.endpoint) }
      let hello = try await peer.has(1)[0]
      #expect(hello[1] == [], "the connection is there")
      await peer.write(hello[0], Array("ping".utf8))
      #expect(try await python.tell(["receive": true])["message"] == ["ping"])
      try await python.tell(["send": ["po", "ng"]])
      #expect(try await peer.has(2)[1] == [hello[0], Array("pong".utf8)])
      await peer.write(hello[0], [])
      #expect(try await python.tell(["receive": true])["message"] == [""], "the connection has ended")
      await python.process.destroy()
    }
  }
}
