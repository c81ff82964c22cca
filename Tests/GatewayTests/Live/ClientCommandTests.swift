import MessagePack
import Reactor
import Support
import Testing
import ZeroMQ

/// The commands of a client, through the program itself, at a demonstration that it serves too.
@Suite(
  "The commands of a client", .inTurn(minutes: 4),
  .enabled(if: Program.isThere, "no program is built beside the tests"))
struct ClientCommandTests {
  @Test("call, push and pub ask a gateway; results go to standard output, problems make the exit code")
  func gateway() async throws {
    try await Program.demo { url in
      let sum = try await Program.run(["call", "--http", url, "calc/add", "[2,3]"])
      #expect(sum.output == "5\n")
      #expect(sum.code == 0)
      let named = try await Program.run(["call", "calc/add", "-", "--http", url + "/"], input: #"{"a":2,"b":3}"#)
      #expect(named.output == "5\n")
      let nothing = try await Program.run(["call", "calc/echo", "--http", url])
      #expect(nothing.output == "[]\n")
      let failed = try await Program.run(["call", "calc/fail", #"["no"]"#, "--http", url])
      #expect(failed.output.contains(#""type":"builtins.ValueError""#), "\(failed.output)")
      #expect(failed.code == 1)
      let slow = try await Program.run(["call", "calc/slow", "[5]", "--timeout", "0.2", "--http", url])
      #expect(slow.output.contains(#""code":"timeout""#), "\(slow.output)")
      #expect(slow.code == 1)
      for command in [
        ["push", "jobs/resize", #"["a.png"]"#], ["pub", "news/a/b -/say", "[1]"], ["pub", "news//say"],
      ] {
        let taken = try await Program.run(command + ["--http", url])
        #expect(taken.output == "{\"accepted\":true}\n", "\(command)")
        #expect(taken.code == 0)
      }
    }
  }

  @Test("sub prints the events of a gateway as lines, and what is no stream is told")
  func stream() async throws {
    try await Program.demo { url in
      let clock = try await Program.run(["sub", "news", "--topic", "clock", "--count", "2", "--http", url])
      let lines = clock.output.split(separator: "\n").compactMap { JSON(String($0)) }
      #expect(lines.filter { $0["topic"] == "clock" && $0["method"] == "tick" }.count == 2, "\(clock.output)")
      #expect(clock.code == 0)
      let unknown = try await Program.run(["sub", "olds", "--http", url])
      #expect(unknown.output.contains("no-such-service"), "\(unknown.output)")
      #expect(unknown.code == 1)
    }
  }

  @Test(
    "call, push, pub and sub speak to services without a gateway", .enabled(if: Python.isThere, "\(Python.comment)"))
  func services() async throws {
    try await Rig.with { rig in
      let peer = try await rig.python()
      let sum = try await Program.run(["call", "--zmq", peer.rpc, "add", #"{"args":[2],"kwargs":{"b":3}}"#])
      #expect(sum.output == "5\n")
      #expect(sum.code == 0)
      let absent = try await Program.run(["call", "--zmq", peer.rpc, "nowhere"])
      #expect(absent.output.hasPrefix("aiozmq.rpc.base.NotFoundError: "), "\(absent.output)")
      #expect(absent.code == 1)

      let alone = try Subprocess(
        try #require(Program.path), ["sub", "--zmq", "tcp://127.0.0.1:1"], complaints: .withOutput)
      #expect(try await alone.line()?.hasPrefix("tcp://127.0.0.1:1: waiting: refused: nobody listens there") == true)
      await alone.destroy()

      let listener = try Subprocess(
        try #require(Program.path), ["sub", "--zmq", peer.publish, "--topic", "echo", "--count", "1"],
        complaints: .withOutput)
      rig.cleanup.add { await listener.destroy() }
      let heard = Guarded<String?>(nil)
      let hearing = Task {
        let line = try await listener.line()
        heard.withLock { $0 = line }
      }
      // A subscription takes a moment to arrive: what is published before is heard by nobody.
      let line = try await eventually("an event") { () -> String? in
        let sent = try await Program.run(["pub", "--zmq", peer.pubsub, "chat/say", #"["hello"]"#])
        #expect(sent.output == "")
        #expect(sent.code == 0)
        return heard.withLock { $0 }
      }
      try await hearing.value
      #expect(line.contains(#""topic":"echo","method":"received","args":["say",["hello"],{}]"#), "\(line)")

      let pushed = try await Program.run(["push", "--zmq", peer.pipeline, "resize", #"["a.png"]"#])
      #expect(pushed.output == "")
      #expect(pushed.code == 0)
      let received = try await Program.run([
        "call", "--zmq", peer.rpc, "--timeout", "60", "received.wait", #"["pipeline",1,50]"#,
      ])
      #expect(received.output.contains("a.png"), "\(received.output)")
    }
  }

  @Test("push and pub end when what they sent has left")
  func leaving() async throws {
    try await Rig.with { rig in
      // More than the system's buffers hold.
      let arguments =
        "["
        + Array(repeating: "\"" + String(repeating: "a", count: 1_000) + "\"", count: 8_000)
        .joined(separator: ",") + "]"
      let worker = try await rig.wire(.pull)
      let reader = try await rig.wire(.subscribe, bind: rig.directory.endpoint("t"))
      try await reader.subscribe("")
      for (socket, command) in [(worker, ["push", "resize"]), (reader, ["pub", "chat/say"])] {
        let zmq = ["--zmq", "\(await socket.endpoint)", "--timeout", "60", "-"]
        let (output, code) = try await Program.run(command + zmq, input: arguments)
        #expect((output, code) == ("", 0))
        #expect(try await socket.receive().contains { $0.count > 8_000_000 })
      }
    }
  }

  @Test("call ends with 1 where a method raises what is a 503: it was sent")
  func raised() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend()
      let ended = Task { try await Program.run(["call", "s/m", "--http", "http://127.0.0.1:\(gateway.http.port)"]) }
      let exception: Value = ["builtins.BlockingIOError", [], "BlockingIOError()"]
      try await backend.answer(try await backend.call(), exception.packed, isException: true)
      let (output, code) = try await ended.value
      #expect(output.contains(#""status":503"#) && output.contains(#""sent":true"#), "\(output)")
      #expect(code == 1)
    }
  }

  @Test(
    "say what is wrong with their words, and when nobody is there",
    arguments: [
      (["call", "add"], 64, "a gateway is asked for service/method"),
      (["call", "calc/add", "2", "3"], 64, "as one text in JSON, such as '[2, 3]'"),
      (["call", "--zmq", "tcp://127.0.0.1:1", "add", "[2,"], 64, "the arguments: "),
      (["call", "calc/add", "--http", "http://127.0.0.1:1", "--zmq", "tcp://127.0.0.1:1"], 64, "not both"),
      (["call", "calc/add", "--http", "https://127.0.0.1:1"], 69, "https://127.0.0.1:1 does not answer"),
      (["call", "--zmq", "tpc://127.0.0.1:1", "add"], 64, "--zmq: "),
      (["call", "--zmq", "tcp://127.0.0.1:1", "calc/add"], 64, "and no service before it"),
      (["push", "jobs/resize", "--timeout", "1"], 64, "--timeout is for --zmq"),
      (["pub", "news/a/say", "--timeout", "1"], 64, "--timeout is for --zmq"),
      (["pub", "news/say"], 64, "service/topic/method"), (["sub"], 64, "a gateway is asked for a service"),
      (["sub", "news/clock"], 64, "its topics are named by --topic"),
      (
        ["call", "calc/add", "--http", "127.0.0.1:1"], 69,
        "http://127.0.0.1:1 does not answer; start a gateway there, or name another by --http"
      ),
      (
        ["sub", "news", "--http", "127.0.0.1:1"], 69,
        "http://127.0.0.1:1 does not answer; start a gateway there, or name another by --http"
      ),
      (
        ["call", "--zmq", "tcp://127.0.0.1:1", "--timeout", "0.1", "add"], 69,
        "tcp://127.0.0.1:1: refused: nobody listens there"
      ),
      (
        ["push", "--zmq", "tcp://127.0.0.1:1", "--timeout", "0.1", "add"], 69,
        "tcp://127.0.0.1:1: refused: nobody listens there"
      ),
      (["pub", "--zmq", "tcp://127.0.0.1:1", "--timeout", "0.1", "chat/say"], 69, "refused: nobody listens there"),
    ] as [([String], Int32, String)])
  func faults(arguments: [String], code: Int32, text: String) async throws {
    let (output, ended) = try await Program.run(arguments)
    #expect(output.contains(text), "\(output)")
    #expect(ended == code)
  }
}
