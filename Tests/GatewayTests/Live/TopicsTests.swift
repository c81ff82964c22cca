import Support
import Testing
import ZeroMQ

/// What `/sub/{service}/topics` tells.
@Suite("the topics that streams ask for", .inTurn(minutes: 3))
struct TopicsTests {
  @Test("are told for all shards, with how many streams ask for each", arguments: [1, 4])
  func topics(threads: Int) async throws {
    try await Rig.with { rig in
      let (_, gateway) = try await rig.publisher(threads: threads)
      let http = gateway.http
      #expect(try await http.get("/sub/s/topics").json == ["topics": [], "streams": 0, "truncated": false])
      var streams: [EventReader] = []
      for query in ["topic=b&topic=a", "topic=b", "topic=b", "", "topic=%FF"] {
        streams.append(try await http.events("/sub/s?\(query)"))
      }
      let reply = try await http.get("/sub/s/topics")
      #expect(reply.status == 200)
      #expect(reply.headers["content-type"] == "application/json")
      #expect(
        reply.json == [
          "topics": [
            ["topic": "", "streams": 1], ["topic": "a", "streams": 1], ["topic": "b", "streams": 3],
            ["topic": ["$bin": "/w=="], "streams": 1],
          ], "streams": 5, "truncated": false,
        ])
      for stream in streams.dropFirst() { stream.close() }
      try await eventually("the others to be gone") {
        try await http.get("/sub/s/topics").json["topics"]
          == [["topic": "a", "streams": 1], ["topic": "b", "streams": 1]]
      }
    }
  }

  @Test("HEAD is answered, other verbs are not, whatever the service")
  func verbs() async throws {
    try await Rig.with { rig in
      let (_, gateway) = try await rig.publisher()
      let http = gateway.http
      #expect(try await http.send("HEAD", "/sub/s/topics").status == 200)
      for service in ["s", "none"] {
        let reply = try await http.post("/sub/\(service)/topics", "[]")
        #expect(reply.status == 405)
        #expect(reply.headers["allow"] == "GET, HEAD, OPTIONS")
      }
      #expect(try await http.get("/sub/none/topics").json["code"] == "no-such-service")
      #expect(try await http.get("/sub/s/topic").json["code"] == "no-such-route")
      #expect(try await http.get("/sub/s/topics?topic=a").json["code"] == "unknown-parameter")
    }
  }
}
