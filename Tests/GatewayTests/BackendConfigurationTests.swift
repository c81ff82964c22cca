import Support
import Testing
import ZeroMQ
import ZeroMQRPC

@testable import Gateway

/// How a service's backends are called: what stands in its section beside the timeouts.
@Suite("The configuration of backends", .inTurn(minutes: 3))
struct BackendConfigurationTests {
  private func read(_ lines: String...) throws -> Configuration.RPC {
    let yaml = (["services:", "  math:", "    pattern: rpc"] + lines.map { "    " + $0 }).joined(separator: "\n")
    guard case .rpc(let rpc) = try Configuration.load(yaml: yaml, file: "f").services[0].pattern else {
      throw NotRPC()
    }
    return rpc
  }

  private struct NotRPC: Error {}

  @Test("says how many calls wait; without a word, as many as are in flight")
  func queue() throws {
    #expect(try read("connect: tcp://h:1").queue == nil)
    #expect(try read("connect: tcp://h:1", "queue: 0").queue == 0)
    #expect(try read("connect: tcp://h:1", "queue: 1000").queue == 1_000)
    #expect(
      complaints(rpc("queue: 1001")) == [
        "5:5: services.math.queue: contradiction: calls that wait are in flight as well, and in-flight is 1000; raise it, or lower"
          + " queue"
      ])
    #expect(complaints(rpc("in-flight: 2000", "queue: 1001")) == [])
    #expect(complaints(rpc("queue: -1")) == ["5:12: services.math.queue: must be between 0 and 1000000"])
  }

  @Test("takes weights among plain endpoints")
  func weights() throws {
    let read = try read(#"connect: ["tcp://a:1", { endpoint: "tcp://b:1", weight: 3 }, { endpoint: "tcp://c:1" }]"#)
    #expect(read.connect == [try Endpoint("tcp://a:1"), try Endpoint("tcp://b:1"), try Endpoint("tcp://c:1")])
    #expect(read.weights == [try Endpoint("tcp://b:1"): 3])
  }

  @Test(
    "tells what is wrong with a weight",
    arguments: [
      (
        #"[{ endpoint: "tcp://b:1", weight: 0 }, { endpoint: "tcp://c:1", weight: 1001 }]"#,
        [
          "1:75: services.a.connect[0].weight: must be between 1 and 1000",
          "1:113: services.a.connect[1].weight: must be between 1 and 1000",
        ]
      ),
      (
        #"[{ endpoint: "tcp://b:1", wieght: 2 }]"#,
        [#"1:67: services.a.connect[0].wieght: unknown key; did you mean "weight"?"#]
      ),
      (
        "[{ weight: 2 }]",
        ["1:32: services.a.connect[0]: has no endpoint, such as tcp://127.0.0.1:5555"]
      ),
      (
        #"["tcp://b:1", { endpoint: "tcp://b:1" }]"#,
        ["1:67: services.a.connect[1].endpoint: tcp://b:1 is listed twice"]
      ),
    ] as [(String, [String])])
  func faults(connect: String, expected: [String]) {
    #expect(complaints("services: { a: { pattern: rpc, connect: \(connect) } }") == expected)
  }

  @Test("opens a breaker after five failures for ten seconds, unless told")
  func breaker() throws {
    #expect(try read("connect: tcp://h:1").breaker == BreakerOptions())
    #expect(BreakerOptions().failures == 5)
    #expect(BreakerOptions().open == .seconds(10))
    let read = try read("connect: tcp://h:1", "breaker: { failures: 2, open: 500ms }").breaker
    #expect(read.failures == 2)
    #expect(read.open == .milliseconds(500))
    #expect(try self.read("connect: tcp://h:1", "breaker: off").breaker.failures == nil)
    #expect(
      complaints(rpc("breaker: on")) == [
        "5:14: services.math.breaker: expected off, or what opens it, such as { failures: 5, open: 10s }"
      ])
    #expect(
      complaints(rpc("breaker: { failures: 0, opne: 1s, open: 99ms }")) == [
        "5:26: services.math.breaker.failures: must be between 1 and 1000",
        "5:29: services.math.breaker.opne: unknown key; did you mean \"open\"?",
        "5:45: services.math.breaker.open: must be between 100ms and 1h",
      ])
  }

  @Test("has names of hosts looked up every thirty seconds, unless told")
  func resolve() throws {
    #expect(try read("connect: tcp://h:1").resolve == .seconds(30))
    #expect(try read("connect: tcp://h:1", "resolve: 5s").resolve == .seconds(5))
    #expect(complaints(rpc("resolve: 999ms")) == ["5:14: services.math.resolve: must be between 1s and 1h"])
  }

  @Test("sends nothing twice, unless told")
  func repeats() throws {
    let safe = "methods: { safe: [get] }"
    let none = try read("connect: tcp://h:1")
    #expect(none.retries == RetryOptions())
    #expect(none.retries.attempts == 0)
    #expect(none.hedge == .never)
    let short = try read("connect: tcp://h:1", safe, "retries: {}", "hedge: true")
    #expect(short.retries.attempts == 1)
    #expect(short.retries.percent == 10)
    #expect(short.retries.burst == 100)
    #expect(short.hedge == .percentile95)
    let long = try read(
      "connect: tcp://h:1", safe, "retries: { attempts: 3, budget: 25%, burst: 7 }", "hedge: { after: 50ms }")
    #expect((long.retries.attempts, long.retries.percent, long.retries.burst) == (3, 25, 7))
    #expect(long.hedge == .after(.milliseconds(50)))
    #expect(try read("connect: tcp://h:1", safe, "hedge: { after: p95 }").hedge == .percentile95)
    #expect(try read("connect: tcp://h:1", "hedge: false").hedge == .never)
  }

  @Test(
    "tells what is wrong with what is sent twice",
    arguments: [
      ("retries: { budget: 10 }", ["6:24: services.math.retries.budget: expected a share such as 10%, not \"10\""]),
      ("retries: { budget: 101% }", ["6:24: services.math.retries.budget: must be between 0% and 100%"]),
      ("retries: { attempts: 11 }", ["6:26: services.math.retries.attempts: must be between 0 and 10"]),
      (
        "hedge: 5s",
        [
          "6:12: services.math.hedge: expected true, false, or when a second copy is sent, such as { after: p95 } or"
            + " { after: 50ms }"
        ]
      ),
      (
        "hedge: { after: p99 }",
        ["6:21: services.math.hedge.after: expected a duration such as 500ms, 5s, 2m or 1h, not \"p99\""]
      ),
    ] as [(String, [String])])
  func repeatFaults(line: String, expected: [String]) {
    #expect(complaints(rpc("methods: { safe: [get] }", line)) == expected)
  }

  @Test("sends nothing twice where no method is safe", arguments: ["retries: {}", "hedge: true"])
  func unsafe(line: String) {
    let key = line.prefix { $0 != ":" }
    #expect(
      complaints(rpc(line)) == [
        "5:5: services.math.\(key): does nothing: only methods that are declared safe are sent twice; list them in methods.safe"
      ])
  }

  @Test("has no weights in other patterns")
  func otherPatterns() {
    #expect(
      complaints(#"services: { a: { pattern: pipeline, connect: [{ endpoint: "tcp://b:1", weight: 2 }], queue: 1 } }"#)
        == [
          "1:47: services.a.connect[0]: expected an endpoint, not a mapping",
          "1:86: services.a.queue: does not apply to a pipeline, which answers nothing",
        ])
  }
}
