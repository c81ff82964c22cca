import Gateway
import GatewaySecurity
import MessagePack
import Support
import Testing
import ZeroMQ

@Suite("A stream that a service decides", .inTurn(minutes: 3))
struct DecidedStreamTests {
  /// The last event of a stream.
  private func last(_ stream: EventReader) async throws -> EventReader.Block? {
    var last: EventReader.Block?
    while let block = try await stream.event() { last = block }
    return last
  }

  @Test("is asked for again when the answer holds no more, and ends when it is refused")
  func again() async throws {
    try await Authorizer.with { authorizer in
      let (http, key) = (authorizer.gateway.http, authorizer.alice.header)
      authorizer.answers { _ in ["allow": true, "ttl": 1] }
      let stream = try await http.events("/sub/news?topic=eu", headers: key)
      defer { stream.close() }
      #expect(stream.head.status == 200)
      try await authorizer.isAsked(3)
      #expect(Set(authorizer.asked()) == ["alice subscribe news.[eu]"])
      authorizer.answers { _ in false }
      let end = try await last(stream)
      #expect(end?.name == "auth" && end?.data == #"{"reason":"refused"}"#)
      #expect(try await http.events("/sub/news?topic=eu", headers: key).head.status == 403)
    }
  }

  @Test("goes on for a while when the service cannot be asked, and ends then")
  func silence() async throws {
    try await Authorizer.with(", keep: 1s") { authorizer in
      let (http, key) = (authorizer.gateway.http, authorizer.alice.header)
      let stream = try await http.events("/sub/news", headers: key)
      defer { stream.close() }
      authorizer.answers { _ in 7 }
      try await authorizer.isAsked(2)
      authorizer.answers { _ in true }
      try await authorizer.isAsked(3)
      _ = authorizer.asked()
      try await authorizer.isAsked(1)
      // It has outlived one question without an answer; not as many as it takes.
      authorizer.answers { _ in 7 }
      let end = try await last(stream)
      #expect(end?.name == "auth")
    }
  }

  @Test("may be a watched call or a poll")
  func others() async throws {
    try await Authorizer.with { authorizer in
      let (http, key) = (authorizer.gateway.http, authorizer.alice.header)
      authorizer.answers { _ in ["allow": true, "ttl": 1] }
      let watch = try await http.events(
        "/rpc/s/get?_watch=20ms", headers: key.merging(["Accept": "text/event-stream"]) { $1 })
      defer { watch.close() }
      async let poll = http.get("/sub/news?topic=poll&_poll=60", headers: key)
      try await authorizer.isAsked(4)
      #expect(Set(authorizer.asked()) == ["alice call s.get", "alice subscribe news.[poll]"])
      authorizer.answers { _ in false }
      let end = try await last(watch)
      #expect(end?.name == "auth" && end?.data == #"{"reason":"refused"}"#)
      let reply = try await poll
      #expect(reply.status == 200 && reply.json["events"].elements.last?["event"] == "auth", "\(reply.body)")
    }
  }

  @Test("is decided when its ticket is asked for, and when that is used")
  func tickets() async throws {
    try await Authorizer.with { authorizer in
      let (http, key) = (authorizer.gateway.http, authorizer.alice.header)
      authorizer.answers { .bool(!$0.contains("bad")) }
      func ticket(_ body: String) async throws -> HTTPReply { try await http.post("/tickets", body, headers: key) }
      #expect(try await ticket(#"{"service":"absent","topics":["bad"]}"#).status == 403)
      #expect(try await ticket(#"{"service":"absent"}"#).status == 404)
      let made = try await ticket(#"{"service":"news","topics":["eu","us"]}"#)
      #expect(made.status == 201)
      #expect(authorizer.asked().last == "alice subscribe news.[eu us]")
      authorizer.answers { _ in false }
      let stream = try await http.events("/sub/news?topic=eu&_ticket=\(made.json["ticket"].text ?? "")")
      #expect(stream.head.status == 403)
      stream.close()
      #expect(authorizer.asked() == ["alice subscribe news.[eu]"])
    }
  }

  @Test("ends after a reload, whatever of it has changed, when it is refused by then")
  func takenBack() async throws {
    try await Authorizer.with(", keep: 1h") { authorizer in
      let (http, key) = (authorizer.gateway.http, authorizer.alice.header)
      let stream = try await http.events("/sub/news", headers: key)
      defer { stream.close() }
      #expect(try await http.post("/rpc/s/a", headers: key).status == 200)
      authorizer.answers { _ in false }
      try await authorizer.gateway.gateway.reload(authorizer.configuration)
      #expect(try await http.post("/rpc/s/a", headers: key).status == 403)
      let end = try await last(stream)
      #expect(end?.name == "auth" && end?.json["reason"] == "refused")
    }
  }

  @Test("ends, and answers are forgotten, when a reload changes the decision or the service")
  func reload() async throws {
    try await Authorizer.with(", keep: 1h") { authorizer in
      let (http, key, gateway) = (authorizer.gateway.http, authorizer.alice.header, authorizer.gateway.gateway)
      let stream = try await http.events("/sub/news", headers: key)
      defer { stream.close() }
      #expect(try await http.post("/rpc/s/a", headers: key).status == 200)
      _ = authorizer.asked()
      var next = authorizer.configuration
      // Nothing of it has changed: the stream goes on, but is asked for again, as all is.
      next.services[1].methods.hide = ["other"]
      try await gateway.reload(next)
      #expect(try await http.post("/rpc/s/a", headers: key).status == 200)
      try await authorizer.isAsked(2)
      #expect(Set(authorizer.asked()) == ["alice call s.a", "alice subscribe news.[]"])
      next.auth.decision?.keep = .seconds(3_599)
      try await gateway.reload(next)
      #expect(try await last(stream)?.name == "auth")
      #expect(try await http.post("/rpc/s/a", headers: key).status == 200)
      #expect(authorizer.asked() == ["alice call s.a"])
      // Without a decision nobody is asked.
      next.auth.decision = nil
      try await gateway.reload(next)
      #expect(try await http.post("/rpc/s/new", headers: key).status == 200)
      #expect(authorizer.asked() == [])
      // One of a service that is not there allows nothing.
      next.auth.decision = .init(service: "nowhere")
      try await gateway.reload(next)
      #expect(try await http.post("/rpc/s/a", headers: key).json["code"] == "undecided")
    }
  }
}
