import MessagePack
import Support
import Testing
import ZeroMQ

/// Watched calls, in front of a backend that the test plays.
@Suite("a watched call", .inTurn(minutes: 3))
struct WatchTests {
  private static let service = "methods: { safe: [get] }\nwatch: { interval: 20ms, retry: 2s }"
  private static let stream = ["Accept": "text/event-stream"]
  private static let keyError = Value.array(["builtins.KeyError", ["k"], "KeyError('k')"]).packed

  /// Opens a stream while the first call is answered.
  private func open(
    _ gateway: LiveGateway, _ backend: WireSocket, _ query: String = "_watch=20ms", headers: [String: String] = stream,
    first result: Value
  ) async throws -> EventReader {
    async let stream = gateway.http.events("/rpc/s/get?\(query)", headers: headers)
    try await backend.answerNext(result)
    return try await stream
  }

  @Test("is a stream of its results, those that differ from the one before")
  func changes() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend(Self.service)
      let stream = try await open(gateway, backend, "a=x&_watch=20ms", first: 1)
      defer { stream.close() }
      #expect(stream.head.status == 200)
      #expect(stream.head.headers["content-type"] == "text/event-stream; charset=utf-8")
      #expect(stream.head.headers["cache-control"] == "no-store")
      #expect(try await stream.block() == .init(comments: ["ok"], retry: 2_000))
      let first = try #require(try await stream.event())
      #expect(first.name == nil)
      #expect(first.data == "1")
      for result: Value in [1, 1, ["a": [2]]] {
        let call = try await backend.call()
        #expect(call.method == "get")
        #expect(call.keywords == (["a": "x"] as Value).packed)
        try await backend.answer(call, result.packed)
      }
      let second = try #require(try await stream.event())
      #expect(second.data == #"{"a":[2]}"#)
      #expect(second.id != first.id)
      try await backend.answerNext(1)
      let third = try #require(try await stream.event())
      #expect(third.data == "1")
      #expect(third.id == first.id)
    }
  }

  @Test("is made once for all who watch it, as often as the most eager wants")
  func sharing() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend(Self.service)
      let slow = try await open(gateway, backend, "_watch=1h", first: 1)
      defer { slow.close() }
      #expect(try await slow.event()?.data == "1")
      // The result is known: it begins at once.
      let eager = try await gateway.http.events("/rpc/s/get?_watch=20ms", headers: Self.stream)
      defer { eager.close() }
      #expect(try await eager.event()?.data == "1")
      try await backend.answerNext(2)
      for stream in [slow, eager] { #expect(try await stream.event()?.data == "2") }
      // With the eager one gone the next call is an hour away.
      eager.close()
      let other = try gateway.http.begin("GET", "/rpc/s/get?a=1&_watch=1h", headers: Self.stream)
      defer { other.disconnect() }
      while true {
        let call = try await backend.call()
        try await backend.answer(call, [3])
        if call.keywords != [0x80] { break }
      }
    }
  }

  @Test("is not told again to a client that has its result already")
  func resuming() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend(Self.service)
      let first = try await open(gateway, backend, first: 1)
      let id = try #require(try await first.event()?.id)
      first.close()
      let byHeader = Self.stream.merging(["Last-Event-ID": id]) { $1 }
      for (index, (query, headers)) in [("", byHeader), ("&_last_event_id=\(id)", Self.stream)].enumerated() {
        async let opening = gateway.http.events("/rpc/s/get?b:=\(index)&_watch=20ms\(query)", headers: headers)
        let keywords = (["b": .int(Int64(index))] as Value).packed
        for result: Value in [1, 1, 2] {
          // Calls of a stream before may be under way.
          while true {
            let call = try await backend.call()
            try await backend.answer(call, result.packed)
            if call.keywords == keywords { break }
          }
        }
        let again = try await opening
        #expect(try await again.event()?.data == "2")
        again.close()
      }
    }
  }

  @Test("that fails at first is answered with that; later it is an event, and the calls go on")
  func failures() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend(Self.service)
      let refused = try gateway.http.begin("GET", "/rpc/s/get?_watch=1s", headers: Self.stream)
      defer { refused.disconnect() }
      try await backend.answer(try await backend.call(), Self.keyError, isException: true)
      let reply = try await offThread { try refused.reply() }
      #expect(reply.status == 404)
      #expect(reply.json["exception"]["type"] == "builtins.KeyError")
      let stream = try await open(gateway, backend, first: 1)
      defer { stream.close() }
      let first = try #require(try await stream.event())
      for _ in 0..<2 { try await backend.answer(try await backend.call(), Self.keyError, isException: true) }
      let failure = try #require(try await stream.event())
      #expect(failure.name == "error")
      #expect(failure.id == nil)
      #expect(failure.json["status"] == 404)
      #expect(failure.json["code"] == "remote-exception")
      #expect(failure.json["instance"] == "/rpc/s/get")
      // Told once; and then that it is over, even if nothing has changed.
      try await backend.answerNext(1)
      let back = try #require(try await stream.event())
      #expect(back.id == first.id)
      #expect(back.data == "1")
    }
  }

  @Test("survives the loss of its backend")
  func lost() async throws {
    try await Rig.with { rig in
      let endpoint = rig.directory.endpoint("lost")
      let backend = try await WireSocket(.router, bind: endpoint)
      let gateway = try await rig.gateway(
        "s:\n  pattern: rpc\n  connect: ['\(endpoint)']\n\(Self.service.indented(by: 2))", threads: 1)
      try await gateway.reaches(backend)
      let stream = try await open(gateway, backend, first: 1)
      defer { stream.close() }
      #expect(try await stream.event()?.data == "1")
      await backend.close()
      #expect(try await stream.event(named: "error")?.json["status"] != .null)
      let again = try await rig.wire(.router, bind: endpoint)
      try await again.answerNext(1)
      #expect(try await stream.event(named: "")?.data == "1")
    }
  }

  @Test("ends with bye when the gateway stops")
  func draining() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend(Self.service)
      let stream = try await open(gateway, backend, "_watch=1h", first: 1)
      defer { stream.close() }
      #expect(try await stream.event()?.data == "1")
      let stopping = Task { await gateway.stop() }
      #expect(try await stream.event()?.name == "bye")
      #expect(try await stream.block() == nil)
      await stopping.value
    }
  }

  @Test("is kept alive by comments")
  func heartbeat() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend("methods: { safe: [get] }\nwatch: { heartbeat: 1s }")
      let stream = try await open(gateway, backend, "_watch=1h", first: 1)
      defer { stream.close() }
      #expect(try await stream.block()?.comments == ["ok"])
      #expect(try await stream.block()?.data == "1")
      #expect(try await stream.block()?.comments == [""])
    }
  }

  @Test("is one of so many")
  func bound() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend("methods: { safe: [get] }\nwatch: { calls: 1 }")
      let stream = try await open(gateway, backend, "_watch=1h", first: 1)
      let same = try await gateway.http.events("/rpc/s/get?_watch=1h", headers: Self.stream)
      #expect(same.head.status == 200)
      let other = try await gateway.http.get("/rpc/s/get?a=1&_watch=1h", headers: Self.stream)
      #expect(other.status == 503)
      #expect(other.json["code"] == "overloaded")
      #expect(other.json["detail"].text?.contains("watch.calls") == true)
      stream.close()
      same.close()
      let answering = Task { try await backend.answerNext(2) }
      try await eventually("the watched call to be over") {
        let next = try await gateway.http.events("/rpc/s/get?a=1&_watch=1h", headers: Self.stream)
        defer { next.close() }
        return next.head.status == 200
      }
      try await answering.value
    }
  }

  @Test(
    "is asked for with a duration and for a stream",
    arguments: [
      ("_watch=2", "text/event-stream", 400, "bad-query"), ("_watch=0s", "text/event-stream", 400, "bad-query"),
      ("_watch=", "text/event-stream", 400, "bad-query"), ("_watch=25h", "text/event-stream", 400, "bad-query"),
      ("_watch=2s", "application/json", 406, "not-acceptable"), ("", "text/event-stream", 406, "not-acceptable"),
      ("_last_event_id=1", "*/*", 400, "unknown-parameter"), ("_wach=2s", "*/*", 400, "unknown-parameter"),
    ])
  func requests(query: String, accept: String, status: Int, code: String) async throws {
    try await Rig.with { rig in
      let (_, gateway) = try await rig.backend(Self.service)
      let reply = try await gateway.http.get("/rpc/s/get?\(query)", headers: ["Accept": accept])
      #expect(reply.status == status)
      #expect(reply.json["code"] == .string(code))
      let post = try await gateway.http.post("/rpc/s/get?_watch=2s")
      #expect(post.json["code"] == "unknown-parameter")
      let unsafe = try await gateway.http.get("/rpc/s/other?_watch=2s", headers: Self.stream)
      #expect(unsafe.json["code"] == "not-safe")
    }
  }

  @Test("answers HEAD with the head of the stream")
  func head() async throws {
    try await Rig.with { rig in
      let (_, gateway) = try await rig.backend(Self.service)
      let reply = try await gateway.http.send("HEAD", "/rpc/s/get?_watch=2s", headers: Self.stream)
      #expect(reply.status == 200)
      #expect(reply.headers["content-type"] == "text/event-stream; charset=utf-8")
    }
  }
}
