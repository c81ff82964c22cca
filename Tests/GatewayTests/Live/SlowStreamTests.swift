import Gateway
import MessagePack
import Support
import Testing
import ZeroMQ

/// What becomes of streams that read too slowly, as `slow` says.
@Suite("slow streams", .inTurn(minutes: 3))
struct SlowStreamTests {
  private static let long = Value.string(String(repeating: "x", count: 50_000))

  /// Publishes so many long events, over so many topics, and waits until a stream that reads has all of them: one that does not has
  /// fallen behind by then.
  private func overrun(
    _ count: Int, topics: Int, _ publisher: WireSocket, _ gateway: LiveGateway
  ) async throws {
    let quick = try await gateway.http.events("/sub/s?topic=t")
    for number in 0..<count {
      try await publisher.publish("t\(number % topics)", "\(number)", [Self.long])
      var event: EventReader.Block?
      repeat { event = try await quick.event() } while event?.json["method"] != .string("\(number)")
      #expect(event?.name == nil)
    }
    quick.close()
  }

  /// Streams that read little, with the numbers at which they begin.
  private func slow(_ gateway: LiveGateway) async throws -> [(stream: EventReader, start: Int)] {
    var slow: [(stream: EventReader, start: Int)] = []
    for _ in 0..<4 {
      let stream = try await gateway.http.events("/sub/s?topic=t", receiveBuffer: 4_096)
      slow.append((stream, try #require(try await stream.block()?.sequence)))
    }
    return slow
  }

  /// What a stream has got.
  private struct Reading {
    var events = 0
    /// How many it was told that it missed.
    var missed = 0
    /// Bytes before it was told so first, roughly.
    var bytesBefore = 0
    /// The topics of the events behind that.
    var topicsBehind: [String] = []
  }

  /// Reads what a stream gets up to the event `end`: it keeps account of all numbers from the first event on, nothing of a topic comes
  /// out of order, and it is not told twice in a row that it missed something.
  private func account(_ stream: EventReader, from start: Int) async throws -> Reading {
    var reading = Reading()
    var (last, hasLagged) = (start, false)
    var newest: [String: Int] = [:]
    while let event = try await stream.event() {
      #expect(!(hasLagged && event.name == "lagged"))
      hasLagged = event.name == "lagged"
      if hasLagged {
        reading.missed += event.json["missed"].integer ?? 0
      } else {
        reading.events += 1
        let topic = event.json["topic"].text ?? ""
        if reading.missed > 0 {
          reading.topicsBehind.append(topic)
        } else {
          reading.bytesBefore += event.data?.utf8.count ?? 0
        }
        #expect(event.sequence ?? 0 > newest[topic] ?? 0)
        newest[topic] = event.sequence
      }
      last = try #require(event.sequence)
      if event.json["method"] == "end" { break }
    }
    #expect(reading.events + reading.missed == last - start)
    return reading
  }

  @Test(
    "a stream that drops the oldest goes on with what is kept, and is told exactly what it missed", arguments: [1, 2])
  func dropOldest(threads: Int) async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher("slow: drop-oldest\nhistory: { events: 30 }", threads: threads)
      let slow = try await slow(gateway)
      try await overrun(300, topics: 3, publisher, gateway)
      try await publisher.publish("t", "end")
      for (stream, start) in slow {
        let reading = try await account(stream, from: start)
        #expect(reading.missed > 100)
        #expect(reading.events >= 30)
        // The rest of 15 MB waits where it is counted, and not in the kernel.
        #expect(reading.bytesBefore < 1 << 20)
        // It is open, and up to date.
        #expect(await gateway.gateway.accounts.events.areBalanced)
      }
      try await publisher.publish("t", "after")
      for (stream, _) in slow { #expect(try await stream.event()?.json["method"] == "after") }
      let accounts = await gateway.gateway.accounts.events
      #expect(accounts.lost > 400)
    }
  }

  @Test(
    "a stream that conflates gets, of all that it has fallen behind, the newest event of each topic, in order",
    arguments: [1, 2],
    // All is in the history; most of it is; none is, and the window has the rest.
    ["history: { events: 1000, bytes: 64MiB }", "history: { events: 200 }", "history: { events: 0 }"])
  func conflate(threads: Int, history: String) async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher("slow: conflate\n\(history)", threads: threads)
      let slow = try await slow(gateway)
      try await overrun(300, topics: 3, publisher, gateway)
      try await publisher.publish("t", "end")
      for (stream, start) in slow {
        let reading = try await account(stream, from: start)
        #expect(reading.missed > 100)
        #expect(reading.topicsBehind == ["t0", "t1", "t2", "t"])
        #expect(reading.bytesBefore < 1 << 20)
      }
      // They are at the present again, and get all that comes.
      for number in 0..<10 { try await publisher.publish("t", "\(number)") }
      for (stream, _) in slow {
        for number in 0..<10 { #expect(try await stream.event()?.json["method"] == .string("\(number)")) }
      }
    }
  }

  @Test("a stream that conflates and has fallen behind by small events of one topic gets the last of them")
  func conflateSmall() async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher("slow: conflate", threads: 1)
      let stream = try await gateway.http.events("/sub/s?topic=t", receiveBuffer: 4_096)
      let start = try #require(try await stream.block()?.sequence)
      let text = Value.string(String(repeating: "x", count: 1_000))
      for number in 1...5_000 {
        try await publisher.publish("t", "\(number)", [text])
        // What a publisher has no room for it drops.
        guard number.isMultiple(of: 500) else { continue }
        try await eventually("all is numbered") { await gateway.gateway.accounts.events.numbered == start + number }
      }
      try await publisher.publish("t", "end")
      let reading = try await account(stream, from: start)
      #expect(reading.missed > 4_000)
      #expect(reading.topicsBehind == ["t"])
    }
  }

  @Test("a stream that resumes where streams conflate gets all that is kept nevertheless")
  func resumeConflating() async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher("slow: conflate")
      let first = try await gateway.http.events("/sub/s?topic=t")
      let id = try #require(try await first.block()?.id)
      first.close()
      for number in 0..<500 { try await publisher.publish("t", "\(number)") }
      let stream = try await gateway.http.events("/sub/s?topic=t", headers: ["Last-Event-ID": id])
      for number in 0..<500 { try #require(try await stream.event()?.json["method"] == .string("\(number)")) }
    }
  }
}
