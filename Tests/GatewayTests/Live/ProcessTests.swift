import Foundation
import HTTPServer
import MessagePack
import Support
import Testing
import ZeroMQ

@Suite("the program", .inTurn(minutes: 3), .enabled(if: Program.isThere, "no program is built beside the tests"))
struct ProcessTests {
  @Test("check prints every problem with its line and exits 78")
  func check() async throws {
    let directory = try TemporaryDirectory()
    let file = try directory.file(
      "bad.yaml",
      """
      http:
        lisen: ["127.0.0.1:0"]
      services:
        math:
          pattern: rpc
          connect: ["udp://127.0.0.1:1"]
          timeout: soon
      """)
    let process = try Program.start("check", file)
    let output = try await process.rest()
    #expect(try await process.ended() == 78)
    for line in [2, 6, 7] { #expect(output.contains("bad.yaml:\(line):"), "\(output)") }
    #expect(output.contains(#"did you mean "listen"?"#))
  }

  @Test("--version tells its own version and those of the libraries it runs with") func version() async throws {
    let process = try Program.start("--version")
    let libraries =
      "libzmq \(ZeroMQ.libzmqVersion), libmicrohttpd \(Server.libraryRelease), msgpack-c \(msgpackRelease)"
    let output = try await process.rest()
    #expect(output.hasPrefix("zmq-gateway \(ZeroMQ.version) (commit "), "\(output)")
    #expect(output.hasSuffix(", \(libraries))\n"), "\(output)")
    let commit = output.split(separator: " ")[3].dropLast()
    #expect(commit == "unknown" || commit.allSatisfy(\.isHexDigit), "\(output)")
    #expect(try await process.ended() == 0)
  }

  @Test("a good file passes the check; one that is not there does not")
  func good() async throws {
    let directory = try TemporaryDirectory()
    let file = try directory.file(
      "good.yaml", "services:\n  math:\n    pattern: rpc\n    connect: [\"tcp://127.0.0.1:5555\"]\n")
    let process = try Program.start("check", file)
    #expect(try await process.rest().contains("valid"))
    #expect(try await process.ended() == 0)
    let open = try directory.file(
      "open.yaml", "http: { listen: [\"0.0.0.0:1\"] }\nauth: none\nservices: {}\n")
    let told = try Program.start("check", open)
    #expect(try await told.rest().contains("requests to 0.0.0.0:1 may be for any host"))
    #expect(try await told.ended() == 0)
    for command in [["check", "/nowhere.yaml"], ["serve", "--config", "/nowhere.yaml"]] {
      let process = try Subprocess(try #require(Program.path), command, complaints: .withOutput)
      #expect(try await process.rest().contains("/nowhere.yaml"))
      #expect(try await process.ended() == 78)
    }
  }

  @Test(
    "serve answers curl with Python behind it, and SIGTERM or SIGINT ends it within a second, with 0",
    .enabled(if: Python.isThere, "\(Python.comment)"), arguments: [SIGTERM, SIGINT])
  func serve(signal: Int32) async throws {
    let peer = try await PythonPeer.shared.value
    let directory = try TemporaryDirectory()
    let file = try directory.file(
      "gateway.yaml", "services:\n  calc:\n    pattern: rpc\n    connect: [\"\(peer.rpc)\"]\n")
    try await Cleanup.with { cleanup in
      let process = try Program.start("serve", "--config", file, "--listen", "127.0.0.1:0", "--threads", "2")
      cleanup.add { await process.destroy() }
      let port = try await process.port()
      let http = HTTPClient(port: port)
      try await eventually("a backend") { try await http.post("/rpc/calc/ping").status == 200 }
      try await eventually("curl gets its answer") {
        let curl = try Subprocess("curl", ["-s", "-d", "[2,3]", "127.0.0.1:\(port)/rpc/calc/add"])
        let answer = try await curl.rest()
        try await curl.ended()
        return answer == "5"
      }
      let time = try await duration {
        process.signal(signal)
        let status = try await process.ended()
        #expect(status == 0)
      }
      #expect(time < .seconds(1))
    }
  }

  @Test("a configuration that cannot be read is told with the system's reason")
  func unreadable() async throws {
    let directory = try TemporaryDirectory()
    let file = try directory.file("a.yaml", "")
    let loop = directory.path + "/loop"
    #expect(symlink("loop", loop) == 0)
    var cases = [
      (directory.path, "is a directory"), (directory.path + "/none", "no such file or directory"),
      (file + "/x", "not a directory"), (loop, "too many levels of symbolic links"),
    ]
    let secret = try directory.file("secret.yaml", "")
    chmod(secret, 0)
    // Root may read everything.
    if geteuid() != 0 { cases.append((secret, "permission denied for user \(geteuid())")) }
    for (path, reason) in cases {
      let process = try Program.start("check", path)
      #expect(try await process.rest() == "\(path): cannot be read: \(reason); give the path of a YAML file in UTF-8\n")
      #expect(try await process.ended() == 78)
    }
  }

  @Test(
    "a second signal ends it at once, as the signal alone would, and says so",
    arguments: [(SIGTERM, SIGTERM, "SIGTERM"), (SIGINT, SIGINT, "SIGINT"), (SIGTERM, SIGINT, "SIGINT")])
  func secondSignal(first: Int32, second: Int32, name: String) async throws {
    try await Rig.with { rig in
      let backend = try await rig.wire(.router)
      let file = try rig.directory.file(
        "gateway.yaml", "services: { s: { pattern: rpc, connect: [\"\(await backend.endpoint)\"], timeout: 60s } }")
      let process = try Program.start("serve", "--config", file, "--listen", "127.0.0.1:0", "--threads", "1")
      rig.cleanup.add { await process.destroy() }
      let http = HTTPClient(port: try await process.port())
      async let reply = http.post("/rpc/s/slow")
      _ = try await backend.call()
      process.signal(first)
      while let line = try await process.line(), !line.contains("] stopping") {}
      // One that comes with the first is the same request; one of these comes later.
      let time = try await duration {
        try await eventually("its end") {
          process.signal(second)
          return process.hasEnded
        }
      }
      #expect(try await process.ended() == -second)
      // The call takes a minute, and the grace is 25 seconds.
      #expect(time < .seconds(15))
      #expect(
        try await process.rest().contains(
          "zmq-gateway: \(name) while stopping: ended at once, calls and streams are cut off\n"))
      _ = try? await reply
    }
  }

  @Test("healthcheck asks where serve listens: by the same configuration and environment, or where it is told")
  func healthCheck() async throws {
    let path = try #require(Program.path)
    let directory = try TemporaryDirectory()
    func health(_ environment: [String] = [], _ arguments: String...) async throws -> (String, Int32) {
      let process = try Subprocess("env", environment + [path, "healthcheck"] + arguments, complaints: .withOutput)
      return (try await process.rest(), try await process.ended())
    }
    try await Cleanup.with { cleanup in
      let services = "services: { s: { pattern: rpc, connect: [\"ipc:///nowhere/x\"], required: false } }\n"
      let open = try directory.file("open.yaml", "http: { listen: [\"127.0.0.1:0\"], prefix: /api }\n" + services)
      let process = try Program.start("serve", "--config", open, "--threads", "1")
      cleanup.add { await process.destroy() }
      let port = try await process.port()
      let alive = "http://127.0.0.1:\(port) is alive\n"
      let file = try directory.file("f.yaml", "http: { listen: [\"127.0.0.1:\(port)\"], prefix: /api }\n" + services)
      #expect(try await health([], "--config", file) == (alive, 0))
      #expect(try await health(["ZMQ_GATEWAY_HTTP_LISTEN=127.0.0.1:\(port)"]) == (alive, 0))
      #expect(try await health(["ZMQ_GATEWAY_HTTP_LISTEN=0.0.0.0:\(port)"]).1 == 0)
      // The environment beats the file, here as in serve.
      let other = try directory.file("o.yaml", "http: { listen: [\"127.0.0.1:1\"] }\n" + services)
      #expect(try await health(["ZMQ_GATEWAY_HTTP_LISTEN=127.0.0.1:\(port)"], "--config", other) == (alive, 0))
      #expect(try await health([], "--config", other) == ("http://127.0.0.1:1 does not answer\n", 69))
      for url in [
        "127.0.0.1:\(port)", "http://localhost:\(port)/", "http://127.0.0.1:\(port)/api", "127.0.0.1:\(port)/api/",
      ] {
        #expect(try await health(["ZMQ_GATEWAY_HTTP_LISTEN=127.0.0.1:1"], "--http", url).1 == 0, "\(url)")
      }
      #expect(try await health([], "--http", "http://127.0.0.1:\(port)/wrong").1 == 69)
      #expect(try await health([], "--http", "https://127.0.0.1:\(port)").1 == 69)
      for url in [
        "", "http://", "host", "https://host", "127.0.0.1:0", "127.0.0.1:65536", "::1:80", "a b:80",
      ] {
        #expect(try await health([], "--http", url).1 == 64, "\(url)")
      }
      #expect(try await health([], "--config", open).1 == 64)
      #expect(try await health([], "--config", "/nowhere.yaml").1 == 78)
      #expect(try await health(["ZMQ_GATEWAY_HTTP_LISTEN=nonsense"]).1 == 78)
    }
  }

  @Test("an address that is taken ends serve with 69")
  func taken() async throws {
    try await Rig.with { rig in
      let (_, gateway) = try await rig.backend(threads: 2)
      let file = try rig.directory.file(
        "gateway.yaml", "services:\n  calc:\n    pattern: rpc\n    connect: [\"ipc:///nowhere/x\"]\n")
      let process = try Program.start("serve", "--config", file, "--listen", "127.0.0.1:\(gateway.http.port)")
      rig.cleanup.add { await process.destroy() }
      _ = try await process.rest()
      #expect(try await process.ended() == 69)
    }
  }

  @Test("the demo does what the README shows")
  func demo() async throws {
    try await Cleanup.with { cleanup in
      let process = try Program.start("demo", "--listen", "127.0.0.1:0")
      cleanup.add { await process.destroy() }
      let http = HTTPClient(port: try await process.port())
      try await eventually("the services are connected") {
        for _ in 0..<8 where try await http.post("/rpc/calc/add", "[2,3]").body != "5" { return false }
        return true
      }
      #expect(try await http.post("/rpc/calc/div", "[7,2]").body == "3.5")
      let fail = try await http.post("/rpc/calc/div", "[1,0]")
      #expect(fail.status >= 400)
      #expect(fail.json["sent"] == true)
      #expect(try await http.post("/rpc/calc/slow?_timeout=0.2", "[5]").status == 504)
      #expect(try await http.post("/rpc/calc/nothing").json["code"] == "no-such-method")
      #expect(try await http.post("/rpc/calc/add", "[1]").json["code"] == "invalid-argument")
      #expect(try await http.post("/push/jobs/resize", #"["a.png"]"#).status == 202)
      let clock = try await http.events("/sub/news?topic=clock")
      let ticks = [try await clock.event(named: ""), try await clock.event(named: "")].compactMap { $0 }
      #expect(ticks.map { $0.json["topic"] } == ["clock", "clock"])
      #expect(ticks[1].sequence == (ticks[0].sequence ?? 0) + 1)
      let chat = try await http.events("/sub/news?topic=chat")
      let saying = Task { while !Task.isCancelled { _ = try await http.post("/pub/news/chat/say", #"["hi"]"#) } }
      defer { saying.cancel() }
      let said = try await chat.event(named: "")
      #expect(said?.json["method"] == "say")
      #expect(said?.json["args"] == ["hi"])
      saying.cancel()
      clock.close()
      chat.close()
      let health = try Program.start("healthcheck", "--http", "http://127.0.0.1:\(http.port)")
      _ = try await health.rest()
      #expect(try await health.ended() == 0)
      let time = try await duration {
        process.signal(SIGTERM)
        let status = try await process.ended()
        #expect(status == 0)
      }
      // The grace is 25 seconds.
      #expect(time < .seconds(15))
    }
  }
}
