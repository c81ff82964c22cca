import MessagePack
import Reactor
import Support
import Testing
import ZeroMQ

@testable import Gateway

@Suite("A reload that changes a service with streams", .inTurn(minutes: 4))
struct ReloadedStreamTests {
  @Test(
    "keeps the socket, the stream and the numbers of events, and loses none of them",
    arguments: [
      "heartbeat: 1s", "retry: 9s", "max-age: 2h", "linger: 0s", "slow: drop-oldest", "slow: conflate",
      "history: { events: 100000, bytes: 64MiB, age: 1h }", "history: { events: 3 }", "history: { events: 0 }",
      "last: { topics: 5 }", "seq: { frame: 4 }", "topics: [\"\", more]", "topics: [a]", "topics-limit: 7",
      "topics-per-stream: 3",
    ])
  func kept(setting: String) async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher()
      let stream = try await gateway.http.events("/sub/s?topic=a")
      #expect(try await publisher.subscription() == "+a")
      let numbers = NumberedPublishing(publisher)
      let publishing = Task { try await numbers.run() }
      let first = try #require(try await stream.event())
      numbers.wasRead()
      let reading = Task {
        var (block, count) = (first, 1)
        while block.json["args"][0] != .bool(true) {
          block = try #require(try await stream.event())
          numbers.wasRead()
          #expect(block.name == nil && block.json["method"] == .string("\(count)"), "\(block)")
          #expect(block.epoch == first.epoch && block.sequence == (first.sequence ?? 0) + count)
          count += 1
        }
        return (id: block.id ?? "", count: count)
      }
      let outcome = try await gateway.reload(subscribe: setting, to: [await publisher.endpoint])
      #expect(outcome.altered == ["s"] && outcome.opened.isEmpty)
      numbers.end()
      let last = try await reading.value
      #expect(try await publishing.value == last.count)
      // Who has the last event goes on without a gap, where anything is kept.
      if setting.contains("events: 0") { return }
      let next = try await gateway.http.events("/sub/s?topic=a", headers: ["Last-Event-ID": last.id])
      try await publisher.publish("a", "next")
      for reader in [stream, next] { #expect(try await reader.event()?.json["method"] == "next") }
    }
  }

  @Test("keeps them too when what is beside them changes, and encodes what comes from then on as is said then")
  func form() async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher()
      let stream = try await gateway.http.events("/sub/s?topic=a")
      #expect(try await publisher.subscription() == "+a")
      let large = Value.int(1 << 60)
      try await publisher.publish("a", "one", [large])
      let before = try await stream.event()
      #expect(before?.data?.contains("[1152921504606846976]") == true)
      let outcome = try await gateway.reload(
        subscribe: "", to: [await publisher.endpoint], beside: "json: { ints: string }\nrequired: false")
      #expect(outcome.altered == ["s"])
      try await publisher.publish("a", "two", [large])
      let after = try await stream.event()
      #expect(after?.data?.contains(#"["1152921504606846976"]"#) == true, "\(after?.data ?? "")")
      #expect(after?.sequence == before?.sequence.map { $0 + 1 })
    }
  }

  @Test("changes what streams are told that are open: how long they may be silent")
  func heartbeat() async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher("heartbeat: 1h")
      let stream = try await gateway.http.events("/sub/s?topic=a")
      #expect(try await stream.block()?.comments == ["ok"])
      _ = try await gateway.reload(subscribe: "heartbeat: 1s\nretry: 7s", to: [await publisher.endpoint])
      #expect(try await stream.block() == EventReader.Block(comments: [""]))
      // How long to wait before it returns is told to a stream when it opens, and when it ends.
      #expect(try await gateway.http.events("/sub/s?topic=a").block()?.retry == 7_000)
    }
  }

  @Test("lets open streams live as long as they might, and others as long as they may from then on")
  func age() async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher("heartbeat: 1s")
      let old = try await gateway.http.events("/sub/s?topic=a")
      #expect(try await old.block()?.comments == ["ok"])
      _ = try await gateway.reload(subscribe: "heartbeat: 1s\nmax-age: 1s", to: [await publisher.endpoint])
      let new = try await gateway.http.events("/sub/s?topic=a")
      #expect(try await new.event()?.json["reason"] == "max-age")
      try await publisher.publish("a", "still")
      #expect(try await old.event()?.json["method"] == "still")
    }
  }

  @Test("holds the history to its new bounds, and goes on from what is kept")
  func history() async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher()
      let stream = try await gateway.http.events("/sub/s?topic=a")
      #expect(try await publisher.subscription() == "+a")
      var ids: [String] = []
      for number in 0..<9 {
        try await publisher.publish("a", "\(number)")
        ids.append(try #require(try await stream.event()?.id))
      }
      func resume(after id: String) async throws -> [JSON] {
        let reader = try await gateway.http.events("/sub/s?topic=a", headers: ["Last-Event-ID": id])
        guard let event = try await reader.event() else { return [] }
        return [event.name.map { .string($0) } ?? event.json["method"], event.json["reason"], event.json["missed"]]
      }
      #expect(try await resume(after: ids[0]) == ["1", .null, .null])
      _ = try await gateway.reload(subscribe: "history: { events: 2 }", to: [await publisher.endpoint])
      #expect(try await resume(after: ids[0]) == ["gap", "evicted", 6])
      #expect(try await resume(after: ids[7]) == ["8", .null, .null])
      _ = try await gateway.reload(subscribe: "history: { events: 9 }", to: [await publisher.endpoint])
      for number in 9..<14 {
        try await publisher.publish("a", "\(number)")
        _ = try await stream.event()
      }
      #expect(try await resume(after: ids[7]) == ["8", .null, .null])
    }
  }

  @Test("subscribes to topics that are new and unsubscribes from those that are gone, whose streams alone end")
  func topics() async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher("topics: [a, b]\nlinger: 0s")
      let kept = try await gateway.http.events("/sub/s?topic=a")
      let both = try await gateway.http.events("/sub/s")
      let lost = try await gateway.http.events("/sub/s?topic=b")
      try await publisher.publish("a", "one")
      for reader in [kept, both] { #expect(try await reader.event()?.json["method"] == "one") }
      #expect(try await gateway.http.get("/sub/s?topic=c").status == 404)
      let outcome = try await gateway.reload(subscribe: "topics: [a, c]\nlinger: 0s", to: [await publisher.endpoint])
      #expect(outcome.altered == ["s"])
      for reader in [lost, both] {
        let bye = try await reader.event()
        #expect(bye?.name == "bye" && bye?.json["reason"] == "topics", "\(String(describing: bye))")
      }
      var told: Set<String> = []
      try await eventually("the subscriptions") {
        told.insert(try await publisher.subscription())
        return told.isSuperset(of: ["+c", "-b"])
      }
      #expect(try await gateway.http.get("/sub/s?topic=b").status == 404)
      let fresh = try await gateway.http.events("/sub/s?topic=c")
      try await publisher.publish("c", "new")
      #expect(try await fresh.event()?.json["method"] == "new")
      try await publisher.publish("a", "two")
      #expect(try await kept.event()?.json["method"] == "two")
    }
  }

  @Test("tells who goes on from an event before a topic was kept that something may be missing, and nobody else")
  func newTopics() async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher("topics: [a, b]")
      let stream = try await gateway.http.events("/sub/s?topic=a")
      try await publisher.publish("a", "one")
      let id = try #require(try await stream.event()?.id)
      for topics in ["[a]", "[a, b]"] {
        _ = try await gateway.reload(subscribe: "topics: \(topics)", to: [await publisher.endpoint])
      }
      try await publisher.publish("a", "two")
      let after = try #require(try await stream.event()?.id)
      let resumed: [(String, String, Bool)] = [
        ("topic=a", id, false), ("topic=a1", id, false), ("topic=b", id, true), ("", id, true), ("", after, false),
      ]
      for (query, id, isTold) in resumed {
        let reader = try await gateway.http.events("/sub/s?\(query)", headers: ["Last-Event-ID": id])
        try await publisher.publish("a1", "three")
        try await publisher.publish("b", "three")
        let first = try await reader.event()
        #expect((first?.name == "gap") == isTold, "\(query): \(String(describing: first))")
        if isTold { #expect(first?.json == ["reason": "evicted", "missed": .null]) }
      }
    }
  }

  @Test("begins to keep last values, and lets them go")
  func lastValues() async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher()
      let before = try await gateway.http.get("/sub/s/last?topic=a")
      #expect(before.body.contains("keeps no last events"))
      _ = try await gateway.reload(subscribe: "last: {}", to: [await publisher.endpoint])
      try await publisher.publish("a", "one")
      try await gateway.answers("/sub/s/last?topic=a", 200)
      _ = try await gateway.reload(subscribe: "last: { topics: 1 }", to: [await publisher.endpoint])
      try await gateway.answers("/sub/s/last?topic=a", 200)
      try await publisher.publish("b", "two")
      try await gateway.answers("/sub/s/last?topic=a", 404)
      _ = try await gateway.reload(subscribe: "", to: [await publisher.endpoint])
      #expect(try await gateway.http.get("/sub/s/last?topic=b").body.contains("keeps no last events"))
    }
  }

  @Test("refuses streams by its new bounds: topics of one, and of all")
  func bounds() async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher()
      let stream = try await gateway.http.events("/sub/s?topic=a&topic=b")
      _ = try await gateway.reload(
        subscribe: "topics-per-stream: 1\ntopics-limit: 2", to: [await publisher.endpoint])
      #expect(try await gateway.http.get("/sub/s?topic=a&topic=b").status == 400)
      #expect(try await gateway.http.get("/sub/s?topic=c").status == 503)
      try await publisher.publish("b", "one")
      #expect(try await stream.event()?.json["method"] == "one")
    }
  }
}
