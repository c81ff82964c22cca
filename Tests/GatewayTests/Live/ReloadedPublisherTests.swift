import MessagePack
import Reactor
import Support
import Testing
import ZeroMQ

@testable import Gateway

@Suite("A reload that changes where a service with streams connects", .inTurn(minutes: 3))
struct ReloadedPublisherTests {
  @Test("connects to publishers that are new and leaves those that are gone; the socket and its streams stay")
  func publishers() async throws {
    try await Rig.with { rig in
      let (first, gateway) = try await rig.publisher()
      let second = try await rig.wire(.subscriptionAwarePublish, bind: rig.directory.endpoint("second"))
      let stream = try await gateway.http.events("/sub/s?topic=a")
      #expect(try await first.subscription() == "+a")
      try await first.publish("a", "one")
      let before = try await stream.event()
      #expect(before?.json["method"] == "one")
      let (old, new) = (await first.endpoint, await second.endpoint)
      let outcome = try await gateway.reload(subscribe: "", to: [old, new])
      #expect(outcome.altered == ["s"] && outcome.opened.isEmpty)
      var told: Set<String> = []
      while told != ["+", "+a"] { told.insert(try await second.subscription()) }
      try await second.publish("a", "two")
      let two = try await stream.event(named: "")
      #expect(two?.json["method"] == "two" && two?.epoch == before?.epoch)
      try await first.publish("a", "three")
      #expect(try await stream.event(named: "")?.json["method"] == "three")
      _ = try await gateway.reload(subscribe: "", to: [new])
      while let left = try await stream.event() {
        #expect(left.name == "upstream")
        if left.json["of"] == 1 { break }
      }
      #expect(try await gateway.http.get("/ready").status == 200)
      let service = try await gateway.http.get("/status").json["services"]["s"]
      #expect(service["endpoints"].elements.map { $0["endpoint"] } == [.string(new)], "\(service)")
      try await second.publish("a", "four")
      #expect(try await stream.event(named: "")?.json["method"] == "four")
    }
  }

  @Test("opens a service anew whose socket has to be another one, and tells its streams")
  func reopened() async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher()
      let stream = try await gateway.http.events("/sub/s?topic=a")
      #expect(try await publisher.subscription() == "+a")
      try await publisher.publish("a", "one")
      let id = try #require(try await stream.event()?.id)
      let outcome = try await gateway.reload(subscribe: "event-limit: 1MiB", to: [await publisher.endpoint])
      #expect(outcome.opened == ["s"])
      #expect(try await stream.event(named: "bye")?.json["reason"] == "draining")
      let again = try await gateway.http.events("/sub/s?topic=a", headers: ["Last-Event-ID": id])
      let gap = try await again.event()
      #expect(gap?.name == "gap" && gap?.json["reason"] == "restart")
    }
  }

  @Test("that fails leaves streams, publishers and bounds as they were")
  func failed() async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher()
      let stream = try await gateway.http.events("/sub/s?topic=a")
      #expect(try await publisher.subscription() == "+a")
      let endpoint = await publisher.endpoint
      let taken = try await rig.wire(.router, bind: "tcp://127.0.0.1:*")
      let yaml = """
        http: { listen: ["127.0.0.1:0"] }
        services:
          s: { pattern: pubsub, subscribe: { connect: ["\(endpoint)", "ipc:///nowhere/else"], topics: [b] } }
          t: { pattern: rpc, bind: ["\(await taken.endpoint)"] }
        """
      await #expect(throws: UnusableService.self) {
        try await gateway.gateway.reload(Configuration.load(yaml: yaml, file: "test.yaml"))
      }
      try await publisher.publish("a", "one")
      #expect(try await stream.event(named: "")?.json["method"] == "one")
      let service = try await gateway.http.get("/status").json["services"]["s"]
      #expect(service["endpoints"].elements.map { $0["endpoint"] } == [.string(endpoint)])
      #expect(try await gateway.http.events("/sub/s?topic=a").head.status == 200)
    }
  }
}
