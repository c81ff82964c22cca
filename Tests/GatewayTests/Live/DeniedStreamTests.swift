import GatewaySecurity
import Support
import Testing

@Suite("Rules that leave little of a stream", .inTurn(minutes: 3))
struct DeniedStreamTests {
  @Test("open none in which nothing could come, give no ticket for it, and tell of others' streams nothing")
  func streams() async throws {
    try await Rig.with { rig in
      let (root, guest) = (APIKey.random(), APIKey.random())
      let auth = try rig.auth(
        (root, "root", []), (guest, "guest", []),
        rules: #"[{ allow: { subject: root } }, { deny: { topic: "eu.*" } }, { allow: { topic: "*" } }]"#)
      let publisher = try await rig.wire(.subscriptionAwarePublish)
      let endpoint = await publisher.endpoint
      let gateway = try await rig.gateway(
        """
        feed: { pattern: pubsub, subscribe: { connect: ["\(endpoint)"], topics: ["eu.", "eu.x"] } }
        news: { pattern: pubsub, subscribe: { connect: ["\(endpoint)"], topics: ["eu.", "us.", "asia."] } }
        """, auth: auth)
      for target in ["/sub/feed", "/sub/feed?_poll=0", "/sub/feed?topic=eu.y", "/sub/news?topic=eu."] {
        #expect(try await gateway.http.get(target, headers: guest.header).status == 403, "\(target)")
        #expect(try await gateway.http.send("HEAD", target, headers: root.header).status == 200, "\(target)")
      }
      for (service, guests) in [("feed", 403), ("news", 201)] {
        let body = #"{"service":"\#(service)"}"#
        #expect(try await gateway.http.post("/tickets", body, headers: guest.header).status == guests, "\(service)")
        #expect(try await gateway.http.post("/tickets", body, headers: root.header).status == 201, "\(service)")
      }
      let stream = try await gateway.http.events("/sub/news", headers: guest.header)
      let other = try await gateway.http.events("/sub/news?topic=eu.&topic=us.a", headers: root.header)
      let third = try await gateway.http.events("/sub/news?topic=eu.", headers: root.header)
      #expect([stream.head.status, other.head.status, third.head.status] == [200, 200, 200])
      let seen = try await gateway.http.get("/sub/news/topics", headers: guest.header).json
      #expect(seen["topics"].elements.map { $0["topic"] } == ["asia.", "us.", "us.a"])
      #expect(seen["topics"].elements.map { $0["streams"] } == [1, 1, 1] && seen["streams"] == 2)
      #expect(try await gateway.http.get("/sub/news/topics", headers: root.header).json["streams"] == 3)
      for open in [stream, other, third] { open.close() }
    }
  }
}
