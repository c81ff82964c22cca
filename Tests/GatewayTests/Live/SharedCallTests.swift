import Gateway
import GatewaySecurity
import MessagePack
import Support
import Testing
import ZeroMQ

/// Requests that share calls, in front of a backend that the test plays.
@Suite("calls that are shared", .inTurn(minutes: 3))
struct SharedCallTests {
  private static let coalescing = "methods: { safe: ['*'], settings: { get: { coalesce: true } } }"
  private static let keeping = "methods: { safe: ['*'], settings: { get: { keep: 1h }, brief: { keep: 50ms } } }"

  /// A request for `/rpc/s/{target}` that is under way: the gateway has it when its answer to a later one is there.
  private func begin(_ gateway: LiveGateway, _ target: String, headers: [String: String] = [:]) throws -> HTTPConnection
  {
    try gateway.http.begin("GET", "/rpc/s/\(target)", headers: headers)
  }

  private func reply(_ connection: HTTPConnection) async throws -> HTTPReply {
    try await offThread { try connection.reply() }
  }

  /// The next call is this one: none other has come to the backend.
  private func isNext(_ method: String, at backend: WireSocket, of gateway: LiveGateway) async throws {
    async let reply = gateway.http.post("/rpc/s/\(method)")
    let call = try await backend.call()
    #expect(call.method == method)
    try await backend.answer(call, [1])
    #expect(try await reply.status == 200)
  }

