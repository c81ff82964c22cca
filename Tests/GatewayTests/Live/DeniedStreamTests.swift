import GatewaySecurity
import Support
import Testing

@Suite("Rules that leave little of a stream", .inTurn(minutes: 3))
struct DeniedStreamTests {
  @Test("hide a service of which nothing may be seen, and of another the streams of others")
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
      // A service that offers nothing of what may be seen is as if it were not there.
      for path in ["", "?_poll=0", "?topic=eu.y", "?topic=us.", "/topics", "/last", "/last?topic=eu."] {
        for verb in ["GET", "OPTIONS"] {
          let hidden = try await gateway.http.send(verb, "/sub/feed\(path)", headers: guest.header)
          let absent = try await gateway.http.send(verb, "/sub/none\(path)", headers: guest.header)
          #expect(hidden.status == 404 && absent.status == 404, "\(verb) \(path)")
          #expect(hidden.json["code"] == absent.json["code"] && hidden.json["detail"] == absent.json["detail"])
        }
      }
      for target in ["/sub/feed", "/sub/feed?topic=eu.y", "/sub/news?topic=eu.", "/sub/feed/topics"] {
        #expect(try await gateway.http.send("HEAD", target, headers: root.header).status == 200, "\(target)")
      }
      #expect(try await gateway.http.get("/sub/news?topic=eu.", headers: guest.header).status == 403)
      for (service, guests) in [("feed", 404), ("none", 404), ("news", 201)] {
        let body = #"{"service":"\#(service)"}"#
        let ticket = try await gateway.http.post("/tickets", body, headers: guest.header)
        #expect(ticket.status == guests, "\(service)")
        if guests == 404 { #expect(ticket.json["detail"] == "There is nothing of this name here for you.") }
        let roots = try await gateway.http.post("/tickets", body, headers: root.header)
        #expect(roots.status == (service == "none" ? 404 : 201), "\(service)")
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
  @Test("hide a service of which nothing may be called or published, whatever is asked of it")
  func others() async throws {
    try await Rig.with { rig in
      let (guest, caller) = (APIKey.random(), APIKey.random())
      let auth = try rig.auth(
        (guest, "guest", []), (caller, "caller", []),
        rules:
          #"[{ allow: { subject: caller, method: "*" } }, { deny: { topic: "eu.*" } }, { allow: { subject: guest, topic: "*" } }]"#
      )
      let gateway = try await rig.gateway(
        """
        calc: { pattern: rpc, connect: ["ipc:///nowhere/c"], required: false }
        feed: { pattern: pubsub, subscribe: { connect: ["ipc:///nowhere/f"] }, required: false }
        ads: { pattern: pubsub, publish: { connect: ["ipc:///nowhere/a"], topics: ["eu."] }, required: false }
        news: { pattern: pubsub, publish: { connect: ["ipc:///nowhere/n"], topics: ["eu.", "us."] }, required: false }
        """, auth: auth)
      for body in ["[]", "{}", "x", #"{"jsonrpc":"2.0","method":"m"}"#] {
        for service in ["calc", "none"] {
          let reply = try await gateway.http.post("/jsonrpc/\(service)", body, headers: guest.header)
          #expect(reply.status == 403 && reply.json["code"] == "permission-denied", "\(service) \(body)")
        }
      }
      for (target, status, code) in [
        ("/pub/ads/us.a/m", 404, "no-such-service"), ("/pub/none/us.a/m", 404, "no-such-service"),
        ("/pub/news/asia/m", 404, "no-such-topic"), ("/pub/ads/eu.a/m", 403, "permission-denied"),
      ] {
        let reply = try await gateway.http.post(target, headers: guest.header)
        #expect(reply.status == status && reply.json["code"].text == code, "\(target)")
      }
      // An item of a batch that does not fit the pattern of a hidden service does not tell that there is one.
      let batch = try await gateway.http.post(
        "/batch",
        #"[{"service":"calc","method":"m","topic":"t"},{"service":"none","method":"m","topic":"t"},{"service":"news","method":"m","topic":"us.a","timeout":1}]"#,
        headers: guest.header)
      #expect(batch.json.elements.map { $0["status"] } == [404, 404, 400])
      #expect(batch.json[0]["error"]["detail"] == batch.json[1]["error"]["detail"])
      let called = try await gateway.http.post(
        "/batch", #"[{"service":"feed","method":"m"},{"service":"none","method":"m"},{"service":"ads","method":"m"}]"#,
        headers: caller.header)
      #expect(called.json.elements.map { $0["status"] } == [404, 404, 400])
      let home = try await gateway.http.get("/", headers: guest.header).json["services"]
      #expect(home.elements.map { $0["name"] } == ["feed", "news"])
      #expect(try await gateway.http.get("/metrics", headers: guest.header).status == 403)
    }
  }
}
