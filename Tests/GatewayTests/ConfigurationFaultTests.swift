import ConfigurationReader
import HTTPServer
import MessagePack
import Support
import Testing
import ZeroMQ

@testable import Gateway

@Suite("A configuration that is wrong", .inTurn(minutes: 3))
struct ConfigurationFaultTests {
  @Test("that names files that are not there is told each of them, with its line")
  func missingFiles() {
    let yaml = """
      http:
        listen: ["127.0.0.1:8080"]          # also "[::1]:8080", "unix:/run/zmq-gateway.sock"
        admin: "127.0.0.1:9090"             # optional: operations URLs move here
        threads: 0                          # 0 = one per core
        tls: { certificate: cert.pem, key: key.pem, client-ca: ca.pem }
        limits: { body: 1MiB, headers: 16KiB, target: 8KiB, connections: 10000, connections-per-address: 1000, read-timeout: 10s }
        cors: { origins: ["https://app.example"], credentials: false, max-age: 10m }
        hosts: ["api.example"]
      auth:
        keys: { file: keys.yaml }           # SHA-256 of each key, its subject, its scopes
        jwt: { jwks: jwks.json, issuer: ..., audience: ..., algorithms: [ES256, RS256, EdDSA, HS256] }
      errors: { expose: message, map: { "myapp.errors.Conflict": 409 } }
      limits: { rate: 100/s, burst: 200, per: subject }
      services:
        math:
          pattern: rpc
          connect: ["tcp://10.0.0.5:5555", "tcp://10.0.0.6:5555"]    # or bind: for workers that dial in
          timeout: 5s
          max-timeout: 60s
          in-flight: 1000
          methods: { expose: ["*"], hide: ["admin.*"], safe: ["get*"] }
          errors: { map: { KeyError: 500 } }
          curve: { server-key: file:server.pub, secret-key: file:client.key }
        jobs:
          pattern: pipeline
          connect: ["tcp://10.0.0.7:5556"]
        news:
          pattern: pubsub
          publish:   { connect: ["tcp://10.0.0.8:5557"] }
          subscribe: { connect: ["tcp://10.0.0.9:5558"], topics: [""], history: { events: 1000, bytes: 8MiB, age: 10m }, slow: disconnect }
      """
    #expect(
      complaints(yaml) == [
        "5:23: http.tls.certificate: cert.pem cannot be read: no such file or directory",
        "5:38: http.tls.key: key.pem cannot be read: no such file or directory",
        "5:58: http.tls.client-ca: ca.pem cannot be read: no such file or directory",
        "10:17: auth.keys.file: keys.yaml cannot be read: no such file or directory",
        "11:16: auth.jwt.jwks: jwks.json cannot be read: no such file or directory",
        "23:26: services.math.curve.server-key: server.pub cannot be read: no such file or directory",
        "23:55: services.math.curve.secret-key: client.key cannot be read: no such file or directory",
      ])
  }

  @Test("tells everything that is wrong at once, in the order of the lines")
  func everyProblem() {
    let yaml = """
      http:
        listen: 127.0.0.1
        treads: 2
        threads: 257
      grace: 5
      services:
        math:
          pattern: rpc
          conect: tcp://h:1
          timeot: 5s
          timeout: soon
        "ma th": { pattern: rcp }
        jobs:
          pattern: pipeline
          connect: [tcp://h:0, http://h:1]
      """
    #expect(
      complaints(yaml) == [
        "2:11: http.listen: expected host:port, such as 127.0.0.1:8080, not \"127.0.0.1\"",
        "3:3: http.treads: unknown key; did you mean \"threads\"?",
        "4:12: http.threads: must be between 0 and 256",
        "5:8: grace: a duration needs a unit: 5s or 5ms",
        "7:3: services.math: has no connect; name at least one endpoint such as tcp://127.0.0.1:5555",
        "9:5: services.math.conect: unknown key; did you mean \"connect\"?",
        "10:5: services.math.timeot: unknown key; did you mean \"timeout\"?",
        "11:14: services.math.timeout: expected a duration such as 500ms, 5s, 2m or 1h, not \"soon\"",
        "12:3: services.ma th: a service name is made of letters, digits, \"_\", \".\" and \"-\"",
        "12:23: services.ma th.pattern: \"rcp\" is none of rpc, pipeline, pubsub; did you mean \"rpc\"?",
        "15:15: services.jobs.connect[0]: \"0\" is no port; ports are 1...65535",
        "15:26: services.jobs.connect[1]: \"http\" is no transport of ZeroMQ here; use tcp or ipc",
      ])
  }

  @Test("that has keys where people look for them first is told where they go, and its own keys with x- are left alone")
  func misplaced() {
    let yaml = """
      x-own: { anything: [1, 2] }
      listen: 127.0.0.1:80
      port: 80
      jwt: {}
      log_level: debug
      http: { port: 80 }
      services:
        math: { type: rpc, endpoint: tcp://h:1, pattern: rpc, connect: tcp://h:1, x-own: 1 }
      """
    #expect(
      complaints(yaml) == [
        "2:1: listen: unknown key; it goes under http",
        "3:1: port: unknown key; write http: { listen: \"127.0.0.1:8080\" }",
        "4:1: jwt: unknown key; it goes under auth", "5:1: log_level: unknown key; write log: { level: debug }",
        "6:9: http.port: unknown key; write listen: \"127.0.0.1:8080\"",
        "8:11: services.math.type: unknown key; write pattern",
        "8:22: services.math.endpoint: unknown key; write connect, or bind",
        "8:77: services.math.x-own: unknown key; keys with x- stand at the top of the file",
      ])
  }

  @Test("tells that the keys of a service are to be indented")
  func notIndented() {
    let yaml = """
      services:
        math:
        pattern: rpc
        connect: ["tcp://h:1"]
        other: { pattern: rpc, connect: "tcp://h:1" }
      """
    #expect(
      complaints(yaml).filter { !$0.contains("services.math") } == [
        "3:3: services.pattern: indent it: it goes under the name of a service",
        "4:3: services.connect: indent it: it goes under the name of a service",
      ])
    // They may be names, too.
    #expect(complaints("services: { pattern: { pattern: rpc, connect: \"tcp://h:1\" } }") == [])
  }

  @Test("tells where keys go that stand in another place")
  func inOtherPlaces() throws {
    let yaml = """
      hedge: {}
      access: true
      http: { host: 0.0.0.0, body: 1MiB, level: debug }
      services:
        a: { pattern: rpc, connect: tcp://h:1, safe: [get], topics: [x], methods: { timeout: 5s } }
      math:
        pattern: rpc
        connect: tcp://h:1
      """
    #expect(
      complaints(yaml) == [
        "1:1: hedge: unknown key; it goes under a service, in services",
        "2:1: access: unknown key; it goes under log",
        "3:9: http.host: unknown key; write listen: \"127.0.0.1:8080\"",
        "3:24: http.body: unknown key; it goes under limits",
        "3:36: http.level: unknown key; it goes under log, at the top",
        "5:42: services.a.safe: unknown key; it goes under methods",
        "5:55: services.a.topics: unknown key; it goes under subscribe, of pattern pubsub",
        "5:79: services.a.methods.timeout: unknown key; it goes under settings, there under the name of a method",
        "6:1: math: unknown key; indent it: a service goes under services",
      ])
    let limits = try ConfigurationSchema().keys.filter {
      $0.path.count == 3 && $0.path.starts(with: ["http", "limits"])
    }
    #expect(limits.count > 10)
    for key in limits {
      #expect(
        complaints("http: { \(key.path[2]): 1 }") == ["1:9: http.\(key.path[2]): unknown key; it goes under limits"])
    }
  }

  @Test("that several services share is written once")
  func merged() throws {
    let yaml = """
      x-calm: &calm { timeout: 10s, max-timeout: 5m, in-flight: 50 }
      services:
        reports: { pattern: rpc, connect: tcp://h:1, <<: *calm }
        exports: { pattern: rpc, connect: tcp://h:2, <<: *calm, timeout: 1m }
      """
    let services = try Configuration.load(yaml: yaml, file: "gateway.yaml").services.map(\.pattern)
    let read = services.compactMap { if case .rpc(let rpc) = $0 { rpc } else { nil } }
    #expect(read.map(\.timeout) == [.seconds(10), .seconds(60)])
    #expect(read.map(\.inFlight) == [50, 50])
  }

  @Test(
    "a limit on one piece that is more than half of the memory is a contradiction, and a default is lowered instead")
  func memory() throws {
    let yaml = """
      http: { limits: { memory: 1MiB, body: 524289 } }
      services:
        math: { pattern: rpc, connect: [tcp://h:1], reply-limit: 524289 }
        news:
          pattern: pubsub
          subscribe: { connect: [tcp://h:2], event-limit: 524289, history: { bytes: 524289 } }
      """
    let reason =
      "contradiction: 524289 bytes would never have room, as http.limits.memory is 1048576; it may be at most half of that, 524288"
    #expect(
      complaints(yaml) == [
        "1:33: http.limits.body: \(reason)", "3:47: services.math.reply-limit: \(reason)",
        "6:40: services.news.subscribe.event-limit: \(reason)",
        "6:72: services.news.subscribe.history.bytes: \(reason)",
      ])
    #expect(complaints(yaml.replacing("524289", with: "524288")) == [])
    let lowered = try Configuration.load(
      yaml: "{ http: { limits: { memory: 1MiB } }, services: { s: { pattern: rpc, connect: tcp://h:1 } } }",
      file: "test.yaml")
    #expect(lowered.http.limits.server.bodyLimit == 524_288)
    guard case .rpc(let rpc)? = lowered.services.first?.pattern else { throw Missing() }
    #expect(rpc.replyLimit == 524_288)
  }

  private struct Missing: Error {}
}
