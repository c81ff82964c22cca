import Logging
import MessagePack
import Reactor
import Support
import Testing
import ZeroMQ

/// Streams that come and go, publishers that come and go, readers that are too slow.
@Suite("the life of a stream", .inTurn(minutes: 3))
struct StreamLifeTests {
  @Test("the upstream subscription is there while a stream needs it, and ends after the last", arguments: [1, 2])
  func subscription(threads: Int) async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher("linger: 50ms", threads: threads)
      let first = try await gateway.http.events("/sub/s?topic=a")
      #expect(try await publisher.subscription() == "+a")
      let second = try await gateway.http.events("/sub/s?topic=a&topic=b")
      #expect(try await publisher.subscription() == "+b")
      first.close()
      second.close()
      #expect(try await Set([publisher.subscription(), publisher.subscription()]) == ["-a", "-b"])
      let third = try await gateway.http.events("/sub/s?topic=a")
      #expect(try await publisher.subscription() == "+a")
      try await publisher.publish("a", "m")
      #expect(try await third.event(named: "")?.json["method"] == "m")
    }
  }

  @Test("a stream that comes soon after the last finds the subscription as it was")
  func linger() async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher("linger: 30s")
      for turn in 0..<5 {
        let stream = try await gateway.http.events("/sub/s?topic=a")
        if turn == 0 { #expect(try await publisher.subscription() == "+a") }
        let publishing = Task {
          while !Task.isCancelled, try await gateway.http.get("/live").status == 200 {
            try await publisher.publish("a", "m")
          }
        }
        #expect(try await stream.event(named: "") != nil)
        publishing.cancel()
        stream.close()
      }
      #expect(await publisher.waiting == 0)
    }
  }

  @Test(
    "streams are told when the publisher goes and when it is back, and the subscription with it", arguments: [1, 2])
  func upstream(threads: Int) async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher(threads: threads)
      let stream = try await gateway.http.events("/sub/s?topic=a")
      #expect(try await publisher.subscription() == "+a")
      try await publisher.publish("a", "before")
      #expect(try await stream.event(named: "")?.json["method"] == "before")
      await publisher.close()
      #expect(try await stream.event()?.json["state"] == "down")
      // One that comes now is told at once.
      let late = try await gateway.http.events("/sub/s?topic=a")
      let told = try await late.event()
      #expect(told?.name == "upstream")
      #expect(told?.json["state"] == "down")
      let again = try await rig.wire(.subscriptionAwarePublish)
      #expect(try await Set([again.subscription(), again.subscription()]) == ["+", "+a"])
      for stream in [stream, late] {
        let up = try await stream.event()
        #expect(up?.name == "upstream")
        #expect(up?.json["state"] == "up")
      }
      try await again.publish("a", "after")
      for stream in [stream, late] { #expect(try await stream.event()?.json["method"] == "after") }
    }
  }

  @Test("streams are told when one publisher of several goes, and when it is back", arguments: [1, 2])
  func oneOfTwo(threads: Int) async throws {
    try await Rig.with { rig in
      let publishers = [
        try await rig.wire(.publish, bind: rig.directory.endpoint("a")),
        try await rig.wire(.publish, bind: rig.directory.endpoint("b")),
      ]
      let gateway = try await rig.gateway(
        """
        s:
          pattern: pubsub
          subscribe:
            connect: ["\(rig.directory.endpoint("a"))", "\(rig.directory.endpoint("b"))"]
            heartbeat: 1s
        """, threads: threads)
      let stream = try await gateway.http.events("/sub/s?topic=a")
      #expect(try await stream.block()?.comments == ["ok"])
      // A connection may still be on its way when it opens; once both are there, it hears nothing but a heartbeat.
      while let block = try await stream.block(), block.name == "upstream", block.json["connected"] != 2 {}
      await publishers[0].close()
      #expect(try await stream.event(named: "upstream")?.json == ["state": "up", "connected": 1, "of": 2])
      let late = try await gateway.http.events("/sub/s?topic=a")
      #expect(try await late.event()?.json == ["state": "up", "connected": 1, "of": 2])
      await publishers[1].close()
      #expect(try await late.event()?.json == ["state": "down", "connected": 0, "of": 2])
      _ = try await rig.wire(.publish, bind: rig.directory.endpoint("a"))
      for stream in [stream, late] {
        while let block = try await stream.event(named: "upstream"), block.json["state"] != "up" {}
      }
    }
  }

  @Test("the state of the publisher is the present one for the first stream after a while without any")
  func upstreamMeanwhile() async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher(threads: 2)
      let first = try await gateway.http.events("/sub/s?topic=a")
      _ = try await publisher.subscription()
      await publisher.close()
      #expect(try await first.event(named: "upstream")?.json["state"] == "down")
      first.close()
      let again = try await rig.wire(.subscriptionAwarePublish)
      let publishing = Task {
        while !Task.isCancelled, try await gateway.http.get("/live").status == 200 { try await again.publish("a", "m") }
      }
      defer { publishing.cancel() }
      try await eventually("a stream that hears of no loss") {
        let stream = try await gateway.http.events("/sub/s?topic=a")
        defer { stream.close() }
        return try await stream.event()?.json["method"] == "m"
      }
    }
  }

  @Test("a message with a frame at the limit is an event; one beyond it is a gap, and its publisher stays")
  func atTheLimit() async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher("event-limit: 1KiB")
      let stream = try await gateway.http.events("/sub/s?topic=a")
      _ = try await publisher.subscription()
      // Before the bytes stand five: that it is an array of one, and that these are so many bytes.
      for (method, count) in [("fits", 1_020), ("long", 1_021), ("longest", 4_092), ("after", 0)] {
        try await publisher.publish("a", method, [.binary(.init(repeating: 0, count: count))])
      }
      #expect(try await stream.event()?.json["method"] == "fits")
      for _ in 0..<2 { #expect(try await stream.event()?.json == ["reason": "too-long", "missed": 1]) }
      #expect(try await stream.event()?.json["method"] == "after")
    }
  }

  @Test("the log tells of a frame beyond the limit how long it was, and which key the limit is")
  func tooLong() async throws {
    try await Rig.with { rig in
      let log = RecordingLog()
      let publisher = try await rig.wire(.subscriptionAwarePublish)
      let gateway = try await rig.gateway(
        #"s: { pattern: pubsub, subscribe: { connect: ["\#(await publisher.endpoint)"], event-limit: 1KiB } }"#,
        logger: log.logger(.info))
      _ = try await publisher.subscription()
      let stream = try await gateway.http.events("/sub/s?topic=a")
      try await publisher.publish("a", "long", [.binary(.init(repeating: 0, count: 1_021))])
      #expect(try await stream.event(named: "gap")?.json == ["reason": "too-long", "missed": 1])
      let line = try #require(log.lines.first { $0.contains("subscribe.event-limit") })
      #expect(line.contains("bytes=1025"))
      #expect(line.contains("event-limit=1024"))
      #expect(!log.lines.contains { $0.contains("not of the protocol") })
    }
  }

  @Test("a message beyond four times the limit ends the connection; it comes back, also when no history is kept")
  func tooLarge() async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher("event-limit: 16KiB\nhistory: { bytes: 0, events: 0 }")
      let stream = try await gateway.http.events("/sub/s?topic=a")
      _ = try await publisher.subscription()
      try await publisher.publish("a", "small", [.string(String(repeating: "x", count: 10_000))])
      #expect(try await stream.event(named: "")?.json["method"] == "small")
      try await publisher.publish("a", "huge", [.binary(.init(repeating: 0, count: 66_000))])
      #expect(try await stream.event(named: "upstream")?.json["state"] == "down")
      #expect(try await stream.event(named: "upstream")?.json["state"] == "up")
      try await eventually("the subscription is back") { try await publisher.subscription() == "+a" }
      try await publisher.publish("a", "after")
      #expect(try await stream.event(named: "")?.json["method"] == "after")
    }
  }

  @Test("a reader that is too slow is told so and ended; the others miss nothing")
  func slow() async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher("history: { events: 20 }")
      let slow = try await gateway.http.events("/sub/s?topic=a", receiveBuffer: 4_096)
      let quick = try await gateway.http.events("/sub/s?topic=a")
      _ = try await publisher.subscription()
      try await gateway.areAttached([slow, quick], publisher)
      let text = Value.string(String(repeating: "x", count: 100_000))
      var last: Int?
      for batch in 0..<25 {
        for number in 0..<10 { try await publisher.publish("a", "\(batch)-\(number)", [text]) }
        for number in 0..<10 {
          var event: EventReader.Block?
          repeat {
            event = try await quick.event()
            if let last { #expect(event?.sequence == last + 1) }
            last = event?.sequence
          } while event?.json["method"] == "attached"
          #expect(event?.json["method"] == .string("\(batch)-\(number)"))
        }
      }
      let lagged = try await slow.event(named: "lagged")
      #expect((lagged?.json["missed"].integer ?? 0) > 0)
      #expect(try await slow.block() == nil)
      try await publisher.publish("a", "still")
      #expect(try await quick.event()?.json["method"] == "still")
    }
  }

  @Test("streams that open and close while events pour in do no harm", arguments: [1, 2])
  func churn(threads: Int) async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher(threads: threads)
      let publishing = Task {
        while !Task.isCancelled { for _ in 0..<20 { try await publisher.publish("a", "m") } }
      }
      defer { publishing.cancel() }
      try await withThrowingTaskGroup { group in
        for _ in 0..<2 {
          group.addTask {
            for _ in 0..<150 {
              let stream = try await gateway.http.events("/sub/s?topic=a")
              var last: Int?
              for _ in 0..<2 {
                guard let event = try await stream.event(), event.name == nil else { break }
                if let last { #expect(event.sequence == last + 1) }
                last = event.sequence
              }
              stream.close()
            }
          }
        }
        try await group.waitForAll()
      }
      #expect(try await gateway.http.get("/live").status == 200)
    }
  }
}

extension LiveGateway {
  /// Publishes on `a` until each stream has had an event, of the name that it gives to it.
  func areAttached(_ streams: [EventReader], _ publisher: WireSocket, named names: [String] = []) async throws {
    let publishing = Task {
      while !Task.isCancelled, try await http.get("/live").status == 200 {
        try await publisher.publish("a", "attached")
      }
    }
    defer { publishing.cancel() }
    for (index, stream) in streams.enumerated() {
      let event = try await stream.event(named: index < names.count ? names[index] : "")
      #expect(event != nil)
    }
  }
}