  @Test("are made once for equal requests, each of which gets the answer")
  func coalescing() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend(Self.coalescing)
      let connections = try (0..<5).map { try begin(gateway, "get?a=\($0 / 4)") }
      defer { for connection in connections { connection.disconnect() } }
      let (first, second) = (try await backend.call(), try await backend.call())
      #expect(first.keywords != second.keywords)
      try await eventually("all requests to wait") {
        try await gateway.http.get("/ready").status == 200
      }
      try await isNext("other", at: backend, of: gateway)
      for call in [first, second] { try await backend.answer(call, Value.binary(call.keywords).packed) }
      var bodies: [String] = []
      for connection in connections {
        let reply = try await reply(connection)
        #expect(reply.status == 200)
        #expect(reply.headers["etag"] != nil)
        #expect(reply.headers["cache-control"] == nil)
        bodies.append(reply.body)
      }
      #expect(await gateway.gateway.accounts.joinedCalls == 3)
      #expect(Set(bodies[..<4]).count == 1)
      #expect(bodies[3] != bodies[4])
      // The next one is made again.
      let again = try begin(gateway, "get?a=0")
      defer { again.disconnect() }
      try await backend.answerNext(7)
      #expect(try await reply(again).body == "7")
    }
  }

  @Test("are not shared by POST, nor by methods without the setting")
  func separate() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend(Self.coalescing)
      for (verb, method) in [("POST", "get"), ("GET", "other")] {
        let headers = verb == "POST" ? ["Content-Length": "0"] : [:]
        let connections = try (0..<2).map { _ in
          try gateway.http.begin(verb, "/rpc/s/\(method)", headers: headers)
        }
        for _ in connections { try await backend.answerNext(1) }
        for connection in connections { #expect(try await reply(connection).status == 200) }
      }
    }
  }

  @Test("go on for those that have more time, and for those that stay")
  func deadlines() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend(Self.coalescing)
      let leaving = try begin(gateway, "get")
      let call = try await backend.call()
      let hurried = try begin(gateway, "get?_timeout=0.1")
      let patient = try begin(gateway, "get?_timeout=30")
      defer { for connection in [hurried, patient] { connection.disconnect() } }
      let late = try await reply(hurried)
      #expect(late.status == 504)
      #expect(late.json["code"] == "timeout")
      #expect(late.json["sent"] == true)
      leaving.reset()
      try await isNext("other", at: backend, of: gateway)
      try await backend.answer(call, [5])
      #expect(try await reply(patient).body == "5")
    }
  }

  @Test("are given up with the last request: one that comes later makes its own")
  func givenUp() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend(Self.coalescing + "\nin-flight: 1")
      let only = try begin(gateway, "get?_timeout=0.1")
      defer { only.disconnect() }
      let call = try await backend.call()
      #expect(try await reply(only).json["code"] == "timeout")
      let gone = try begin(gateway, "get")
      let second = try await backend.call()
      gone.reset()
      try await eventually("the place of the call to be free") {
        let reply = try await gateway.http.post("/rpc/s/other?_timeout=0.01")
        return reply.json["code"] != "overloaded"
      }
      #expect(try await backend.call().method == "other")
      let own = try begin(gateway, "get")
      defer { own.disconnect() }
      let third = try await backend.call()
      #expect(Set([call.number, second.number, third.number]).count == 3)
      try await backend.answer(second, [2])
      try await backend.answer(third, [3])
      #expect(try await reply(own).body == "3")
    }
  }

  @Test("tell each request of a problem in its own name")
  func problems() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend(Self.coalescing)
      let first = try begin(gateway, "get", headers: ["X-Request-Id": "one"])
      let call = try await backend.call()
      let other = try begin(gateway, "%67et", headers: ["X-Request-Id": "two"])
      defer { for connection in [first, other] { connection.disconnect() } }
      try await isNext("other", at: backend, of: gateway)
      try await backend.answer(
        call, Value.array(["builtins.KeyError", ["k"], "KeyError('k')"]).packed, isException: true)
      let replies = [try await reply(first), try await reply(other)]
      #expect(replies.map(\.status) == [404, 404])
      #expect(replies.map { $0.json["requestId"] } == ["one", "two"])
      #expect(replies.map { $0.json["instance"] } == ["/rpc/s/get", "/rpc/s/%67et"])
    }
  }

  @Test("leave results that answer what is asked again, with their age")
  func kept() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend(Self.keeping)
      async let made = gateway.http.get("/rpc/s/get?a=1")
      try await backend.answerNext(5)
      let first = try await made
      #expect(first.headers["cache-control"] == "max-age=3600")
      #expect(first.headers["age"] == nil)
      let again = try await gateway.http.get("/rpc/s/get?a=1")
      #expect(again.body == "5")
      #expect(again.headers["cache-control"] == "max-age=3600")
      #expect(again.headers["age"].flatMap { Int($0) } != nil)
      #expect(again.headers["etag"] == first.headers["etag"])
      let tag = try #require(first.headers["etag"])
      let same = try await gateway.http.get("/rpc/s/get?a=1", headers: ["If-None-Match": tag])
      #expect(same.status == 304)
      #expect(same.headers["cache-control"] == "max-age=3600")
      #expect(same.headers["age"] != nil)
      let head = try await gateway.http.send("HEAD", "/rpc/s/get?a=1")
      #expect(head.headers["age"] != nil)
      try await isNext("other", at: backend, of: gateway)
      let accounts = await gateway.gateway.accounts
      #expect(accounts.keptResults == 3)
      #expect(accounts.joinedCalls == 0)
      // Another argument is another call.
      async let different = gateway.http.get("/rpc/s/get?a:=1")
      try await backend.answerNext(6)
      #expect(try await different.body == "6")
    }
  }

  @Test("leave results of callers who are told apart to no cache but their own")
  func keptForOne() async throws {
    try await Rig.with { rig in
      let key = APIKey.random()
      let backend = try await rig.wire(.router, bind: rig.directory.endpoint("s"))
      let gateway = try await rig.gateway(
        "s: { pattern: rpc, connect: [\"\(await backend.endpoint)\"], \(Self.keeping) }",
        auth: try rig.auth((key, "alice", [])), threads: 1)
      let answering = Task { try await backend.answerNext(5) }
      let made = try await eventually("a result") {
        let reply = try await gateway.http.get("/rpc/s/get?a=1", headers: key.header)
        return reply.status == 200 ? reply : nil
      }
      try await answering.value
      #expect(made.headers["cache-control"] == "private, max-age=3600")
      let again = try await gateway.http.get("/rpc/s/get?a=1", headers: key.header)
      #expect(again.headers["age"] != nil && again.headers["cache-control"] == "private, max-age=3600")
    }
  }

  @Test("leave results for their time only")
  func over() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend(Self.keeping)
      async let made = gateway.http.get("/rpc/s/brief")
      try await backend.answerNext(5)
      #expect(try await made.headers["cache-control"] == "max-age=0")
      let answering = Task { try await backend.answerNext(6) }
      try await eventually("the result to be fetched again") { try await gateway.http.get("/rpc/s/brief").body == "6" }
      try await answering.value
    }
  }

  @Test("leave no problems")
  func noProblems() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend(Self.keeping)
      for isException in [true, false] {
        async let made = gateway.http.get("/rpc/s/get")
        let body = isException ? Value.array(["builtins.KeyError", ["k"], "KeyError('k')"]) : 5
        try await backend.answer(try await backend.call(), body.packed, isException: isException)
        let reply = try await made
        #expect(reply.status == (isException ? 404 : 200))
        #expect((reply.headers["cache-control"] == nil) == isException)
      }
    }
  }

  @Test(
    "leave so many results, of so many bytes, and no more: the oldest go",
    arguments: ["keep-results: 2", "keep-bytes: 50B", "keep-results: 0", "keep-bytes: 10B"])
  func bounds(limit: String) async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend(Self.keeping + "\n\(limit)")
      let keepsSome = limit == "keep-results: 2" || limit == "keep-bytes: 50B"
      // Each takes 21 bytes.
      for target in ["a=1", "a=2", "a=3"] { _ = try await isAsked(target, backend, gateway) }
      #expect(try await isAsked("a=1", backend, gateway))
      #expect(try await isAsked("a=3", backend, gateway) == !keepsSome)
    }
  }

  /// Whether the backend was asked.
  private func isAsked(_ query: String, _ backend: WireSocket, _ gateway: LiveGateway) async throws -> Bool {
    let answering = Task {
      var methods: [String] = []
      while !methods.contains("stop") {
        let call = try await backend.call()
        methods.append(call.method)
        try await backend.answer(call, Value.string("0123456789").packed)
      }
      return methods
    }
    #expect(try await gateway.http.get("/rpc/s/get?\(query)").status == 200)
    #expect(try await gateway.http.post("/rpc/s/stop").status == 200)
    return try await answering.value.contains("get")
  }
}
