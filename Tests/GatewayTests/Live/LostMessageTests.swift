import MessagePack
import Support
import Testing
import ZeroMQ

/// What publishers number and does not arrive.
@Suite("messages that are lost before the gateway", .inTurn(minutes: 3))
struct LostMessageTests {
  private func send(_ number: Int, _ topic: String, _ publisher: WireSocket, inFrame: Bool) async throws {
    let keywords: [UInt8] = inFrame ? [0x80] : [0x81, 0xA1, UInt8(ascii: "n"), UInt8(number)]
    try await publisher.send(
      [topic.bytes, "\(number)".bytes, [0x90], keywords]
        + (inFrame ? [[UInt8](repeating: 0, count: 7) + [UInt8(number)]] : []))
  }

  @Test(
    "are a gap on the streams of their topic, in its place, with the number of them",
    arguments: [("{ keyword: n }", false), ("{ frame: 4 }", true)])
  func lost(numbering: String, inFrame: Bool) async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher("seq: \(numbering)")
      let a = try await gateway.http.events("/sub/s?topic=a")
      let b = try await gateway.http.events("/sub/s?topic=b")
      for (number, topic) in [(1, "a"), (1, "b"), (2, "a"), (2, "b"), (5, "a"), (3, "b"), (1, "a"), (2, "a")] {
        try await send(number, topic, publisher, inFrame: inFrame)
      }
      for method in ["1", "2"] { #expect(try await a.event()?.json["method"] == .string(method)) }
      let gap = try await a.event()
      #expect(gap?.name == "gap")
      #expect(gap?.json == ["reason": "lost", "missed": 2, "upstream": true])
      let next = try await a.event()
      #expect(next?.json["method"] == "5")
      #expect(next?.sequence == (gap?.sequence).map { $0 + 1 })
      #expect(try await a.event()?.json == ["reason": "lost", "missed": .null, "upstream": true])
      for method in ["1", "2"] { #expect(try await a.event()?.json["method"] == .string(method)) }
      for method in ["1", "2", "3"] { #expect(try await b.event()?.json["method"] == .string(method)) }
      // The gap is part of the history.
      let again = try await gateway.http.events("/sub/s?topic=a", headers: ["Last-Event-ID": gap?.id ?? ""])
      #expect(try await again.event()?.json["method"] == "5")
    }
  }

  @Test("are told to all streams where the numbers are the publisher's own")
  func publisher() async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher("seq: { frame: 4, per: publisher }")
      let a = try await gateway.http.events("/sub/s?topic=a")
      let b = try await gateway.http.events("/sub/s?topic=b")
      for (number, topic) in [(1, "a"), (2, "b"), (9, "b")] { try await send(number, topic, publisher, inFrame: true) }
      #expect(try await a.event()?.json["method"] == "1")
      #expect(try await b.event()?.json["method"] == "2")
      for stream in [a, b] {
        #expect(try await stream.event()?.json == ["reason": "lost", "missed": 6, "upstream": true])
      }
      #expect(try await b.event()?.json["method"] == "9")
    }
  }

  @Test("a fifth frame is none where no number is looked for in it")
  func unnumbered() async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher("seq: { keyword: n }")
      let stream = try await gateway.http.events("/sub/s?topic=a")
      try await send(1, "a", publisher, inFrame: true)
      #expect(try await stream.event()?.json == ["reason": "undecodable", "missed": 1])
    }
  }
}
