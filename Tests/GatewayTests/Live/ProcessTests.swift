import Foundation
import Support
import Testing

/// The program itself: `ZMQ_GATEWAY_BINARY`, or the one that was built beside these tests.
enum Program {
  static let path: String? = {
    let beside = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path + "/zmq-gateway"
    let path = ProcessInfo.processInfo.environment["ZMQ_GATEWAY_BINARY"] ?? beside
    return FileManager.default.isExecutableFile(atPath: path) ? path : nil
  }()
  static let isThere = path != nil

  static func start(_ arguments: String...) throws -> Subprocess {
    // A program built with ThreadSanitizer would sleep a second at its end.
    setenv("TSAN_OPTIONS", "atexit_sleep_ms=0", 0)
    return try Subprocess(path ?? "zmq-gateway", arguments, complaints: .withOutput)
  }
}

extension Subprocess {
  /// The port that a gateway says it listens on.
  func port() async throws -> UInt16 {
    while let line = try await line() {
      guard let address = line.firstRange(of: "addresses=127.0.0.1:") else { continue }
      if let port = UInt16(line[address.upperBound...].prefix { $0.isNumber }) { return port }
    }
    throw Failed(description: "the gateway did not say where it listens")
  }

  /// Bytes of memory that are the process's now.
  func residentMemory() throws -> Int {
    let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
    guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmRSS:") }),
      let size = line.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
    else { throw Failed(description: "no VmRSS") }
    return size << 10
  }
}

@Suite("the program", .timeLimit(.minutes(1)), .enabled(if: Program.isThere, "no program is built beside the tests"))
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
    let usage = try Program.start("serve")
    _ = try await usage.rest()
    #expect(try await usage.ended() == 64)
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

  @Test(
    "the memory of long bodies and replies goes back to the system",
    .enabled(if: Python.isThere, "\(Python.comment)"))
  func memory() async throws {
    let peer = try await PythonPeer.shared.value
    let directory = try TemporaryDirectory()
    let file = try directory.file(
      "gateway.yaml",
      """
      http:
        limits: { body: 64MiB }
      services:
        calc: { pattern: rpc, connect: ["\(peer.rpc)"], timeout: 30s }
      """)
    try await Cleanup.with { cleanup in
      let process = try Program.start("serve", "--config", file, "--listen", "127.0.0.1:0", "--threads", "2")
      cleanup.add { await process.destroy() }
      let http = HTTPClient(port: try await process.port())
      try await eventually("a backend") { try await http.post("/rpc/calc/ping").status == 200 }
      let before = try process.residentMemory()
      let long = "[\"" + String(repeating: "x", count: 16 << 20) + "\"]"
      try await withThrowingTaskGroup(of: Int.self) { calls in
        for _ in 0..<4 { calls.addTask { try await http.post("/rpc/calc/echo", long).status } }
        for try await status in calls { #expect(status == 200) }
      }
      try await eventually("the memory is back") { try process.residentMemory() < before + 32 << 20 }
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
      #expect(time < .seconds(2))
    }
  }
}
