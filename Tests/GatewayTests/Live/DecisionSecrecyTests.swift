import Gateway
import GatewaySecurity
import HTTPServer
import MessagePack
import Support
import Testing
import ZeroMQ

/// A caller who is refused is told the same of what is there and of what is not.
@Suite("A refusal by a service that decides", .inTurn(minutes: 3))
struct DecisionSecrecyTests {
  @Test("counts as one request, whatever a call of the method costs; one that is allowed counts as what it costs")
  func cost() async throws {
    try await Authorizer.with(limits: "{ rate: 1/h, burst: 1000 }") { authorizer in
      let (http, key) = (authorizer.gateway.http, authorizer.bob.header)
      authorizer.answers { .bool(!$0.hasPrefix("bob") || $0.hasSuffix("allowed")) }
      func left(_ target: String) async throws -> Int {
        let reply = try await http.post(target, headers: key)
        return try #require((reply.headers["ratelimit"]?.firstMatch(of: /r=([0-9]+)/)?.1).flatMap { Int($0) })
      }
      for (target, cost) in [
        ("/rpc/s/dear", 1), ("/rpc/s/cheap", 1), ("/rpc/absent/dear", 1), ("/rpc/s/allowed", 1),
        ("/rpc/absent/allowed", 1),
      ] {
        let before = try await left("/rpc/s/cheap")
        #expect(try await before - left(target) == cost, "\(target)")
      }
      authorizer.answers { _ in true }
      try await authorizer.gateway.gateway.reload(authorizer.configuration)
      let before = try await left("/rpc/s/cheap")
      #expect(try await before - left("/rpc/s/dear") == 5)
      #expect(try await before - left("/rpc/s/dear") == 10)
    }
  }

