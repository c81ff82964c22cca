import MessagePack
import Support
import Testing

/// How many topics the streams of a service may ask for.
@Suite("many topics", .timeLimit(.minutes(1)))
struct TopicLimitTests {
  @Test("as many topics as the limit fit; a stream beyond it is refused before it opens, until there is room")
  func limit() async throws {
    try await Rig.with { rig in
      // Streams on several shards count together.
      let (publisher, gateway) = try await rig.publisher("topics-limit: 3\nlinger: 1h", threads: 4)
      let http = gateway.http
      let first = try await http.events("/sub/s?topic=a&topic=b")
      let second = try await http.events("/sub/s?topic=b&topic=c&topic=c")
      var subscribed: Set<String> = []
      for _ in 0..<3 { subscribed.insert(try await publisher.subscription()) }
      #expect(subscribed == ["+a", "+b", "+c"])
      for _ in 0..<8 {
        let reply = try await http.get("/sub/s?topic=a&topic=d")
        #expect(reply.status == 503)
        #expect(reply.json["code"] == "too-many-topics")
        #expect(reply.headers["retry-after"] == "1")
        #expect(try await http.send("HEAD", "/sub/s?topic=d").status == 200)
      }
      let third = try await http.events("/sub/s?topic=a&topic=b&topic=c")
      third.close()
      first.close()
      try await eventually("room for another topic") {
        let stream = try await http.events("/sub/s?topic=d")
        defer { stream.close() }
        return stream.head.status == 200
      }
      // What lingered made room.
      #expect(try await publisher.subscription() == "-a")
      #expect(try await publisher.subscription() == "+d")
      second.close()
    }
  }

  @Test("a client that leaves before its stream opens leaves no topic behind", arguments: [1, 4])
  func abandoned(threads: Int) async throws {
    try await Rig.with { rig in
      let (_, gateway) = try await rig.publisher("topics-limit: 1\nlinger: 1h", threads: threads)
      for _ in 0..<200 {
        let connection = try HTTPConnection(port: gateway.http.port)
        connection.send("GET", "/sub/s?topic=a", headers: [:], body: nil)
        connection.reset()
      }
      try await eventually("room for another topic") {
        let stream = try await gateway.http.events("/sub/s?topic=b")
        defer { stream.close() }
        return stream.head.status == 200
      }
    }
  }
}
