import Support

/// For each documented outcome a request that comes to it.
struct Provocations {
  typealias Provocation = @Sendable (Request, Stage) async throws -> HTTPReply

  private(set) var table: [Outcome: Provocation] = [:]

  init() {
    addTransport()
    addPages()
    addCallers()
    addTickets()
    addReadiness()
    addCalls()
    addDocuments()
    addBatch()
    addRemembered()
    addMessages()
    addStreams()
  }

  /// Brings about one outcome.
  func provoke(_ outcome: Outcome, on stage: Stage) async throws -> HTTPReply {
    guard let provocation = table[outcome], let request = Request.all[outcome.operation] else {
      throw Missing(outcome: outcome)
    }
    do {
      return try await provocation(request, stage)
    } catch {
      throw Failed(outcome: outcome, error: error)
    }
  }

  struct Missing: Error { let outcome: Outcome }
  struct Failed: Error {
    let outcome: Outcome
    let error: any Error
  }

  /// A request to the usual gateway.
  mutating func add(
    _ status: String, _ code: String?, to operations: [String], _ change: @escaping @Sendable (Request) -> Request
  ) {
    add(status, code, to: operations) { request, stage in try await change(request).sent(to: stage.usual) }
  }

  mutating func add(_ status: String, _ code: String?, to operations: [String], _ provocation: @escaping Provocation) {
    for operation in operations { table[Outcome(operation, status, code)] = provocation }
  }
}

extension Provocations {
  static let calls = ["call", "callSafe", "callSafeHead"]
  static let messages = ["push", "publish"]
  static let streams = ["subscribe", "subscribeHead"]
  static let topics = ["topics", "topicsHead"]
  static let last = ["lastEvent", "lastEventHead"]
  static let pages = [
    "home", "live", "metrics", "status", "limits", "openapiJSON", "openapiYAML", "problems", "problem",
  ]
  static let kept = ["outcome", "outcomeHead", "forget"]
  static let serviceOptions = [
    "callOptions", "jsonrpcOptions", "pushOptions", "publishOptions", "subscribeOptions", "topicsOptions",
    "lastEventOptions",
  ]

  /// What HTTP itself demands of every request.
  private mutating func addTransport() {
    let all = Array(Request.all.keys)
    add("400", "bad-request", to: all) { $0.with("Host", "again") }
    add("400", "bad-target", to: all) { $0.asking("é") }
    let changing =
      all.filter { $0.hasSuffix("Options") } + ["call", "jsonrpc", "batch", "forget", "ticket"] + Self.messages
    add("403", "cross-site", to: changing) { $0.with("Origin", "https://evil.example") }
    add("408", "request-timeout", to: all) { request, stage in
      let request = request.with(body: nil).with("Content-Length", "9")
      return try await eventually("the time for a body to pass") {
        // A head that is late, on a busy machine, is not answered at all.
        do { return try await request.sent(to: stage.impatient) } catch is HTTPConnection.Closed { return nil }
      }
    }
    add("411", "length-required", to: all) { request, stage in
      try await request.with(body: nil).with("Transfer-Encoding", "chunked").sent(to: stage.impatient)
    }
    add("413", "body-too-large", to: all) { $0.with(body: nil).with("Content-Length", "1048577") }
    add("414", "uri-too-long", to: all) { $0.asking(String(repeating: "x", count: 8_192)) }
    add("415", "unsupported-encoding", to: all) { $0.with("Content-Encoding", "gzip") }
    add("431", "headers-too-large", to: all) { $0.with("X-Long", String(repeating: "x", count: 16_384)) }
    add("501", "not-implemented", to: all) { $0.with(body: nil).with("Transfer-Encoding", "gzip") }
    // Probes are answered when connections have run out.
    let refusable = all.filter { !["live", "liveHead", "ready", "readyHead"].contains($0) }
    add("503", "overloaded", to: refusable) { request, stage in try await request.sent(to: stage.crowded) }
    add("421", "misdirected", to: all) { request, stage in
      let connection = try HTTPConnection(port: stage.usual.http.port)
      defer { connection.disconnect() }
      connection.send("\(request.verb) \(request.target) HTTP/1.1\r\nHost: evil.example\r\n\r\n".bytes)
      return try await offThread { try connection.reply(isHead: request.verb == "HEAD") }
    }
    add("505", "unsupported-version", to: all) { request, stage in
      let connection = try HTTPConnection(port: stage.usual.http.port)
      defer { connection.disconnect() }
      connection.send("\(request.verb) \(request.target) HTTP/2.0\r\nHost: localhost\r\n\r\n".bytes)
      return try await offThread { try connection.reply(isHead: request.verb == "HEAD") }
    }
    let serving =
      ["jsonrpc", "batch", "batchOptions", "ticket", "ticketOptions", "outcomeOptions"] + Self.calls + Self.kept
      + Self.messages
    add("503", "draining", to: serving + Self.streams + Self.topics + Self.last + Self.serviceOptions) {
      request, stage in
      let connection = try stage.draining.connection()
      defer { connection.disconnect() }
      connection.send(request.verb, request.target, headers: request.headers, body: request.body?.bytes)
      return try await offThread { try connection.reply(isHead: request.verb == "HEAD") }
    }
  }