  @Test("comes when the time is over that the request has, wherever it leads")
  func time() async throws {
    try await Authorizer.with { authorizer in
      let (http, key) = (authorizer.gateway.http, authorizer.alice.header)
      authorizer.answers { _ in nil }
      let header = key.merging(["Request-Timeout": "0.05"]) { $1 }
      for (target, headers) in [
        ("/rpc/s/a?_timeout=0.05", key), ("/rpc/absent/a?_timeout=0.05", key), ("/rpc/s/b", header),
        ("/rpc/absent/b", header), ("/push/jobs/a", header), ("/push/absent/a", header),
        ("/jsonrpc/s", header), ("/jsonrpc/absent", header),
      ] {
        let reply = try await http.post(target, #"{"jsonrpc":"2.0","method":"c","id":1}"#, headers: headers)
        #expect(reply.status == 503 && reply.json["code"] == "queue-timeout", "\(target) \(reply.body)")
      }
      for target in ["/rpc/s/get?x=1&_timeout=0.05", "/rpc/absent/get?x=1&_timeout=0.05", "/things/1?_timeout=0.05"] {
        #expect(try await http.get(target, headers: key).json["code"] == "queue-timeout", "\(target)")
      }
    }
  }

  @Test("names no verb of a route that leads to what the caller may not call")
  func verbs() async throws {
    try await Authorizer.with { authorizer in
      let http = authorizer.gateway.http
      authorizer.answers { .bool($0.hasPrefix("alice") ? $0.hasSuffix(".get") : $0.hasSuffix(".remove")) }
      for (key, allow) in [(authorizer.alice, "GET, HEAD, OPTIONS"), (authorizer.bob, "DELETE, OPTIONS")] {
        for (verb, status) in [("PUT", 405), ("POST", 405), ("OPTIONS", 204)] {
          let reply = try await http.send(verb, "/things/1", headers: key.header)
          #expect(reply.status == status && reply.headers["allow"] == allow, "\(verb) \(reply.headers)")
          #expect(status == 204 || reply.json["detail"] == .string("This path takes \(allow)."))
        }
      }
      #expect(try await http.send("DELETE", "/things/1", headers: authorizer.alice.header).status == 404)
      authorizer.answers { _ in true }
      try await authorizer.gateway.gateway.reload(authorizer.configuration)
      let reply = try await http.send("PUT", "/things/1", headers: authorizer.alice.header)
      #expect(reply.headers["allow"] == "GET, HEAD, DELETE, OPTIONS")
    }
  }

  @Test("is the same of a route and of a path where nothing is while nobody can be asked")
  func routes() async throws {
    try await Authorizer.with(", keep: 1h") { authorizer in
      let (http, key) = (authorizer.gateway.http, authorizer.alice.header)
      // Where nothing is; a route that was refused before, which is kept; and one of which nobody was asked yet.
      let requests = [("GET", "/nothing/1"), ("PUT", "/nothing/1"), ("GET", "/things/1"), ("DELETE", "/things/1")]
      func codes() async throws -> Set<JSON> {
        var found: Set<JSON> = []
        for (verb, target) in requests {
          found.insert(try await http.send(verb, target, headers: key).json["code"])
        }
        return found
      }
      authorizer.answers { .bool(!$0.hasSuffix(".get")) }
      #expect(try await http.get("/things/1", headers: key).status == 404)
      #expect(try await http.get("/nothing/1", headers: key).status == 404)
      // One answer of another kind, then an answer, then nobody.
      authorizer.answers { _ in 7 }
      #expect(try await http.post("/rpc/s/odd", headers: key).json["code"] == "undecided")
      #expect(try await codes() == ["undecided"])
      authorizer.answers { _ in false }
      #expect(try await http.post("/rpc/s/denied", headers: key).status == 403)
      #expect(try await codes() == ["no-such-route"])
      await authorizer.service.close()
      try await eventually("nobody to ask") {
        try await http.get("/nothing/1", headers: key).json["code"] == "undecided"
      }
      #expect(try await codes() == ["undecided"])
      #expect(try await http.get("/nothing", headers: authorizer.bob.header).headers["retry-after"] == "1")
    }
  }

  @Test(
    "is 404 of a path where nothing is, where there are no routes to tell of, and among operations",
    arguments: [false, true])
  func noRoutes(hasRoutes: Bool) async throws {
    try await Rig.with { rig in
      let key = APIKey.random()
      let keys = try rig.directory.file("keys.yaml", "\(key.digest.hex): { subject: alice }\n")
      let routes = hasRoutes ? #", routes: { "POST /things/{id}": "get(id)" }"# : ""
      let gateway = try await rig.gateway(
        """
        authorizer: { pattern: rpc, connect: ["ipc:///nowhere/a"], methods: { expose: [] }, required: false }
        s: { pattern: rpc, connect: ["ipc:///nowhere/s"], required: false\(routes) }
        """, http: "admin: \"127.0.0.1:0\"",
        auth: "{ keys: { file: \"\(keys)\" }, decision: { service: authorizer } }")
      let code: JSON = hasRoutes ? "undecided" : "no-such-route"
      #expect(try await gateway.http.get("/nothing", headers: key.header).json["code"] == code)
      let admin = HTTPClient(port: try #require(gateway.gateway.admin).port)
      #expect(try await admin.get("/nothing").json["code"] == "no-such-route")
    }
  }

  @Test("is the same while the gateway stops")
  func draining() async throws {
    try await Authorizer.with { authorizer in
      let (gateway, key) = (authorizer.gateway, authorizer.alice.header)
      authorizer.answers { $0.contains("held") ? nil : .bool(!$0.contains("bad")) }
      var connections: [HTTPConnection] = []
      for _ in 0..<3 {
        let connection = try HTTPConnection(port: gateway.http.port)
        connection.send("GET", "/live")
        #expect(try await offThread { try connection.reply().status } == 200)
        connections.append(connection)
      }
      async let held = gateway.http.post("/rpc/s/held", headers: key)
      try await authorizer.isAsked(1)
      async let stopped: Void = gateway.stop()
      try await eventually("it accepts no more") { (try? HTTPConnection(port: gateway.http.port)) == nil }
      var codes: [JSON] = []
      for (connection, target) in zip(connections, ["/rpc/s/bad", "/rpc/absent/bad", "/rpc/s/good"]) {
        connection.send("POST", target, headers: key, body: "[]".bytes)
        codes.append(try await offThread { try connection.reply() }.json["code"])
      }
      #expect(codes == ["permission-denied", "permission-denied", "draining"])
      try await authorizer.release(true)
      _ = try await held
      await stopped
    }
  }

  @Test("of what cannot be asked, or need not be, is counted; the log names what the service has raised")
  func told() async throws {
    let log = RecordingLog()
    try await Authorizer.with(asking: "in-flight: 4", logger: log.logger()) { authorizer in
      let (http, key) = (authorizer.gateway.http, authorizer.alice.header)
      func unasked() async throws -> Int? {
        try await authorizer.metric(#"zmq_gateway_decision_lookups_total{source="unasked"}"#)
      }
      #expect(try await unasked() == 0)
      let long = String(repeating: "x", count: 100_000)
      let call = #"{"jsonrpc":"2.0","id":1,"method":"\#(long)"}"#
      #expect(try await http.post("/jsonrpc/s", call, headers: key).status == 403)
      #expect(try await unasked() == 1)
      // One of four for each caller.
      authorizer.answers { _ in nil }
      async let raised = http.post("/rpc/s/a", headers: key)
      try await authorizer.isAsked(1)
      #expect(try await http.post("/rpc/s/b", headers: key).json["code"] == "undecided")
      #expect(try await unasked() == 2)
      try await authorizer.release(["myapp.Broken", ["x"], "Broken('x')"], isException: true)
      #expect(try await raised.status == 503)
      #expect(log.lines.contains { $0.contains("auth.decision") && $0.contains("reason=it raised myapp.Broken") })
      #expect(try await authorizer.metric(#"zmq_gateway_decisions_total{result="failed"}"#) == 2)
    }
  }
}
