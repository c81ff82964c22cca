import ConfigurationReader
import HTTPServer
import MessagePack
import Support
import Testing
import ZeroMQ

@testable import Gateway

/// What `Configuration.load` says of a text, a line a problem, without the file's name.
func complaints(_ yaml: String, environment: [String: String] = [:]) -> [String] {
  do throws(ConfigurationErrors) {
    _ = try Configuration.load(yaml: yaml, file: "f", environment: environment)
    return []
  } catch {
    return error.problems.map { String($0.description.dropFirst($0.line == 0 ? 3 : 2)) }
  }
}

/// A service of pattern rpc with more lines.
func rpc(_ lines: String...) -> String {
  (["services:", "  math:", "    pattern: rpc", "    connect: tcp://h:1"] + lines.map { "    " + $0 })
    .joined(separator: "\n")
}

@Suite("A configuration", .inTurn(minutes: 3))
struct ConfigurationTests {
  @Test("is all defaults when the file is empty", arguments: ["", "# nothing\n", "{}", "http:\nservices:\n"])
  func empty(yaml: String) throws {
    #expect(try Configuration.load(yaml: yaml, file: "f") == Configuration())
  }

  @Test("has the documented defaults")
  func defaults() throws {
    let configuration = Configuration()
    #expect(configuration.http.listen.map(\.description) == ["127.0.0.1:8080"])
    #expect(configuration.http.threads == 0)
    #expect(configuration.http.prefix == "")
    let server = configuration.http.limits.server
    #expect([server.bodyLimit, server.headersLimit, server.targetLimit] == [1 << 20, 16 << 10, 8 << 10])
    #expect([server.connections, server.connectionsPerAddress] == [10_000, 1_000])
    #expect(server.readTimeout == .seconds(10))
    #expect([server.writeTimeout, server.idleTimeout] == [.seconds(30), .seconds(75)])
    #expect(server.halfCloseGrace == .seconds(1))
    let transcoding = configuration.http.limits.transcoding
    #expect([transcoding.depth, transcoding.elements] == [64, 1_000_000])
    #expect(configuration.grace == .seconds(25))
    #expect(configuration.asynchronous.calls == 1_000)
    #expect(configuration.asynchronous.keep == .seconds(300))
    #expect(configuration.idempotency.keys == 10_000)
    #expect(configuration.idempotency.keep == .seconds(600))
    #expect(configuration.errors.expose == .auto)
    #expect(!configuration.isOpenToAll)
    guard case .rpc(let rpc) = try Configuration.load(yaml: rpc(), file: "f").services[0].pattern else {
      Issue.record("not rpc")
      return
    }
    #expect(rpc.timeout == .seconds(5))
    #expect(rpc.maximumTimeout == .seconds(60))
    #expect(rpc.inFlight == 1_000)
    #expect(rpc.replyLimit == 64 << 20)
    let subscribe = Configuration.Subscribe(connect: [])
    #expect(subscribe.topics == [""])
    #expect(subscribe.topicsPerStream == 512)
    #expect(subscribe.topicsLimit == 100_000)
    #expect(subscribe.eventLimit == 8 << 20)
    #expect(subscribe.history.events == 1_000)
    #expect(subscribe.history.bytes == 8 << 20)
    #expect(subscribe.history.age == .seconds(600))
    #expect(subscribe.linger == .seconds(10))
    #expect(subscribe.heartbeat == .seconds(15))
    #expect(subscribe.retry == .seconds(3))
    #expect(subscribe.maxAge == .seconds(3_600))
    #expect(subscribe.slow == .disconnect)
  }

