import Support

extension Provocations {
  mutating func addBatch() {
    let own = ["batch"]
    add("200", nil, to: own) { $0 }
    add("204", nil, to: ["batchOptions", "outcomeOptions"]) { $0 }
    add("400", "bad-json", to: own) { $0.with(body: "[2") }
    add("400", "bad-shape", to: own) { $0.with(body: "5") }
    add("400", "bad-query", to: own) { $0.asking("a") }
    add("400", "unknown-parameter", to: own) { $0.asking("_timeuot=1") }
    add("400", "bad-timeout", to: own) { $0.asking("_timeout=soon") }
    add("406", "not-acceptable", to: own) { $0.with("Accept", "text/html") }
    add("415", "unsupported-media-type", to: own) { $0.with("Content-Type", "application/msgpack") }
  }

  /// What is remembered beyond a request: calls that nobody waits for, and keys.
  mutating func addRemembered() {
    let gets = ["outcome", "outcomeHead"]
    add("202", nil, to: ["call"]) { $0.with("Prefer", "respond-async") }
    add("202", nil, to: gets) { request, stage in
      try await request.at(last: stage.started("faulty", "slow")).sent(to: stage.usual)
    }
    add("200", nil, to: gets) { request, stage in
      let request = request.at(last: try await stage.started("calc", "add", "2", "3"))
      return try await eventually("the end of the call") {
        let reply = try await request.sent(to: stage.usual)
        return reply.status == 202 ? nil : reply
      }
    }
    add("204", nil, to: ["forget"]) { request, stage in
      try await request.at(last: stage.started("faulty", "slow")).sent(to: stage.usual)
    }
    add("400", "bad-query", to: Self.kept) { $0.asking("a") }
    add("400", "unknown-parameter", to: Self.kept) { $0.asking("_wait=1") }
    add("406", "not-acceptable", to: gets) { $0.with("Accept", "text/html") }
    add("410", "call-gone", to: Self.kept) { $0 }
    let keyed = ["call"] + Self.messages
    add("400", "bad-idempotency-key", to: keyed) { $0.with("Idempotency-Key", "a b") }
    add("409", "idempotency-key-in-use", to: ["call"]) { request, stage in
      let request = request.calling("faulty", "slow").with("Idempotency-Key", "in-use")
      // The first goes on when its client has left.
      return try await eventually("the first to be under way") {
        let first = try stage.usual.http.begin("POST", request.target, headers: request.headers, body: request.body)
        defer { first.disconnect() }
        let reply = try await request.sent(to: stage.usual)
        return reply.status == 409 ? reply : nil
      }
    }
    add("422", "idempotency-key-reused", to: keyed) { request, stage in
      let request = request.with("Idempotency-Key", "reused")
      _ = try await stage.connected(request, to: stage.usual)
      return try await request.with(body: "[]").sent(to: stage.usual)
    }
  }
}

extension Stage {
  /// The id of a call that nobody waits for.
  fileprivate func started(_ service: String, _ method: String, _ arguments: String...) async throws -> String {
    let body = JSON.array(arguments.map { .string($0) }).description
    let request = Request("POST", "/rpc/\(service)/\(method)", body).with("Prefer", "respond-async")
    guard let id = try await connected(request, to: usual).json["id"].text else { throw TimedOut("no call is begun") }
    return id
  }
}
