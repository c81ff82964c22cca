import Reactor
import Support
import Testing
import ZeroMQ

extension Provocations {
  mutating func addCalls() {
    let gets = ["callSafe", "callSafeHead"]
    add("200", nil, to: Self.calls) { $0 }
    add("304", nil, to: gets) { $0.with("If-None-Match", "*") }
    add("405", "not-safe", to: gets) { $0.calling("calc", "fail") }
    add("406", "not-acceptable", to: Self.calls) { $0.with("Accept", "text/html") }
    add("400", "bad-msgpack", to: ["call"]) { $0.with("Content-Type", "application/msgpack") }
    add("415", "unsupported-media-type", to: ["call"]) { $0.with("Content-Type", "text/plain") }
    addMistakes(gets)
    addExceptions()
    addFailures()
  }

  /// JSON-RPC, whose own errors are answered with 200.
  mutating func addDocuments() {
    let own = ["jsonrpc"]
    let notification = #"{"jsonrpc":"2.0","method":"add"}"#
    add("200", nil, to: own) { $0 }
    add("204", nil, to: own) { $0.with(body: notification) }
    add("400", "bad-query", to: own) { $0.asking("a") }
    add("400", "unknown-parameter", to: own) { $0.asking("_timeuot=1") }
    add("400", "bad-timeout", to: own) { $0.asking("_timeout=soon") }
    add("404", "no-such-service", to: own + ["jsonrpcOptions"]) { $0.at(last: "maths") }
    add("406", "not-acceptable", to: own) { $0.with("Accept", "text/html") }
    add("415", "unsupported-media-type", to: own) { $0.with("Content-Type", "application/msgpack") }
    add("503", "no-backend", to: own) { $0.at(last: "absent").with(body: notification) }
  }

  private mutating func addMistakes(_ gets: [String]) {
    add("400", "bad-query", to: Self.calls) { $0.asking("a") }
    add("400", "unknown-parameter", to: Self.calls) { $0.asking("_timeuot=1") }
    add("400", "bad-timeout", to: Self.calls) { $0.asking("_timeout=soon") }
    add("400", "bad-json", to: ["call"]) { $0.with(body: "[2,") }
    add("400", "bad-json", to: gets) { $0.asking("c:=[") }
    add("400", "bad-shape", to: ["call"]) { $0.with(body: "5") }
    add("400", "invalid-argument", to: Self.calls) { $0.calling("calc", "add", "2") }
    add("404", "no-such-service", to: Self.calls) { $0.at(service: "maths") }
    add("404", "not-exposed", to: Self.calls) { $0.at(last: "_secret") }
    add("404", "no-such-method", to: Self.calls) { $0.calling("faulty", "ad") }
    add("422", "not-encodable", to: ["call"]) { $0.with(body: "[18446744073709551616]") }
    add("422", "not-encodable", to: gets) { $0.asking("c:=18446744073709551616") }
  }

  private mutating func addExceptions() {
    let classes = [
      "400": "builtins.ValueError", "403": "builtins.PermissionError", "404": "builtins.KeyError",
      "409": "builtins.FileExistsError", "500": "builtins.RuntimeError", "501": "builtins.NotImplementedError",
      "502": "builtins.EOFError", "503": "builtins.BlockingIOError", "504": "builtins.TimeoutError",
      "default": "kitchen.Teapot",
    ]
    for (status, name) in classes {
      add(status, "remote-exception", to: Self.calls) { $0.calling("faulty", "raise", name, "no") }
    }
    add("502", "nested-call", to: Self.calls) {
      $0.calling("faulty", "raise", "aiozmq.rpc.base.NotFoundError", "other")
    }
  }

  private mutating func addFailures() {
    add("502", "reply-too-large", to: Self.calls) { $0.calling("faulty", "long") }
    add("502", "reply-not-representable", to: Self.calls) { $0.calling("faulty", "nan") }
    add("502", "bad-reply", to: Self.calls) { request, stage in
      try await stage.connected(request.calling("garbled", "any"), to: stage.usual)
    }
    add("502", "backend-lost", to: Self.calls) { request, stage in try await stage.lost(request) }
    add("503", "no-backend", to: Self.calls) { $0.at(service: "absent") }
    add("503", "queue-timeout", to: Self.calls) { request, stage in
      try await stage.full("mute", "queue-timeout", request)
    }
    add("503", "queue-full", to: Self.calls) { request, stage in
      try await stage.full("deaf", "queue-full", request)
    }
    add("503", "breaker-open", to: Self.calls) { request, stage in try await stage.broken(request) }
    add("504", "timeout", to: Self.calls) { $0.calling("faulty", "slow").asking("_timeout=0.05") }
  }
}

extension Stage {
  /// A call whose backend goes away while it has it.
  fileprivate func lost(_ request: Request) async throws -> HTTPReply {
    let endpoint = directory.endpoint("lost-\(request.verb)")
    let backend = try await WireSocket(.router, bind: endpoint)
    let rig = Rig(cleanup: cleanup, directory: directory)
    let gateway = try await rig.gateway(
      #"calc: { pattern: rpc, connect: ["\#(endpoint)"], methods: { safe: ["*"] } }"#, threads: 1)
    async let reply = connected(request, to: gateway)
    let call = try? await backend.receive()
    await backend.close()
    guard call != nil else { throw TimedOut("the call does not reach its backend") }
    return try await reply
  }

  /// A gateway in front of a backend that reads nothing, as `calc`.
  private func silent(_ name: String, _ lines: String) async throws -> LiveGateway {
    let rig = Rig(cleanup: cleanup, directory: directory)
    var small = SocketOptions()
    small.receiveHighWaterMark = 1
    // libzmq 4.3.4 aborts when it is time for a heartbeat on a full connection whose peer is gone (libzmq issue 4364).
    small.heartbeat = .zero
    let backend = try await rig.wire(.router, bind: directory.endpoint(name), options: small)
    await backend.pause(true)
    return try await rig.gateway(
      #"calc: { pattern: rpc, connect: ["\#(await backend.endpoint)"], methods: { safe: ["*"] }, \#(lines) }"#,
      threads: 1)
  }

  /// A call to a backend that has not answered the one before.
  fileprivate func broken(_ request: Request) async throws -> HTTPReply {
    let gateway = try await silent("broken-\(request.verb)", "breaker: { failures: 1, open: 1m }, timeout: 50ms")
    #expect(try await connected(request, to: gateway).status == 504)
    let reply = try await connected(request, to: gateway)
    #expect(reply.headers["retry-after"] == "60")
    return reply
  }

  /// A call of a backend that reads nothing, behind so many others that it cannot be sent.
  fileprivate func full(_ service: String, _ code: String, _ request: Request) async throws -> HTTPReply {
    let filling = Request("POST", "/rpc/\(service)/any", "[\"\(String(repeating: "x", count: 64_000))\"]").asking(
      "_timeout=60")
    let waiting = request.calling(service, "any").asking("_timeout=0.05")
    return try await eventually("the queue to be full") {
      let reply = try await connected(waiting, to: usual)
      if reply.headers["gateway-error"] == code { return reply }
      for _ in 0..<80 {
        let call = try usual.http.begin("POST", filling.target, headers: filling.headers, body: filling.body)
        fillers.withLock { $0.append(call) }
      }
      return nil
    }
  }
}
