import Testing
import ZeroMQ

@testable import Gateway

/// Where peers connect to the gateway, and not the other way round.
@Suite("The configuration of bind", .timeLimit(.minutes(1)))
struct BindConfigurationTests {
  @Test("takes endpoints for each pattern, open hosts and ports too")
  func endpoints() throws {
    let services = try Configuration.load(
      yaml: """
        services:
          math: { pattern: rpc, bind: ["tcp://127.0.0.1:6000", "ipc:///run/x"] }
          jobs: { pattern: pipeline, bind: "tcp://*:6000" }
          news: { pattern: pubsub, publish: { bind: "tcp://127.0.0.1:*" }, subscribe: { bind: "tcp://127.0.0.1:0" } }
        """, file: "f"
    ).services
    guard case .rpc(let math) = services[0].pattern, case .pipeline(let jobs) = services[1].pattern,
      case .pubsub(let news) = services[2].pattern
    else { throw NotThose() }
    #expect(math.bind == [try Endpoint("tcp://127.0.0.1:6000"), try Endpoint("ipc:///run/x")])
    #expect(math.connect == [])
    #expect(jobs.bind == [try Endpoint("tcp://*:6000")])
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