  /// What is refused where keys are asked for.
  private mutating func addCallers() {
    let open = ["live", "problems", "problem"].flatMap { ["\($0)", "\($0)Head", "\($0)Options"] } + ["readyOptions"]
    add("401", "unauthenticated", to: Request.all.keys.filter { !open.contains($0) }) { request, stage in
      try await request.sent(to: stage.guarded)
    }
    add("429", "rate-limited", to: Request.all.keys.filter { !open.contains($0) }) { request, stage in
      // Without a key it counts against its address, which may send one in an hour.
      try await eventually("the limit") {
        let reply = try await request.sent(to: stage.limited)
        return reply.status == 429 ? reply : nil
      }
    }
    let decided = Self.calls + Self.messages + Self.streams + Self.topics + Self.last + Self.serviceOptions
    add("503", "undecided", to: decided.filter { $0 != "jsonrpcOptions" } + ["jsonrpc", "ticket"]) { request, stage in
      try await request.with(stage.key.header).sent(to: stage.undecided)
    }
    add("429", "too-many-streams", to: ["subscribe"]) { request, stage in try await request.sent(to: stage.streaming) }
    add("429", "too-many-streams", to: ["callSafe"]) { request, stage in
      try await request.asking("_watch=1s").with("Accept", "text/event-stream").sent(to: stage.streaming)
    }
    let named =
      Self.calls + Self.messages + Self.streams + Self.topics + Self.last + [
        "jsonrpc", "metrics", "metricsHead", "status", "statusHead", "ticket",
      ]
    add("403", "permission-denied", to: named + Self.serviceOptions) { request, stage in
      try await request.with(stage.key.header).sent(to: stage.guarded)
    }
  }

