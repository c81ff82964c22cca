import Gateway
import Logging
import MessagePack
import Support
import Testing
import ZeroMQ

/// What has become of each number that a stream came past: delivered, not asked for, announced as lost, or not sent when it ended.
@Suite("the books of streams", .inTurn(minutes: 3))
struct StreamAccountsTests {
  /// Publishes, and waits until all is numbered. The first number is that of the publisher's coming.
  private func publish(_ count: Int, _ publisher: WireSocket, _ gateway: LiveGateway) async throws {
    for number in 0..<count { try await publisher.publish("t\(number % 10)", "\(number)") }
    try await isNumbered(count + 1, gateway)
  }

  private func isNumbered(_ count: Int, _ gateway: LiveGateway) async throws {
    try await eventually("\(count) numbers") { await gateway.gateway.accounts.events.numbered == count }
  }

  /// The accounts when no stream is open any more.
  private func stop(_ gateway: LiveGateway) async throws -> EventAccounts {
    let accounts = try #require(await gateway.accountsAtStop()?.eventsOfServices["s"])
    #expect(accounts.areBalanced, "\(accounts)")
    return accounts
  }

  private func poll(_ gateway: LiveGateway, _ query: String) async throws -> JSON {
    try await gateway.http.get("/sub/s?_poll=0&\(query)").json
  }

  @Test("events that are gone when a stream resumes are lost", arguments: [1, 2])
  func evicted(threads: Int) async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher("history: { events: 100 }", threads: threads)
      try await publish(300, publisher, gateway)
      let epoch = try #require(try await poll(gateway, "")["cursor"].text?.split(separator: "-").first)
      let reply = try await poll(gateway, "_last_event_id=\(epoch)-11")
      #expect(reply["events"][0]["missed"] == 190)
      // Nobody knows how many it missed of another run: its numbers begin with what is kept.
      _ = try await poll(gateway, "_last_event_id=another-11&topic=t3")
      let accounts = try await stop(gateway)
      #expect([accounts.numbered, accounts.streams, accounts.passed] == [301, 3, 290 + 100])
      #expect([accounts.delivered, accounts.filtered, accounts.lost] == [100 + 10, 90, 190])
      #expect(accounts.unsent == 0)
    }
  }

  @Test("a gap in the place of a message that cannot be shown is lost, where its topic was asked for")
  func undecodable() async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher(threads: 1)
      let (all, other) = (try await gateway.http.events("/sub/s"), try await gateway.http.events("/sub/s?topic=u"))
      for _ in 0..<10 { try await publisher.send(["t".bytes, "bad".bytes]) }
      try await publisher.publish("u", "good")
      for stream in [all, other] { #expect(try await stream.event(named: "")?.json["method"] == "good") }
      let accounts = try await stop(gateway)
      #expect([accounts.passed, accounts.delivered, accounts.filtered, accounts.lost] == [22, 2, 10, 10])
    }
  }

  @Test("what the last values of a snapshot stand for is counted as such")
  func snapshot() async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher("last: {}\nhistory: { events: 0 }", threads: 1)
      let live = try await gateway.http.events("/sub/s?topic=")
      _ = try await live.block()
      try await publish(300, publisher, gateway)
      let stream = try await gateway.http.events("/sub/s?topic=t&_from=snapshot")
      for _ in 0..<10 { #expect(try await stream.event()?.name == nil) }
      let accounts = try await stop(gateway)
      #expect([accounts.passed, accounts.delivered, accounts.superseded] == [300 + 301, 300 + 10, 291])
      #expect([accounts.filtered, accounts.lost, accounts.unsent] == [0, 0, 0])
    }
  }

  @Test("what waits for a stream that is cut at the end of the grace is unsent", arguments: [1, 2])
  func cut(threads: Int) async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher(
        "history: { events: 500, bytes: 64MiB }", threads: threads, grace: "200ms")
      let stalled = try await gateway.http.events("/sub/s?topic=t", receiveBuffer: 4_096)
      let text = Value.string(String(repeating: "x", count: 10_000))
      for number in 0..<300 { try await publisher.publish("t", "\(number)", [text]) }
      try await isNumbered(301, gateway)
      try await eventually("all at its shard") { await gateway.gateway.accounts.events.passed == 300 }
      let accounts = try await stop(gateway)
      #expect(accounts.passed == 300)
      #expect(accounts.unsent > 200)
      #expect(accounts.delivered + accounts.unsent == 300)
      stalled.close()
    }
  }

  @Test("what a stream is told that it missed is lost, as often as it is told", arguments: ["drop-oldest", "conflate"])
  func lagged(slow: String) async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher("slow: \(slow)", threads: 1)
      let stream = try await gateway.http.events("/sub/s?topic=t", receiveBuffer: 4_096)
      let text = Value.string(String(repeating: "x", count: 1_000))
      for number in 0..<5_000 {
        try await publisher.publish("t\(number % 3)", "\(number)", [text])
        // What a publisher has no room for it drops.
        if number % 500 == 499 { try await isNumbered(number + 2, gateway) }
      }
      try await publisher.publish("t", "end")
      try await isNumbered(5_002, gateway)
      var (events, missed) = (0, 0)
      while let event = try await stream.event() {
        missed += event.json["missed"].integer ?? 0
        if event.name == nil { events += 1 }
        if event.json["method"] == "end" { break }
      }
      #expect(events + missed == 5_001)
      let accounts = try await stop(gateway)
      #expect([accounts.passed, accounts.delivered, accounts.lost, accounts.unsent] == [5_001, events, missed, 0])
    }
  }

  @Test("each service has books of its own, and the log tells them at the end")
  func services() async throws {
    try await Rig.with { rig in
      let log = RecordingLog()
      let one = try await rig.wire(.subscriptionAwarePublish, bind: rig.directory.endpoint("one"))
      let two = try await rig.wire(.subscriptionAwarePublish, bind: rig.directory.endpoint("two"))
      let gateway = try await rig.gateway(
        """
        one: { pattern: pubsub, subscribe: { connect: ["\(await one.endpoint)"] } }
        two: { pattern: pubsub, subscribe: { connect: ["\(await two.endpoint)"] } }
        """, logger: log.logger(.info))
      for publisher in [one, two] { _ = try await publisher.subscription() }
      let (first, second) = (
        try await gateway.http.events("/sub/one"), try await gateway.http.events("/sub/two?topic=b")
      )
      for _ in 0..<3 { try await one.publish("a", "m") }
      for topic in ["a", "b"] { try await two.publish(topic, "m") }
      for _ in 0..<3 { _ = try await first.event(named: "") }
      _ = try await second.event(named: "")
      let accounts = try #require(await gateway.accountsAtStop())
      #expect(accounts.eventsOfServices["one"]?.delivered == 3)
      #expect(accounts.eventsOfServices["two"]?.filtered == 1)
      #expect(accounts.events.passed == 5)
      let lines = log.lines.filter { $0.contains("the events of a service") }
      try #require(lines.count == 2)
      for (line, words) in zip(
        lines,
        [
          ["service=one", "streams=1", "events-passed=3", "events-delivered=3", "events-filtered=0"],
          ["service=two", "streams=1", "events-passed=2", "events-delivered=1", "events-filtered=1"],
        ])
      {
        for word in words { #expect(line.contains(word)) }
      }
    }
  }
}
