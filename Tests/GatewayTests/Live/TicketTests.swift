import GatewaySecurity
import Reactor
import Support
import Testing
import ZeroMQ

@Suite("A ticket", .inTurn(minutes: 3))
struct TicketTests {
  private func with(
    _ more: String = "", rules: String? = nil, http: String = "",
    _ body: (Rig, LiveGateway, WireSocket, APIKey) async throws -> Void
  ) async throws {
    try await Rig.with { rig in
      let publisher = try await rig.wire(.subscriptionAwarePublish)
      let key = APIKey.random()
      let file = try rig.directory.file("keys.yaml", "\(key.digest.hex): { subject: alice, scopes: [read] }\n")
      let allowed = rules.map { ", rules: \($0)" } ?? ""
      let gateway = try await rig.gateway(
        "s: { pattern: pubsub, subscribe: { connect: [\"\(await publisher.endpoint)\"], history: { events: 0 } } }",
        http: http, auth: "{ keys: { file: \"\(file)\" }\(allowed)\(more) }", threads: 2)
      try await body(rig, gateway, publisher, key)
    }
  }

  private static func ticket(_ gateway: LiveGateway, _ key: APIKey, _ body: String) async throws -> String {
    let reply = try await gateway.http.post("/tickets", body, headers: key.header)
    #expect(reply.status == 201 && reply.headers["cache-control"] == "no-store", "\(reply.body)")
    return try #require(reply.json["ticket"].text)
  }

