import ConfigurationReader
import Support
import Testing

@testable import Gateway

@Suite("What is shared, kept and watched", .inTurn(minutes: 3))
struct SharingConfigurationTests {
  private func service(_ lines: String...) throws -> Configuration.Service {
    let text = (["services:", "  a:", "    pattern: rpc", "    connect: tcp://h:1"] + lines.map { "    " + $0 })
    return try Configuration.load(yaml: text.joined(separator: "\n"), file: "f").services[0]
  }

  private func rpcPart(_ service: Configuration.Service) -> Configuration.RPC? {
    if case .rpc(let rpc) = service.pattern { rpc } else { nil }
  }

  @Test("has the documented defaults")
  func defaults() throws {
    let rpc = try #require(rpcPart(try service()))
    #expect([rpc.keepResults, rpc.keepBytes, rpc.watch.calls] == [1_000, 8 << 20, 100])
    #expect([rpc.watch.interval, rpc.watch.heartbeat, rpc.watch.retry] == [.seconds(1), .seconds(15), .seconds(3)])
  }

  @Test("is read from the file")
  func everything() throws {
    let service = try service(
      "keep-results: 5", "keep-bytes: 1KiB", "watch: { calls: 2, interval: 10ms, heartbeat: 1s, retry: 1ms }",
      "methods: { settings: { a: { coalesce: true }, b: { keep: 1.5s } } }")
    let rpc = try #require(rpcPart(service))
    #expect([rpc.keepResults, rpc.keepBytes, rpc.watch.calls] == [5, 1_024, 2])
    #expect(
      [rpc.watch.interval, rpc.watch.heartbeat, rpc.watch.retry] == [.milliseconds(10), .seconds(1), .milliseconds(1)])
    #expect(service.methods.settings["a"]?.coalesce == true)
    #expect(service.methods.settings["b"]?.keep == .milliseconds(1_500))
  }

  @Test(
    "is told what is wrong, with its place",
    arguments: [
      ("watch: { call: 1 }", "5:14: services.math.watch.call: unknown key; did you mean \"calls\"?"),
      ("watch: { interval: 9ms }", "5:24: services.math.watch.interval: must be between 10ms and 1h"),
      ("watch: { heartbeat: 999ms }", "5:25: services.math.watch.heartbeat: must be between 1s and 1h"),
      ("keep-results: -1", "5:19: services.math.keep-results: must be between 0 and 1000000"),
      (
        "keep-bytes: 65MiB",
        "5:5: services.math.keep-bytes: contradiction: 68157440 bytes would never have room, as http.limits.memory is 134217728; it may be at most half of that, 67108864"
      ),
      (
        "methods: { settings: { a: { keep: 0s } } }",
        "5:39: services.math.methods.settings.a.keep: must be between 1ms and 24h"
      ),
      (
        "methods: { settings: { a: { keep: 1s, coalesce: false } } }",
        "5:43: services.math.methods.settings.a.coalesce: contradiction: while a result is kept, requests share it"
      ),
    ])
  func faults(line: String, expected: String) {
    #expect(complaints(rpc(line)) == [expected])
  }
}
