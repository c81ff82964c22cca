import MessagePack
import Reactor
import Support
import Testing
import ZeroMQ

/// Why streams end: their age, a client that has vanished, a gateway that stops.
@Suite("the end of a stream", .inTurn(minutes: 3))
struct StreamEndTests {
  @Test("a stream that is as old as one may be ends with bye, and its client goes on where it was", arguments: [1, 2])
  func maxAge(threads: Int) async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher("max-age: 2s\nheartbeat: 1s\nretry: 2s", threads: threads)
      let stream = try await gateway.http.events("/sub/s?topic=a")
      try await publisher.publish("a", "before")
      var bye: EventReader.Block?
      let time = try await duration { bye = try await stream.event(named: "bye") }
      #expect(time > .milliseconds(1_700))
      #expect(time < .seconds(15))
      #expect(bye?.json == ["reason": "max-age"])
      #expect(bye?.retry == 2_000)
      #expect(try await stream.block() == nil)
      try await publisher.publish("a", "after")
      let next = try await gateway.http.events("/sub/s?topic=a", headers: ["Last-Event-ID": bye?.id ?? ""])
      #expect(next.head.headers["stream-resumed-from"] == bye?.id)
      #expect(try await next.event()?.json["method"] == "after")
    }
  }

  @Test("a client that vanishes from the network is gone with the next heartbeat that nothing answers")
  func vanished() async throws {
    try await Rig.with { rig in
      let (_, gateway) = try await rig.publisher("heartbeat: 1s")
      let stream = try await gateway.http.events("/sub/s?topic=a")
      stream.vanish()
      // Another one that reads nothing answers all the same, and stays.
      let silent = try await gateway.http.events("/sub/s?topic=b")
      let time = try await duration {
        try await eventually("the stream is gone", within: .seconds(25)) {
          try await gateway.http.get("/sub/s/topics").json["topics"] == [["topic": "b", "streams": 1]]
        }
      }
      // Five retransmissions, the first after a fifth of a second, each after twice the time of the one before.
      #expect(time > .seconds(5))
      silent.close()
    }
  }

  @Test("the streams of a gateway that stops end one after the other when they are many, all within the grace")
  func spread() async throws {
    try await Rig.with { rig in
      let (_, gateway) = try await rig.publisher(threads: 1, grace: "5s")
      var streams: [EventReader] = []
      for _ in 0..<300 { streams.append(try await gateway.http.events("/sub/s?topic=a")) }
      let isStopped = Guarded(false)
      let stopping = Task {
        let time = await duration { await gateway.stop() }
        isStopped.withLock { $0 = true }
        return time
      }
      // The last to open is among the last to end.
      var isLate = false
      for stream in streams {
        #expect(try await stream.event()?.name == "bye")
        if !isStopped.withLock({ $0 }) { isLate = true }
      }
      #expect(isLate)
      let time = await stopping.value
      // Five times 64 in steps of a tenth of a second.
      #expect(time > .milliseconds(400))
      #expect(time < .seconds(5))
    }
  }

  @Test("a gateway that stops says goodbye to its streams")
  func drain() async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher("retry: 2s")
      let streams = [try await gateway.http.events("/sub/s?topic=a"), try await gateway.http.events("/sub/s")]
      _ = try await publisher.subscription()
      try await gateway.areAttached(streams, publisher)
      let time = await duration { await gateway.stop() }
      #expect(time < .seconds(8))
      for stream in streams {
        let bye = try await stream.event(named: "bye")
        #expect(bye?.json["reason"] == "draining")
        #expect((2_000...4_000).contains(bye?.retry ?? 0))
        #expect(try await stream.block() == nil)
      }
    }
  }
}
