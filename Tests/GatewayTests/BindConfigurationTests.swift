import Support
import Testing
import ZeroMQ

@testable import Gateway

/// Where peers connect to the gateway, and not the other way round.
@Suite("The configuration of bind", .inTurn(minutes: 3))
struct BindConfigurationTests {
  @Test("takes endpoints for each pattern, open hosts and ports too")
  func endpoints() throws {
    let services = try Configuration.load(
      yaml: """
        services:
          math: { pattern: rpc, bind: ["tcp://127.0.0.1:6000", "ipc:///run/x"] }
          jobs: { pattern: pipeline, bind: "tcp://*:6001" }
          news: { pattern: pubsub, publish: { bind: "tcp://127.0.0.1:*" }, subscribe: { bind: "tcp://127.0.0.1:0" } }
        """, file: "f"
    ).services
    guard case .rpc(let math) = services[0].pattern, case .pipeline(let jobs) = services[1].pattern,
      case .pubsub(let news) = services[2].pattern
    else { throw NotThose() }
    #expect(math.bind == [try Endpoint("tcp://127.0.0.1:6000"), try Endpoint("ipc:///run/x")])
    #expect(math.connect == [])
    #expect(jobs.bind == [try Endpoint("tcp://*:6001")])
    #expect(news.publish?.bind == [try Endpoint("tcp://127.0.0.1:*")])
    #expect(news.subscribe?.bind == [try Endpoint("tcp://127.0.0.1:0")])
    #expect(services.map(\.isBound) == [true, true, true])
  }

  private struct NotThose: Error {}

  @Test(
    "tells what is wrong, and what makes no sense with it",
    arguments: [
      ("bind: []", ["1:32: services.a.bind: needs at least one endpoint"]),
      (
        #"bind: ["tcp://h:1", "tcp://h:1"]"#, ["1:52: services.a.bind[1]: tcp://h:1 is listed twice"]
      ),
      (
        "bind: inproc://x",
        ["1:38: services.a.bind: inproc:// ends where this process ends; use tcp or ipc to reach another"]
      ),
      ("bind: ipc://x", ["1:38: services.a.bind: ipc:// needs an absolute path: ipc:///run/x"]),
      (
        #"bind: [{ endpoint: "tcp://h:1", weight: 2 }]"#,
        [
          "1:39: services.a.bind[0]: does not apply to bind: libzmq deals out to those that connect in turn, without weights"
        ]
      ),
      (
        "bind: tcp://h:1, resolve: 1s",
        [
          "1:49: services.a.resolve: does not apply to bind: backends connect by themselves, and no host is looked up"
        ]
      ),
      (
        "bind: tcp://h:1, breaker: off",
        [
          "1:49: services.a.breaker: does not apply to bind: backends that connect share one socket, so none of them can be left alone"
        ]
      ),
      (
        "bind: tcp://h:1, retries: {}",
        [
          "1:49: services.a.retries: does not apply to bind: which calls a lost backend had is not known, unless it was the last one"
        ]
      ),
      (
        "bind: tcp://h:1, hedge: true",
        [
          "1:49: services.a.hedge: does not apply to bind: a second copy of a call might go to the backend that has the first"
        ]
      ),
      ("bind: tcp://h:1, timeout: 1s, queue: 0, in-flight: 5", []),
    ] as [(String, [String])])
  func faults(text: String, expected: [String]) {
    #expect(complaints("services: { a: { pattern: rpc, \(text) } }") == expected)
  }