  @Test("holds every key of the file")
  func everything() throws {
    let yaml = """
      http:
        listen: ["0.0.0.0:80", "[::1]:0"]
        threads: 4
        prefix: /api/v1
        chunked: accept
        limits: { body: 2MiB, headers: 8KiB, target: 4KB, connections: 5, connections-per-address: 2,
          read-timeout: 1.5s, write-timeout: 20s, idle-timeout: 1m, depth: 32, elements: 10, inline: 8KiB }
      auth: none
      grace: 2m
      errors: { expose: class, map: { KeyError: 500, "a.*": 418 } }
      services:
        math:
          pattern: rpc
          connect: ["tcp://10.0.0.5:5555", "ipc:///run/math"]
          timeout: 500ms
          max-timeout: 1h
          in-flight: 7
          reply-limit: 32MiB
          methods: { expose: ["a*", b], hide: "admin.*", safe: ["get*"] }
          errors: { expose: none, map: { ValueError: 422 } }
          json: { ints: string, nonfinite: null, keys: pairs }
        jobs:
          pattern: pipeline
          connect: ipc:///run/jobs
        news:
          pattern: pubsub
          publish: { connect: tcp://h:1, topics: [eu, ""] }
          subscribe: { connect: tcp://h:2, topics: [eu, us], topics-per-stream: 2, topics-limit: 9, event-limit: 1KiB, history: { events: 1, bytes: 1MB, age: 1s },
            slow: conflate, linger: 0s, heartbeat: 5s, retry: 1s, max-age: 2h }
      """
    var expected = Configuration()
    expected.http.listen = [try ListenAddress("0.0.0.0:80"), try ListenAddress("[::1]:0")]
    expected.http.threads = 4
    expected.http.prefix = "/api/v1"
    expected.http.limits.server.chunked = .accept
    expected.http.limits.server.bodyLimit = 2 << 20
    expected.http.limits.server.headersLimit = 8 << 10
    expected.http.limits.server.targetLimit = 4_000
    expected.http.limits.server.connections = 5
    expected.http.limits.server.connectionsPerAddress = 2
    expected.http.limits.server.readTimeout = .milliseconds(1_500)
    expected.http.limits.server.writeTimeout = .seconds(20)
    expected.http.limits.server.idleTimeout = .seconds(60)
    expected.http.limits.transcoding.depth = 32
    expected.http.limits.transcoding.elements = 10
    expected.http.limits.inline = 8 << 10
    expected.isOpenToAll = true
    expected.grace = .seconds(120)
    expected.errors = .init(expose: .class, map: ["KeyError": 500, "a.*": 418])
    var math = Configuration.RPC(connect: [try .init("tcp://10.0.0.5:5555"), try .init("ipc:///run/math")])
    math.timeout = .milliseconds(500)
    math.maximumTimeout = .seconds(3_600)
    math.inFlight = 7
    math.replyLimit = 32 << 20
    math.errors = .init(expose: Configuration.Exposure.none, map: ["ValueError": 422])
    var json = Configuration.JSONStyle()
    json.integers = .string
    json.nonFinite = .null
    json.keys = .pairs
    var publish = Configuration.Publish(connect: [try .init("tcp://h:1")])
    publish.topics = ["eu", ""]
    var subscribe = Configuration.Subscribe(connect: [try .init("tcp://h:2")])
    subscribe.topics = ["eu", "us"]
    subscribe.topicsPerStream = 2
    subscribe.topicsLimit = 9
    subscribe.eventLimit = 1 << 10
    subscribe.history.events = 1
    subscribe.history.bytes = 1_000_000
    subscribe.history.age = .seconds(1)
    subscribe.linger = .zero
    subscribe.slow = .conflate
    subscribe.maxAge = .seconds(7_200)
    subscribe.heartbeat = .seconds(5)
    subscribe.retry = .seconds(1)
    expected.services = [
      .init(
        "math", .rpc(math), methods: .init(expose: ["a*", "b"], hide: ["admin.*"], safe: ["get*"]), json: json),
      .init("jobs", .pipeline(.init(connect: [try .init("ipc:///run/jobs")]))),
      .init("news", .pubsub(.init(publish: publish, subscribe: subscribe))),
    ]
    let loaded = try Configuration.load(yaml: yaml, file: "f")
    #expect(loaded == expected)
  }

  @Test("shows exceptions in full only while no other machine can call, unless told")
  func exposure() throws {
    func shown(_ listen: String, _ errors: String = "{}", _ ofService: String = "{}") throws -> Configuration.Exposure {
      let yaml = """
        http: { listen: [\(listen)] }
        auth: none
        errors: \(errors)
        services: { s: { pattern: rpc, connect: ["tcp://h:1"], errors: \(ofService) } }
        """
      let configuration = try Configuration.load(yaml: yaml, file: "f")
      guard case .rpc(let rpc) = configuration.services[0].pattern else { return .none }
      return configuration.exposure(rpc.errors)
    }
    let (near, far) = (#""127.0.0.1:1","[::1]:2""#, #""127.0.0.1:1","0.0.0.0:2""#)
    #expect(try shown(near) == .full)
    #expect(try shown(far) == .auto)
    #expect(try shown(far, "{ expose: full }") == .full)
    #expect(try shown(far, "{ expose: full }", "{ expose: auto }") == .auto)
    #expect(try shown(near, "{ expose: none }", "{ expose: auto }") == .full)
    #expect(try shown(near, "{ expose: class }") == .class)
  }

  @Test("lists names of hosts in small letters and without the dot at their end")
  func hosts() throws {
    let long = String(repeating: "a.", count: 126) + "a"
    let yaml = "http: { hosts: [API.Example., localhost, a_b, \(long)] }\nservices: {}"
    #expect(try Configuration.load(yaml: yaml, file: "f").http.hosts == ["api.example", "localhost", "a_b", long])
    #expect(try Configuration.load(yaml: "http: { hosts: a }\nservices: {}", file: "f").http.hosts == ["a"])
    for text in ["", ".", "a..b", ".a", "a:80", "[::1]", "a/b", "*.example", "ä.example", "a b", "a~b", long + "a.b"] {
      #expect(throws: InvalidText.self, "\(text)") { try Configuration.HTTP.host(text) }
    }
  }

  @Test("notes that any host is served, where other machines reach it and none is listed")
  func notes() throws {
    func notes(_ http: String) throws -> [String] {
      try Configuration.load(yaml: "http: { \(http) }\nauth: none\nservices: {}", file: "f").notes
        .filter { !$0.hasPrefix("services: none") }
    }
    #expect(try notes(#"listen: ["127.0.0.1:1", "[::1]:1"]"#) == [])
    #expect(try notes(#"listen: ["127.0.0.1:1", "0.0.0.0:2"], hosts: [a.example]"#) == [])
    #expect(
      try notes(#"listen: ["127.0.0.1:1", "0.0.0.0:2"]"#) == [
        "http.hosts: not set, so requests to 0.0.0.0:2 may be for any host; list the names that clients use"
      ])
  }