  @Test("opens one stream of its service and its topics, once, without a key")
  func once() async throws {
    try await with { _, gateway, publisher, key in
      let reply = try await gateway.http.post("/tickets", #"{"service":"s","topics":["a","b"]}"#, headers: key.header)
      #expect(reply.status == 201 && reply.json["expires"] == 30)
      let ticket = try #require(reply.json["ticket"].text)
      #expect(ticket.hasPrefix("zgt_") && ticket.utf8.count == 47)
      let stream = try await gateway.http.events("/sub/s?topic=a&_ticket=\(ticket)")
      #expect(stream.head.status == 200)
      #expect(try await publisher.subscription() == "+a")
      try await publisher.publish("a", "m")
      #expect(try await stream.event()?.json["method"] == "m")
      stream.close()
      #expect(try await gateway.http.events("/sub/s?topic=a&_ticket=\(ticket)").head.status == 401)
      // Without topics of its own a stream gets those of the ticket.
      let all = try await gateway.http.events(
        "/sub/s?_ticket=\(Self.ticket(gateway, key, #"{"service":"s","topics":["b"]}"#))")
      #expect(try await publisher.subscription() == "+b")
      try await publisher.publish("b", "n")
      #expect(try await all.event()?.json["method"] == "n")
      all.close()
    }
  }

  @Test("opens nothing else")
  func narrow() async throws {
    try await with { _, gateway, _, key in
      func opened(_ target: String, _ body: String = #"{"service":"s","topics":["a"]}"#, verb: String = "GET")
        async throws -> Int
      {
        let ticket = try await Self.ticket(gateway, key, body)
        let stream = try gateway.http.begin(verb, target.replacing("TICKET", with: ticket))
        defer { stream.disconnect() }
        return try await offThread { try stream.head().status }
      }
      #expect(try await opened("/sub/s?topic=a&_ticket=TICKET") == 200)
      #expect(try await opened("/sub/s?topic=b&_ticket=TICKET") == 403)
      #expect(try await opened("/sub/s?topic=a&topic=b&_ticket=TICKET") == 403)
      #expect(try await opened("/sub/s?topic=ab&_ticket=TICKET") == 403)
      #expect(try await opened("/sub/s?topic=b&_ticket=TICKET", #"{"service":"s"}"#) == 200)
      for target in [
        "/sub/t?_ticket=TICKET", "/sub/s/topics?_ticket=TICKET", "/sub/s/last?topic=a&_ticket=TICKET",
        "/rpc/s/m?_ticket=TICKET",
        "/?_ticket=TICKET", "/sub/%73?_ticket=TICKET", "/sub/s?_ticket=TICKETx", "/sub/s?_ticket=",
        "/sub/s?ticket=TICKET",
        "/sub/s?_ticket=x&_ticket=TICKET", "/sub/s?_Ticket=TICKET", "/tickets?_ticket=TICKET",
      ] { #expect(try await opened(target) == 401, "\(target)") }
      #expect(try await opened("/sub/s?topic=a&_ticket=TICKET", verb: "HEAD") == 401)
      #expect(try await opened("/sub/s?topic=a&_ticket=TICKET", verb: "OPTIONS") == 401)
      // A key beside it goes first, and the ticket is still good.
      let ticket = try await Self.ticket(gateway, key, #"{"service":"s","topics":["a"]}"#)
      let both = try await gateway.http.events("/sub/s?topic=b&_ticket=\(ticket)", headers: key.header)
      #expect(both.head.status == 200)
      both.close()
      let alone = try await gateway.http.events("/sub/s?topic=a&_ticket=\(ticket)")
      #expect(alone.head.status == 200)
      alone.close()
    }
  }

  @Test("is given for what its caller may see, and for what is asked for rightly")
  func wishes() async throws {
    try await with(rules: #"[{ allow: { scope: read, service: s, topic: "eu.*" } }]"#) { _, gateway, _, key in
      for (body, status, code) in [
        (#"{"service":"s","topics":["eu.x"]}"#, 201, nil), (#"{"service":"s"}"#, 201, nil),
        (#"{"topics":["eu.1",{"$bin":"ZXUu"}],"service":"s"}"#, 201, nil),
        (#"{"service":"s","topics":["us."]}"#, 403, "permission-denied"),
        (#"{"service":"t"}"#, 403, "permission-denied"),
        ("", 400, "bad-shape"), ("[]", 400, "bad-shape"), ("{}", 400, "bad-shape"),
        (#"{"topics":[]}"#, 400, "bad-shape"),
        (#"{"service":7}"#, 400, "bad-shape"), (#"{"service":["s"]}"#, 400, "bad-shape"),
        (#"{"service":"s","topics":"eu."}"#, 400, "bad-shape"),
        (#"{"service":"s","topics":[7]}"#, 400, "bad-shape"), (#"{"service":"s","more":1}"#, 400, "bad-shape"),
        (#"{"service":"s","service":"s"}"#, 400, "bad-shape"), (#"{"service":"s""#, 400, "bad-json"),
        (#"{"service":"s","topics":["\#(String(repeating: "x", count: 246))"]}"#, 400, "bad-shape"),
      ] as [(String, Int, String?)] {
        let reply = try await gateway.http.post("/tickets", body, headers: key.header)
        #expect(reply.status == status && reply.headers["gateway-error"] == code, "\(body) \(reply.body)")
      }
      #expect(try await gateway.http.post("/tickets", #"{"service":"s"}"#).status == 401)
      #expect(try await gateway.http.post("/tickets?x=1", #"{"service":"s"}"#, headers: key.header).status == 400)
    }
  }

  @Test("is one of so many, and ends with its time and with the key of its caller")
  func limits() async throws {
    try await with(", tickets: { limit: 2, keep: 1s }, refresh: 100ms") { rig, gateway, _, key in
      let body = #"{"service":"s"}"#
      let first = try await Self.ticket(gateway, key, body)
      _ = try await Self.ticket(gateway, key, body)
      let refused = try await gateway.http.post("/tickets", body, headers: key.header)
      if refused.status != 201 { #expect(refused.status == 503 && refused.json["code"] == "overloaded") }
      // There are more when those have ended, which then are good no more.
      try await eventually("room") {
        try await gateway.http.post("/tickets", body, headers: key.header).status == 201
      }
      #expect(try await gateway.http.events("/sub/s?_ticket=\(first)").head.status == 401)
      var stream: EventReader?
      try await eventually("a stream") {
        let reply = try await gateway.http.post("/tickets", body, headers: key.header)
        guard let ticket = reply.json["ticket"].text else { return false }
        stream = try await gateway.http.events("/sub/s?_ticket=\(ticket)")
        return stream?.head.status == 200
      }
      _ = try rig.directory.file("keys.yaml", "\(APIKey.random().digest.hex): { subject: alice }\n")
      var last: EventReader.Block?
      while let block = try await stream?.event() { last = block }
      #expect(last?.name == "auth" && last?.data == #"{"reason":"revoked"}"#)
    }
  }

  @Test("is not needed where a cookie brings the key, which no page of another origin can use")
  func cookie() async throws {
    try await with(
      ", cookie: session", http: #"cors: { origins: ["https://a.example"], credentials: true }"#
    ) { _, gateway, _, key in
      func status(_ cookie: String, _ more: [String: String] = [:]) async throws -> Int {
        try await gateway.http.get("/sub/s/topics", headers: more.merging(["Cookie": cookie]) { $1 }).status
      }
      let alone = try await status("session=\(key.text)")
      #expect(alone == 200)
      #expect(try await status("a=b; session=\(key.text); c=d") == 200)
      for wrong in [
        "session=\(key.text)x", "sessionx=\(key.text)", "Session=\(key.text)", "session", "session=", "=\(key.text)",
        ";;", "xsession=\(key.text)",
      ] { #expect(try await status(wrong) == 401, "\(wrong)") }
      let page = ["Origin": "https://a.example", "Sec-Fetch-Site": "cross-site"]
      #expect(try await status("session=\(key.text)", page) == 200)
      // Nobody else's page may send anything that changes something.
      let foreign = ["Origin": "https://evil.example", "Cookie": "session=\(key.text)"]
      #expect(try await gateway.http.post("/tickets", #"{"service":"s"}"#, headers: foreign).status == 403)
    }
    try await with { _, gateway, _, key in
      let reply = try await gateway.http.get("/sub/s/topics", headers: ["Cookie": "session=\(key.text)"])
      #expect(reply.status == 401)
    }
  }

  @Test("that nobody has given opens nothing, whatever it looks like")
  func mutations() async throws {
    let table = TicketTable<Int>(limit: 10, share: 10, for: .seconds(1))
    let now = Instant(nanoseconds: 0)
    let ticket = try table.issue(7, to: "a", at: now)
    func redeem(_ bytes: [UInt8], at time: Instant = Instant(nanoseconds: 0)) -> Int? {
      bytes.withUnsafeBytes { table.redeem($0, at: time) }
    }
    var random = SplitMix(state: 3)
    for _ in 0..<20_000 {
      var bytes = Array(ticket.utf8)
      let place = Int.random(in: 0..<bytes.count, using: &random)
      switch Int.random(in: 0..<3, using: &random) {
      case 0: bytes[place] ^= UInt8.random(in: 1...255, using: &random)
      case 1: bytes.remove(at: place)
      default: bytes.insert(UInt8.random(in: .min ... .max, using: &random), at: place)
      }
      #expect(redeem(bytes) == nil)
    }
    #expect(redeem([]) == nil)
    #expect(redeem(Array(ticket.utf8)) == 7 && redeem(Array(ticket.utf8)) == nil)
    let late = try table.issue(8, to: "a", at: now)
    #expect(redeem(Array(late.utf8), at: Instant(nanoseconds: 1_000_000_000)) == nil)
    for number in 0..<300 {
      let time = Instant(nanoseconds: Int64(2 + number / 10) * 1_000_000_000)
      _ = try table.issue(number, to: "a", at: time)
      #expect(table.count(at: time) <= 10)
    }
    #expect(throws: TicketTable<Int>.Refusal.all) {
      try table.issue(0, to: "a", at: Instant(nanoseconds: 31_500_000_000))
    }
  }

  @Test("is no one's alone: a caller gets its share, used or not, until the oldest ends")
  func share() async throws {
    let table = TicketTable<Int>(limit: 5, share: 2, for: .seconds(1))
    func issue(_ owner: String, at milliseconds: Int64) throws -> String {
      try table.issue(0, to: owner, at: Instant(nanoseconds: milliseconds * 1_000_000))
    }
    let used = try issue("a", at: 0)
    #expect(used.utf8.withContiguousStorageIfAvailable { table.redeem(.init($0), at: .init(nanoseconds: 0)) } == 0)
    _ = try issue("a", at: 500)
    #expect(throws: TicketTable<Int>.Refusal.share) { try issue("a", at: 999) }
    for _ in 0..<2 { _ = try issue("b", at: 999) }
    #expect(throws: TicketTable<Int>.Refusal.share) { try issue("b", at: 999) }
    _ = try issue("a", at: 1_000)
    #expect(throws: TicketTable<Int>.Refusal.share) { try issue("a", at: 1_000) }
    _ = try issue("c", at: 1_000)
    #expect(throws: TicketTable<Int>.Refusal.all) { try issue("d", at: 1_000) }

    try await with(", tickets: { share: 1 }") { _, gateway, _, key in
      _ = try await Self.ticket(gateway, key, #"{"service":"s"}"#)
      let refused = try await gateway.http.post("/tickets", #"{"service":"s"}"#, headers: key.header)
      #expect(refused.status == 429 && refused.json["code"] == "rate-limited")
      #expect(refused.headers["retry-after"] == "30")
    }
  }
}
