import Testing
import ZeroMQ

@testable import Gateway

/// How a service's backends are called: what stands in its section beside the timeouts.
@Suite("The configuration of backends", .timeLimit(.minutes(1)))
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