  /// What streams can be opened with in the place of a key.
  private mutating func addTickets() {
    func toKeyed(_ change: @escaping @Sendable (Request) -> Request) -> Provocation {
      { request, stage in try await change(request).with(stage.key.header).sent(to: stage.keyed) }
    }
    add("201", nil, to: ["ticket"], toKeyed { $0 })
    add("204", nil, to: ["ticketOptions"]) { $0 }
    add("400", "unknown-parameter", to: ["ticket"], toKeyed { $0.asking("x=1") })
    add("400", "bad-json", to: ["ticket"], toKeyed { $0.with(body: "{") })
    add("400", "bad-shape", to: ["ticket"], toKeyed { $0.with(body: "[]") })
    add("404", "no-such-service", to: ["ticket"], toKeyed { $0.with(body: #"{"service":"weather"}"#) })
    add("404", "no-such-topic", to: ["ticket"], toKeyed { $0.with(body: #"{"service":"absent-news","topics":["x"]}"#) })
    add("404", "no-such-route", to: ["ticket"]) { $0 }
    add("406", "not-acceptable", to: ["ticket"], toKeyed { $0.with("Accept", "text/event-stream") })
    add("415", "unsupported-media-type", to: ["ticket"], toKeyed { $0.with("Content-Type", "text/plain") })
  }

  /// What the gateway answers by itself.
  private mutating func addPages() {
    add("200", nil, to: Self.pages + Self.pages.map { "\($0)Head" }) { $0 }
    add("204", nil, to: Self.pages.map { "\($0)Options" } + Self.serviceOptions) { $0 }
    add("400", "unknown-parameter", to: ["metrics", "metricsHead", "status", "statusHead", "limits", "limitsHead"]) {
      $0.asking("x")
    }
    add("406", "not-acceptable", to: ["limits", "limitsHead"]) { $0.with("Accept", "text/html") }
    add("404", "no-such-route", to: ["problem", "problemHead", "problemOptions"]) { $0.at(last: "no-such-code") }
  }

  /// Whether the gateway can serve calls.
  private mutating func addReadiness() {
    let gets = ["ready", "readyHead"]
    add("204", nil, to: ["readyOptions"]) { $0 }
    add("400", "unknown-parameter", to: gets) { $0.asking("x") }
    add("200", nil, to: gets) { request, stage in
      try await eventually("each required service to be connected") {
        let reply = try await request.sent(to: stage.usual)
        return reply.status == 200 ? reply : nil
      }
    }
    add("503", "not-ready", to: gets) { request, stage in
      let rig = Rig(cleanup: stage.cleanup, directory: stage.directory)
      let endpoint = stage.directory.endpoint("nobody")
      let gateway = try await rig.gateway(#"calc: { pattern: rpc, connect: ["\#(endpoint)"] }"#, threads: 1)
      return try await request.sent(to: gateway)
    }
  }

  private mutating func addMessages() {
    let options = ["callOptions", "pushOptions", "publishOptions"]
    add("202", nil, to: Self.messages) { $0 }
    add("400", "bad-query", to: Self.messages) { $0.asking("a") }
    add("400", "unknown-parameter", to: Self.messages) { $0.asking("_timeout=1") }
    add("400", "bad-json", to: Self.messages) { $0.with(body: "[2,") }
    add("400", "bad-shape", to: Self.messages) { $0.with(body: "5") }
    add("404", "no-such-service", to: Self.messages + options) { $0.at(service: "maths") }
    add("404", "not-exposed", to: Self.messages + options) { $0.at(last: "_secret") }
    add("400", "bad-msgpack", to: Self.messages) { $0.with("Content-Type", "application/msgpack") }
    add("415", "unsupported-media-type", to: Self.messages) { $0.with("Content-Type", "text/plain") }
    add("422", "not-encodable", to: Self.messages) { $0.with(body: "[18446744073709551616]") }
    add("503", "no-backend", to: ["push"]) { $0.at(service: "absent-jobs") }
    add("503", "no-backend", to: ["publish"]) { $0.at(service: "narrow-news") }
    add("503", "queue-full", to: ["push"]) { request, stage in
      let request = request.at(service: "stuck").with(body: "[\"\(String(repeating: "x", count: 8_000))\"]")
      _ = try await stage.connected(request, to: stage.usual)
      return try await eventually("a queue to be full") {
        let reply = try await request.sent(to: stage.usual)
        return reply.status == 503 ? reply : nil
      }
    }
  }

  private mutating func addStreams() {
    add("200", nil, to: ["subscribeHead"]) { $0 }
    add("200", nil, to: ["subscribe"]) { request, stage in
      let stream = try await stage.usual.http.events(request.target)
      defer { stream.close() }
      var reply = stream.head
      reply.bytes = try await stream.event()?.fields.description.bytes ?? []
      return reply
    }
    add("400", "bad-query", to: Self.streams) { $0.asking("a") }
    add("400", "unknown-parameter", to: Self.streams) { $0.asking("_form=latest") }
    add("400", "too-many-topics", to: Self.streams) { request, stage in
      try await request.asking(Array(repeating: "topic=chat", count: 513).joined(separator: "&")).sent(to: stage.usual)
    }
    add("200", nil, to: Self.topics + Self.last) { $0 }
    add("304", nil, to: Self.last) { $0.with("If-None-Match", "*") }
    add("400", "bad-query", to: Self.last) { $0.asking("topic=b") }
    add("400", "unknown-parameter", to: Self.last) { $0.asking("_from=latest") }
    add("400", "unknown-parameter", to: Self.topics) { $0.asking("x") }
    add(
      "404", "no-such-service",
      to: Self.streams + Self.topics + Self.last + ["subscribeOptions", "topicsOptions", "lastEventOptions"]
    ) {
      $0.at(service: "weather")
    }
    add("404", "no-such-topic", to: Self.streams + Self.last + ["publish", "publishOptions"]) {
      $0.at(service: "absent-news")
    }
    add("503", "too-many-topics", to: ["subscribe"]) { $0.at(service: "narrow-news").asking("topic=chat") }
    add("406", "not-acceptable", to: Self.streams) { $0.with("Accept", "application/json") }
    add("406", "not-acceptable", to: Self.topics + Self.last) { $0.with("Accept", "text/event-stream") }
  }
}

extension EventReader.Block {
  /// The fields as the object by which the document describes an event.
  var fields: JSON {
    var members: [JSON.Member] = []
    if let id { members.append(.init("id", .string(id))) }
    if let name { members.append(.init("event", .string(name))) }
    if let data { members.append(.init("data", .string(data))) }
    if let retry { members.append(.init("retry", .number("\(retry)"))) }
    return .object(members)
  }
}