  @Test("is one of the two for each direction of pubsub")
  func pubsub() {
    #expect(
      complaints("services: { a: { pattern: pubsub, publish: { bind: tcp://h:1, connect: tcp://h:2 } } }") == [
        "1:46: services.a.publish.bind: contradicts connect: a service does one or the other"
      ])
    #expect(
      complaints("services: { a: { pattern: pubsub, bind: tcp://h:1, publish: { bind: tcp://h:1 } } }") == [
        "1:35: services.a.bind: goes under publish or subscribe in pattern pubsub"
      ])
  }

  @Test(
    "cannot be where another service is bound, or HTTP is served",
    arguments: [
      ("tcp://127.0.0.1:5", "tcp://127.0.0.1:5", true), ("tcp://*:5", "tcp://127.0.0.1:5", true),
      ("tcp://127.0.0.1:5", "tcp://*:5", true), ("tcp://[::]:5", "tcp://10.0.0.1:5", true),
      ("tcp://0.0.0.0:5", "tcp://10.0.0.1:5", true), ("tcp://0.0.0.0:5", "tcp://[::1]:5", false),
      ("tcp://*:5", "tcp://[::1]:5", true), ("tcp://[::1]:5", "tcp://[0:0::1]:5", true),
      ("tcp://127.0.0.1:5", "tcp://127.0.0.2:5", false), ("tcp://*:5", "tcp://*:6", false),
      ("tcp://*:*", "tcp://*:*", false), ("tcp://*:0", "tcp://127.0.0.1:0", false),
      ("ipc:///run/a", "ipc:///run/a", true), ("ipc:///run/a", "ipc:///run/b", false),
      ("tcp://127.0.0.1:8080", "tcp://*:1", true), ("tcp://*:8080", "tcp://*:1", true),
      ("tcp://127.0.0.1:8081", "tcp://*:8082", true), ("tcp://[::1]:8081", "tcp://*:1", false),
      ("tcp://[::2]:8082", "tcp://*:1", true), ("tcp://10.0.0.1:8082", "tcp://*:1", false),
      ("tcp://127.0.0.1:8083", "tcp://*:1", true),
    ] as [(String, String, Bool)])
  func contradictions(first: String, second: String, isOne: Bool) {
    let http = #"http: { listen: ["127.0.0.1:8080", "0.0.0.0:8081", "[::]:8082", "localhost:8083"] }"#
    for other in [
      "b: { pattern: pipeline, bind: \"\(second)\" }", "b: { pattern: pubsub, publish: { bind: \"\(second)\" } }",
      "b: { pattern: pubsub, subscribe: { bind: \"\(second)\" } }",
    ] {
      let found = complaints(
        "\(http)\nauth: none\nservices:\n  a: { pattern: rpc, bind: \"\(first)\" }\n  \(other)")
      #expect(found.isEmpty != isOne, "\(found)")
      #expect(found.allSatisfy { $0.contains("contradiction: ") && $0.contains("cannot be bound beside") })
    }
  }

  @Test("a contradiction is told where it stands, and names the other")
  func place() {
    #expect(
      complaints(
        "services:\n  a: { pattern: rpc, bind: tcp://*:5 }\n  b:\n    pattern: rpc\n    bind: tcp://127.0.0.1:5") == [
          "5:5: services.b.bind: contradiction: tcp://127.0.0.1:5 cannot be bound beside tcp://*:5 of service \"a\"; give one of the two"
            + " another port"
        ])
    #expect(
      complaints(#"services: { a: { pattern: rpc, bind: ["tcp://127.0.0.1:8080"] } }"#) == [
        "1:32: services.a.bind: contradiction: tcp://127.0.0.1:8080 cannot be bound beside http.listen, which has 127.0.0.1:8080;"
          + " give one of the two another port"
      ])
  }

  @Test("is noted where other machines reach it")
  func notes() throws {
    let notes = try Configuration.load(
      yaml: """
        services:
          math: { pattern: rpc, bind: ["tcp://127.0.0.1:6000", "ipc:///run/x", "tcp://[::1]:1", "tcp://10.0.0.2:1"] }
          news: { pattern: pubsub, publish: { bind: "tcp://localhost:1" }, subscribe: { bind: "tcp://*:6003" } }
        """, file: "f"
    ).notes
    #expect(
      notes == [
        "services.math.bind: whoever reaches tcp://10.0.0.2:1 is a peer of this service; bind where only your own machines come",
        "services.news.subscribe.bind: whoever reaches tcp://*:6003 is a peer of this service; bind where only your own machines"
          + " come",
      ])
  }
}
