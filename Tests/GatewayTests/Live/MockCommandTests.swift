import Foundation
import Support
import Testing

/// `zmq-gateway mock`, called by the commands of a client.
@Suite("The mock", .inTurn(minutes: 3), .enabled(if: Program.isThere, "no program is built beside the tests"))
struct MockCommandTests {
  private static func run(_ arguments: [String]) async throws -> (output: String, code: Int32) {
    let process = try Subprocess(try #require(Program.path), arguments, complaints: .withOutput)
    process.closeInput()
    let output = try await process.rest()
    return (output, try await process.ended())
  }

  /// Starts one, and waits until all its services are there.
  private static func with(
    _ yaml: String, services: Int, _ body: (_ mock: Subprocess, TemporaryDirectory) async throws -> Void
  ) async throws {
    let directory = try TemporaryDirectory()
    let yaml = yaml.replacing(/AT\/([a-z]+)/) { directory.endpoint(String($0.1)) }
    try await Cleanup.with { cleanup in
      let mock = try Program.start("mock", try directory.file("mock.yaml", yaml))
      cleanup.add { await mock.destroy() }
      for _ in 0..<services {
        let line = try #require(try await mock.line())
        #expect(line.contains(" at ipc://"), "\(line)")
      }
      try await body(mock, directory)
    }
  }

  @Test("answers with results and exceptions, in turn, late, or not at all, and prints each call")
  func calls() async throws {
    let yaml = """
      services:
        math:
          pattern: rpc
          bind: "AT/math"
          methods:
            add: { result: 5 }
            inner.all: { delay: 50ms, result: { a: [1, 2.5, true, null, "7"] } }
            price: [{ result: 0.25 }, { error: builtins.KeyError, args: [fig] }]
            lost: { silent: true }
            bytes: { result: [{ $bin: AAEC }, { $ext: [10, "MC4yNQ=="] }, { "$bin": AAEC, and: 1 }] }
            "*": {}
      """
    try await Self.with(yaml, services: 1) { mock, directory in
      func call(_ method: String, _ arguments: String = "") async throws -> (output: String, code: Int32) {
        try await Self.run(["call", "--zmq", directory.endpoint("math"), "--timeout", "50", method, arguments])
      }
      #expect(try await call("add", #"{"args":[2],"kwargs":{"b":3}}"#).output == "5\n")
      #expect(
        try await mock.line() == #"{"service":"math","method":"add","args":[2],"kwargs":{"b":3}}"#)
      #expect(try await call("inner.all").output == "{\"a\":[1,2.5,true,null,\"7\"]}\n")
      #expect(
        try await call("bytes").output
          == "[{\"$bin\":\"AAEC\"},{\"$ext\":[10,\"MC4yNQ==\"]},{\"$bin\":\"AAEC\",\"and\":1}]\n")
      for _ in 0..<2 {
        #expect(try await call("price").output == "0.25\n")
        let raised = try await call("price")
        #expect(raised.output.hasPrefix("builtins.KeyError: "), "\(raised.output)")
        #expect(raised.code == 1)
      }
      #expect(try await call("whatever", "[1]").output == "null\n")
      let silent = try await Self.run(["call", "--zmq", directory.endpoint("math"), "--timeout", "0.3", "lost"])
      #expect(
        silent.output.hasSuffix(": timeout: no reply came in its time; the call may have run\n"), "\(silent.output)")
      #expect(silent.code == 1)
      mock.signal(SIGINT)
      #expect(try await mock.ended() == 0)
    }
  }

  @Test("takes what is pushed and published to it, and publishes")
  func oneWay() async throws {
    let yaml = """
      services:
        jobs: { pattern: pipeline, bind: "AT/jobs" }
        news:
          pattern: pubsub
          subscribe: { bind: "AT/in" }
          publish: { bind: "AT/out", events: [{ topic: chat, method: say, args: [hello], kwargs: { to: all }, every: 20ms }] }
      """
    try await Self.with(yaml, services: 3) { mock, directory in
      let pushed = try await Self.run(["push", "--zmq", directory.endpoint("jobs"), "resize", #"["a.png"]"#])
      #expect(pushed.code == 0)
      #expect(try await mock.line() == #"{"service":"jobs","method":"resize","args":["a.png"],"kwargs":{}}"#)
      // What a program leaves to libzmq at its end may be lost.
      let publishing = Task {
        while !Task.isCancelled {
          _ = try await Self.run(["pub", "--zmq", directory.endpoint("in"), "chat/say", "[1]"])
        }
      }
      defer { publishing.cancel() }
      #expect(try await mock.line() == #"{"service":"news","topic":"chat","method":"say","args":[1],"kwargs":{}}"#)
      let heard = try await Self.run(["sub", "--zmq", directory.endpoint("out"), "--count", "2"])
      let event = #"{"topic":"chat","method":"say","args":["hello"],"kwargs":{"to":"all"}}"#
      #expect(heard.output == "\(event)\n\(event)\n")
    }
  }

  @Test("tells what is wrong with its file, each with its line, and where it cannot be")
  func faults() async throws {
    let directory = try TemporaryDirectory()
    let file = try directory.file(
      "mock.yaml",
      """
      services:
        a: { pattern: rpc, bind: "tpc://x", methods: { m: { result: 1, silent: true }, n: { args: [] }, o: { dely: 1s } } }
        b: { pattern: rps }
        c: { pattern: pubsub }
        d: { pattern: pipeline }
        e: { pattern: rpc, bind: [], extra: 1 }
        f: { pattern: rpc, bind: "ipc:///tmp/f", methods: { "a b": {}, m: [], n: { result: { $bin: "?" } }, o: { result: { $ext: 5 } }, p: { result: { $date: x } } } }
        g: { pattern: pubsub, publish: { bind: "ipc:///tmp/g", events: [{ method: say, kwargs: [1], evry: 1s }] } }
      other: 1
      """)
    let (output, code) = try await Self.run(["mock", file])
    #expect(code == 78)
    for text in [
      ":2:28: services.a.bind: ", "services.a.methods.m: is one of result, error and silent",
      "services.a.methods.n.args: goes with error", "services.a.methods.o.dely: unknown key; did you mean \"delay\"?",
      ":3:17: services.b.pattern: \"rps\" is none of rpc, pipeline, pubsub; did you mean \"rpc\"?",
      "services.c: has neither publish", "services.d: has no bind",
      "services.e.bind: needs at least one endpoint", "services.e.extra: unknown key",
      "services.f.methods.a b: \"a b\" is no name of a method", "services.f.methods.m: needs at least one answer",
      "services.f.methods.n.result: \"?\" is no base64", "services.f.methods.o.result: \"$ext\" is written ",
      "services.f.methods.p.result: \"$date\" is none of $bin and $ext",
      "services.g.publish.events[0].kwargs: expected a mapping", "evry: unknown key; did you mean \"every\"?",
      "other: unknown key",
    ] { #expect(output.contains(text), "\(text) in \(output)") }
    #expect(try await Self.run(["mock", directory.path + "/none.yaml"]).code == 78)
    let nowhere = try directory.file(
      "nowhere.yaml", "services: { a: { pattern: rpc, bind: \"ipc:///nowhere/at/all\" } }")
    #expect(try await Self.run(["mock", nowhere]).code == 69)
  }

  @Test("tells of its places as one writes them")
  func places() async throws {
    let directory = try TemporaryDirectory()
    let mock = try Program.start(
      "mock", try directory.file("mock.yaml", "services: { a: { pattern: rpc, bind: \"tcp://127.0.0.1:*\" } }"))
    try await Cleanup.with { cleanup in
      cleanup.add { await mock.destroy() }
      let line = try #require(try await mock.line())
      #expect(line.hasPrefix("a: rpc at tcp://127.0.0.1:"), "\(line)")
    }
  }

  @Test("plays what docs/tools.md shows")
  func document() async throws {
    let yaml = try #require(Readme(try Repository.text("docs/tools.md")).block("yaml")).text
    // Ports may be another's here.
    let moved = yaml.replacing(/tcp:\/\/127\.0\.0\.1:555([5-8])/) {
      "AT/" + ["5": "math", "6": "jobs", "7": "in"][$0.1, default: "out"]
    }
    #expect(!moved.contains("tcp:"))
    try await Self.with(moved, services: 4) { _, directory in
      let sum = try await Self.run(["call", "--zmq", directory.endpoint("math"), "add", "[2,3]"])
      #expect(sum.output == "5\n")
      let heard = try await Self.run(["sub", "--zmq", directory.endpoint("out"), "--count", "1"])
      #expect(heard.output.hasPrefix(#"{"topic":"chat","method":"say""#), "\(heard.output)")
    }
  }
}