  @Test("notes what has no effect")
  func withoutEffect() throws {
    func notes(_ lines: String..., connect: String = "tcp://127.0.0.1:1") throws -> [String] {
      let yaml =
        "services:\n  a:\n    pattern: rpc\n    connect: [\"\(connect)\"]\n" + lines.map { "    \($0)\n" }.joined()
      return try Configuration.load(yaml: yaml, file: "f").notes
    }
    #expect(
      try Configuration.load(yaml: "services: {}", file: "f").notes == ["services: none, so there is nothing to call"])
    #expect(try notes() == [])
    #expect(
      try notes("methods: { safe: [get, 'list*'], hide: [get] }") == [
        #"services.a.methods.safe: "get" is hidden as well, and hidden ones are never called"#
      ])
    let globs = "safe: [a.b, 'a.b*', 'a.?', 'a.*', 'b*', ab], hide: ['a.b*', 'a.?', 'c*']"
    #expect(
      try notes("methods: { \(globs) }").map { $0.split(separator: "\"")[1] } == ["a.b", "a.b*", "a.?"])
    let settings =
      "settings: { add: { keep: 1s }, list: { keep: 1s }, 'get*': { coalesce: true }, set: { coalesce: false } }"
    #expect(
      try notes("methods: { safe: ['list*'], \(settings) }") == [
        "services.a.methods.settings.add: results are shared among GETs, and \"add\" is not safe, so there are none; list it under safe"
      ])
    #expect(try notes("methods: { \(settings) }").count == 3)
    #expect(
      try notes(
        "methods: { expose: [get, 'list*'], safe: [gte, list_all], settings: { other: { cost: 1 }, 'x*': { timeout: 1s } } }"
      )
      .filter { $0.contains("exposed") } == [
        "services.a.methods.safe: \"gte\" is not exposed, so nobody calls it; did you mean \"get\"?",
        "services.a.methods.settings: \"other\" is not exposed, so nobody calls it",
      ])
    for (hide, count) in [("[get, 'l*']", 1), ("['*']", 1), ("[get]", 0)] {
      let found = try notes("methods: { expose: [get, list], hide: \(hide) }")
      #expect(found.count == count && found.allSatisfy { $0.contains("hides all that is exposed") }, "\(found)")
    }
    let safe = "methods: { safe: [get] }"
    #expect(
      try notes(safe, "hedge: true") == [
        "services.a.hedge: a second copy goes to another endpoint, and there is only one"
      ])
    #expect(try notes(safe, "hedge: true", connect: "tcp://workers:1") == [])
    #expect(
      try notes(safe, "retries: { budget: 0%, burst: 7 }") == [
        "services.a.retries.budget: 0% allows no more than the first 7 calls to be sent twice"
      ])
  }

  @Test("takes variables of the environment for any single value")
  func inFile() throws {
    let yaml = """
      http: { listen: "${HOST:-localhost}:${PORT}", threads: "${THREADS}" }
      grace: ${GRACE}
      services: { a: { pattern: "${PATTERN}", connect: ["tcp://${HOST:-h}:1"] } }
      """
    let environment = ["PORT": "81", "THREADS": "3", "GRACE": "3s", "PATTERN": "rpc"]
    let configuration = try Configuration.load(yaml: yaml, file: "f", environment: environment)
    #expect(configuration.http.listen.map(\.description) == ["localhost:81"])
    #expect(configuration.http.threads == 3)
    #expect(configuration.grace == .seconds(3))
  }

  @Test("loads the file of the benchmarks")
  func bench() throws {
    let yaml = """
      http:
        listen: ["127.0.0.1:18080"]
        threads: 1
        limits: { connections: 19000, connections-per-address: 19000 }
      services:
        bench:
          pattern: rpc
          connect: ["tcp://127.0.0.1:15999"]
          timeout: 5s
          in-flight: 10000
        news:
          pattern: pubsub
          subscribe: { connect: ["tcp://127.0.0.1:15998"], topics: [""], history: { events: 1000, bytes: 8MiB, age: 10m } }
      """
    let configuration = try Configuration.load(yaml: yaml, file: "f")
    #expect(configuration.services.map(\.name) == ["bench", "news"])
    #expect(configuration.http.listen == [.loopback(port: 18_080)])
  }

}
