import Gateway
import MessagePack
import Support
import Testing
import ZeroMQ

/// What becomes of streams that read too slowly, as `slow` says.
@Suite("slow streams", .timeLimit(.minutes(1)))
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

  /// Reads what a stream gets up to the event `end`: it keeps account of all numbers from the first event on, and nothing of a topic comes
  /// out of order. Returns how many events came, and how many it was told to have missed.
  private func account(_ stream: EventReader, from start: Int) async throws -> (events: Int, missed: Int) {
    var (events, missed, last) = (0, 0, start)
    var newest: [String: Int] = [:]
    while let event = try await stream.event() {
      if event.name == "lagged" {
        missed += event.json["missed"].integer ?? 0
      } else {
        events += 1
        let topic = event.json["topic"].text ?? ""
        #expect(event.sequence ?? 0 > newest[topic] ?? 0)
        newest[topic] = event.sequence
      }
      last = try #require(event.sequence)
      if event.json["method"] == "end" { break }
    }
    #expect(events + missed == last - start)
    return (events, missed)
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
        let (events, missed) = try await account(stream, from: start)
        #expect(missed > 100)
        #expect(events >= 30)
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
    "a stream that conflates gets of what it has fallen behind the newest event of each topic, in order",
    arguments: [1, 2])
  func conflate(threads: Int) async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher(
        "slow: conflate\nhistory: { events: 1000, bytes: 64MiB }", threads: threads)
      let slow = try await slow(gateway)
      try await overrun(300, topics: 3, publisher, gateway)
      try await publisher.publish("t", "end")
      for (stream, start) in slow {
        let (events, missed) = try await account(stream, from: start)
        #expect(missed > 100)
        // What the sockets held, what the window holds, and three of the rest.
        #expect(events < 200)
      }
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
