import MessagePack
import Support
import Testing
import ZeroMQ

@testable import Gateway

@Suite("A reload that changes a service with calls", .inTurn(minutes: 4))
struct ReloadedServiceTests {
  private func configuration(_ services: String) throws -> Configuration {
    let yaml = """
      http: { listen: ["127.0.0.1:0"], threads: 1 }
      auth: {}
      grace: 10s
      services:
      \(services.indented(by: 2))
      """
    return try Configuration.load(yaml: yaml, file: "test.yaml")
  }

  private func rpc(_ endpoints: [String], _ more: String = "") throws -> Configuration {
    try configuration("s: { pattern: rpc, connect: [\(endpoints.joined(separator: ", "))]\(more) }")
  }

  @Test(
    "keeps the connection to the backend, and the call that is under way on it",
    arguments: [
      "in-flight: 5", "in-flight: 9, queue: 3", "queue-timeout: 1s", "timeout: 10ms, max-timeout: 20s", "timeout: 9s",
      "breaker: off", "breaker: { failures: 2, open: 1s }", "resolve: 5s",
      "methods: { safe: [m] }, retries: { attempts: 2 }", "methods: { safe: [m] }, hedge: { after: 50ms }",
      "priorities: { low: 10%, normal: 50% }", "keep-results: 5", "json: { ints: string }", "datetimes: pickle",
      "ext: { 10: text }", "errors: { expose: full }", "required: false", "routes: { \"POST /m\": m }",
    ])
  func kept(setting: String) async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend("timeout: 30s")
      let endpoint = await backend.endpoint
      let call = try gateway.http.begin(
        "POST", "/rpc/s/slow", headers: ["Content-Type": "application/json"], body: "[]")
      let arrived = try await backend.call()
      let outcome = try await gateway.gateway.reload(rpc([endpoint], ", " + setting))
      #expect(outcome.altered == ["s"] && outcome.opened.isEmpty)
      async let second = gateway.http.post("/rpc/s/m", headers: ["Request-Timeout": "10"])
      // A peer's name at a ROUTER is its connection's.
      let later = try await backend.call()
      #expect(later.envelope == arrived.envelope)
      try await backend.answer(later, Value.nil.packed)
      try await backend.answer(arrived, Value.int(5).packed)
      #expect(try await second.status == 200)
      #expect(try await offThread { try call.reply() }.body == "5")
    }
  }

  @Test("gives a stop that comes later the new grace")
  func grace() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend("timeout: 30s", grace: "1h")
      var next = try rpc([await backend.endpoint], ", timeout: 30s")
      next.grace = .seconds(1)
      let outcome = try await gateway.gateway.reload(next)
      #expect(!outcome.fixed.contains("grace"))
      async let cut = gateway.http.post("/rpc/s/slow")
      _ = try await backend.call()
      let time = await duration { await gateway.stop() }
      #expect(time < .seconds(10))
      // It is answered that the gateway has stopped, or cut off.
      let reply = try? await cut
      #expect(reply.map { $0.status >= 500 } ?? true)
    }
  }

  @Test("holds calls to its new limit")
  func limit() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend()
      let endpoint = await backend.endpoint
      func begin() throws -> HTTPConnection {
        try gateway.http.begin("POST", "/rpc/s/slow", headers: ["Content-Type": "application/json"], body: "[]")
      }
      let first = try begin()
      let arrived = try await backend.call()
      _ = try await gateway.gateway.reload(rpc([endpoint], ", in-flight: 1"))
      let refused = try await gateway.http.post("/rpc/s/m")
      #expect(refused.headers["gateway-error"] == "overloaded")
      #expect(try await gateway.samples()["zmq_gateway_calls_in_flight_limit{service=\"s\"}"] == 1)
      _ = try await gateway.gateway.reload(rpc([endpoint], ", in-flight: 2"))
      async let second = gateway.http.post("/rpc/s/m")
      let other = try await backend.call()
      try await backend.answer(other, Value.nil.packed)
      #expect(try await second.status == 200)
      try await backend.answer(arrived, Value.nil.packed)
      #expect(try await offThread { try first.reply() }.status == 200)
    }
  }

  @Test(
    "lets calls be watched on, unless they are answered otherwise from then on",
    arguments: [("in-flight: 5, timeout: 9s", true), ("errors: { expose: full }", false)])
  func watched(setting: String, isKept: Bool) async throws {
    try await Rig.with { rig in
      let safe = "methods: { safe: [get] }, watch: { interval: 20ms }"
      let (backend, gateway) = try await rig.backend("methods: { safe: [get] }\nwatch: { interval: 20ms }")
      let endpoint = await backend.endpoint
      async let opening = gateway.http.events("/rpc/s/get?_watch=20ms", headers: ["Accept": "text/event-stream"])
      try await backend.answerNext(1)
      let stream = try await opening
      #expect(try await stream.event()?.data == "1")
      let outcome = try await gateway.gateway.reload(rpc([endpoint], ", \(safe), \(setting)"))
      #expect(outcome.altered == ["s"])
      if isKept { try await backend.answerNext(2) }
      let next = try await stream.event()
      #expect(isKept ? next?.data == "2" : next?.name == "bye", "\(String(describing: next))")
    }
  }

  @Test("opens a breaker by its new options")
  func breaker() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend("breaker: off")
      let endpoint = await backend.endpoint
      _ = try await gateway.gateway.reload(rpc([endpoint], ", breaker: { failures: 1, open: 1h }"))
      let reply = try await gateway.http.post("/rpc/s/m", headers: ["Request-Timeout": "1"])
      #expect(reply.status == 504)
      #expect(try await gateway.http.post("/rpc/s/m").headers["gateway-error"] == "breaker-open")
    }
  }

  @Test("connects to backends that are new, and leaves those that are gone when their calls have ended")
  func backends() async throws {
    try await Rig.with { rig in
      let (first, gateway) = try await rig.backend("timeout: 30s")
      let second = try await rig.wire(.router, bind: rig.directory.endpoint("second"))
      let (old, new) = (await first.endpoint, await second.endpoint)
      let call = try gateway.http.begin(
        "POST", "/rpc/s/slow", headers: ["Content-Type": "application/json"], body: "[]")
      let arrived = try await first.call()
      let outcome = try await gateway.gateway.reload(rpc([old, new]))
      #expect(outcome.altered == ["s"] && outcome.opened.isEmpty)
      // The first one is busier.
      async let reply = gateway.http.post("/rpc/s/m")
      try await second.answerNext(.nil)
      #expect(try await reply.status == 200)
      _ = try await gateway.gateway.reload(rpc([new]))
      for _ in 0..<5 {
        async let reply = gateway.http.post("/rpc/s/m")
        try await second.answerNext(.nil)
        #expect(try await reply.status == 200)
      }
      try await first.answer(arrived, Value.int(5).packed)
      #expect(try await offThread { try call.reply() }.body == "5")
      try await eventually("the end of the connection") {
        let service = try await gateway.http.get("/status").json["services"]["s"]
        return service["endpoints"].elements.map { $0["endpoint"] } == [.string(new)]
      }
    }
  }

  @Test("sends pushes to workers that are new by the socket that is there, and loses none when one is gone")
  func workers() async throws {
    try await Rig.with { rig in
      let first = try await rig.wire(.pull)
      let second = try await rig.wire(.pull, bind: rig.directory.endpoint("second"))
      let (old, new) = (await first.endpoint, await second.endpoint)
      func jobs(_ endpoints: String...) -> String {
        "jobs: { pattern: pipeline, connect: [\(endpoints.joined(separator: ", "))] }"
      }
      let gateway = try await rig.gateway(jobs(old), threads: 1)
      func push(_ method: String) async throws {
        try await eventually("a worker") { try await gateway.http.post("/push/jobs/\(method)").status == 202 }
      }
      await first.pause(true)
      for _ in 0..<200 { try await push("m") }
      let more = try await gateway.gateway.reload(configuration(jobs(old, new)))
      #expect(more.altered == ["jobs"] && more.opened.isEmpty)
      try await eventually("the second worker") {
        try await push("m")
        return await second.receiveNow() != nil
      }
      let fewer = try await gateway.gateway.reload(configuration(jobs(new)))
      #expect(fewer.opened == ["jobs"])
      try await push("last")
      while try await second.receive()[0] != "last".bytes {}
      await first.pause(false)
      for _ in 0..<200 { #expect(try await first.receive()[0] == "m".bytes) }
    }
  }
}
