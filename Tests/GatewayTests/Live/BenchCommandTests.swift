import Support
import Testing

/// `zmq-gateway bench`, at a demonstration. What it measures is not judged here.
@Suite("The load", .inTurn(minutes: 3), .enabled(if: Program.isThere, "no program is built beside the tests"))
struct BenchCommandTests {
  private static func run(_ arguments: [String]) async throws -> (output: String, code: Int32) {
    try await Program.run(["bench"] + arguments)
  }

  @Test("calls in a closed loop and at a rate, and tells of failures by their status")
  func calls() async throws {
    try await Program.demo { url in
      let closed = try await Self.run(
        ["call", "calc/add", "[2,3]", "--connections", "4", "--seconds", "0.3", "--http", url])
      #expect(closed.code == 0, "\(closed.output)")
      let lines = closed.output.split(separator: "\n")
      #expect(try lines[0].wholeMatch(of: Regex("[0-9]+ calls in [0-9.]+ s, [0-9.]+ a second, 0 failed")) != nil)
      #expect(!lines[0].hasPrefix("0 "))
      #expect(lines[1].hasPrefix("mean ") && lines[1].contains("p99.9 ") && lines[1].contains("max "))
      #expect(lines.count > 2)
      let open = try await Self.run(
        ["call", "calc/add", "[2,3]", "--rate", "100", "--connections", "2", "--seconds", "0.5", "--http", url])
      // The last interval counts as well.
      let line = try #require(open.output.firstMatch(of: /^50 calls in ([0-9.]+) s, ([0-9.]+) a second, 0 failed/))
      let (seconds, rate) = (try #require(Double(line.1)), try #require(Double(line.2)))
      #expect(seconds >= 0.5 && abs(seconds * rate - 50) < 5, "\(open.output)")
      let failed = try await Self.run(
        ["call", "calc/fail", "--rate", "20", "--connections", "1", "--seconds", "0.5", "--http", url])
      #expect(failed.output.hasPrefix("0 calls in ") && failed.output.contains("\n  400: 10\n"), "\(failed.output)")
      #expect(failed.code == 1)
    }
  }

  @Test("ends in its time where nobody answers: what is under way then has two seconds", arguments: [false, true])
  func silence(isStraight: Bool) async throws {
    try await Rig.with { rig in
      let file = try rig.directory.file(
        "mock.yaml",
        "services: { a: { pattern: rpc, bind: \"\(rig.directory.endpoint("a"))\", methods: { m: { silent: true } } } }")
      let mock = try Program.start("mock", file)
      rig.cleanup.add { await mock.destroy() }
      _ = try await mock.line()
      let gateway = try await rig.gateway(
        "s: { pattern: rpc, connect: [\"\(rig.directory.endpoint("a"))\"], timeout: 60s, max-timeout: 60s }", threads: 1
      )
      try await eventually("the mock") { try await gateway.http.get("/ready").status == 200 }
      let peer =
        isStraight
        ? ["m", "--zmq", rig.directory.endpoint("a")] : ["s/m", "--http", "http://127.0.0.1:\(gateway.http.port)"]
      let (output, code) = try await Self.run(["call", "--seconds", "0.5", "--connections", "2"] + peer)
      let time = try #require(output.firstMatch(of: /calls in ([0-9.]+) s/)?.1)
      #expect(output.hasPrefix("0 calls in ") && (Double(time) ?? 60) < 10, "\(output)")
      #expect(output.contains(isStraight ? "timeout: 2" : "no answer: 2"), "\(output)")
      #expect(code == 69)
    }
  }

  @Test("calls a service without a gateway")
  func service() async throws {
    try await Rig.with { rig in
      let file = try rig.directory.file(
        "mock.yaml", "services: { a: { pattern: rpc, bind: \"\(rig.directory.endpoint("a"))\" } }")
      let mock = try Program.start("mock", file)
      rig.cleanup.add { await mock.destroy() }
      _ = try await mock.line()
      let called = try await Self.run(
        ["call", "--zmq", rig.directory.endpoint("a"), "m", "--rate", "40", "--seconds", "0.5"])
      #expect(called.output.hasPrefix("20 calls in "), "\(called.output)")
      #expect(called.code == 0)
    }
  }

  @Test("counts each event at each stream")
  func streams() async throws {
    try await Program.demo { url in
      let fan = try await Self.run(
        ["sub", "news", "--streams", "10", "--rate", "20", "--seconds", "0.5", "--http", url])
      #expect(fan.output.hasPrefix("10 events to 10 streams\n100 deliveries in "), "\(fan.output)")
      #expect(fan.code == 0)
      let unknown = try await Self.run(["sub", "olds", "--streams", "2", "--http", url])
      #expect(
        unknown.output.contains("stream 1 of 2 was refused: 404 no-such-service: There is no service \"olds\" here"),
        "\(unknown.output)")
      #expect(unknown.code == 69)
    }
  }

  @Test(
    "says what is wrong with its words, and when nobody is there",
    arguments: [
      (["call", "calc/add", "--connections", "0"], 64, "--connections: 1 to 1000"),
      (["call", "calc/add", "--rate", "0"], 64, "--rate: above 0"),
      (["call", "calc/add", "--seconds", "0"], 64, "--seconds: above 0"),
      (["call", "add"], 64, "a gateway is asked for service/method"),
      (["sub", "news", "--zmq", "tcp://127.0.0.1:1"], 64, "Unknown option '--zmq'"),
      (["call", "calc/add", "[2,"], 64, "the arguments: "), (["call", "calc/add", "5"], 64, "the arguments: "),
      (["sub", "news", "--streams", "0"], 64, "--streams: 1 to 10000"),
      (["call", "calc/add", "--seconds", "0.2", "--http", "127.0.0.1:1"], 69, "no connection: "),
      (["sub", "news", "--http", "127.0.0.1:1"], 69, "stream 1 of 100 was refused: nobody answers"),
    ] as [([String], Int32, String)])
  func faults(arguments: [String], code: Int32, text: String) async throws {
    let (output, ended) = try await Self.run(arguments)
    #expect(output.contains(text), "\(output)")
    #expect(ended == code)
  }
}
