import Foundation
import GatewaySecurity
import Logging
import MessagePack
import Reactor
import Support
import Testing
import ZeroMQ

@testable import Gateway

@Suite("The log of requests", .inTurn(minutes: 3))
struct AccessLogTests {
  /// Starts the program in front of that backend, with those settings of `log`.
  private func program(_ rig: Rig, _ log: String, _ backend: WireSocket, auth: String = "{}") async throws -> Subprocess
  {
    let file = try rig.directory.file(
      "gateway.yaml",
      """
      http: { threads: 1 }
      auth: \(auth)
      log: { \(log) }
      services: { s: { pattern: rpc, connect: ["\(await backend.endpoint)"], methods: { hide: [secret] } } }
      """)
    let process = try Program.start("serve", "--config", file, "--listen", "127.0.0.1:0")
    rig.cleanup.add { await process.destroy() }
    return process
  }

  /// The port that the program says it listens on, and the next line that tells of a request for that path.
  private func port(_ process: Subprocess) async throws -> UInt16 {
    while let line = try await process.line() {
      guard let address = line.firstRange(of: "127.0.0.1:") else { continue }
      if let port = UInt16(line[address.upperBound...].prefix { $0.isNumber }) { return port }
    }
    throw Subprocess.Failed(description: "the gateway did not say where it listens")
  }

  private func line(_ path: String, _ process: Subprocess) async throws -> String {
    while let line = try await process.line() { if line.contains(path), line.contains("request") { return line } }
    throw Subprocess.Failed(description: "no line for \(path)")
  }

  @Test(
    "has a line of JSON for each, with who asked, what came of it, and how long each part took",
    .enabled(if: Program.isThere, "no program is built beside the tests"))
  func json() async throws {
    try await Rig.with { rig in
      let key = APIKey.random()
      let backend = try await rig.wire(.router)
      let process = try await program(
        rig, "access: true, format: json", backend, auth: try rig.auth((key, "alice", [])))
      let http = HTTPClient(port: try await port(process))
      let answering = Task { while !Task.isCancelled { try await backend.answerNext(.int(7)) } }
      rig.cleanup.add { answering.cancel() }
      try await eventually("a backend") {
        try await http.get("/ready", headers: key.header).status == 200
      }
      let reply = try await http.post("/rpc/s/add?_timeout=30", "[1,2]", headers: key.header)
      #expect(reply.status == 200)
      let call = try #require(JSON(try await line("/rpc/s/add", process)))
      #expect(call["id"].text == reply.headers["x-request-id"])
      #expect(call["method"] == "POST" && call["path"] == "/rpc/s/add" && call["route"] == "rpc")
      #expect(call["status"].integer == 200 && call["in"].integer == 5 && call["out"].integer == 1)
      #expect(call["subject"] == "alice" && call["level"] == "info")
      #expect(call["endpoint"] == .string(await backend.endpoint))
      for part in ["total", "queue", "backend"] { #expect(call[part] != .null, "\(part)") }
      #expect(call["time"].text?.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil)
      _ = try await http.post("/rpc/s/secret", headers: key.header)
      let refused = try #require(JSON(try await line("/rpc/s/secret", process)))
      #expect(refused["status"].integer == 404 && refused["code"] == "not-exposed" && refused["backend"] == .null)
      _ = try await http.post("/rpc/s/denied")
      let stranger = try #require(JSON(try await line("/rpc/s/denied", process)))
      #expect(stranger["status"].integer == 401 && stranger["subject"] == .null)
      // The other lines are JSON as well.
      process.signal(SIGTERM)
      while let line = try await process.line() { #expect(JSON(line)?["message"].text != nil, "\(line)") }
    }
  }

  @Test(
    "has lines of text, and none of what is not slow where only slow ones are told of",
    .enabled(if: Program.isThere, "no program is built beside the tests"))
  func text() async throws {
    try await Rig.with { rig in
      let backend = try await rig.wire(.router)
      let process = try await program(rig, "slow: 200ms", backend)
      let http = HTTPClient(port: try await port(process))
      try await eventually("a backend") { try await http.get("/ready").status == 200 }
      #expect(try await http.get("/nothing%20here").status == 404)
      async let slow = http.post("/rpc/s/slow", headers: ["X-Request-Id": "mine"])
      let call = try await backend.call()
      let end = Instant.monotonic() + .milliseconds(250)
      try await eventually("the call to be slow") { Instant.monotonic() > end }
      try await backend.answer(call, Value.nil.packed)
      #expect(try await slow.status == 200)
      let first = try await line(" request: ", process)
      #expect(
        first.contains(" warning request: id=mine method=POST path=/rpc/s/slow route=rpc status=200 "), "\(first)")
      #expect(first.hasSuffix(" slow=true") && first.contains(" endpoint=ipc://"), "\(first)")
    }
  }

  @Test("drops what does not fit while nobody reads, counts it, and tells of it")
  func dropped() async throws {
    var ends: [CInt] = [0, 0]
    try #require(pipe(&ends) == 0)
    defer { for end in ends { close(end) } }
    var settings = Configuration.Log()
    settings.access = true
    settings.buffer = 64 << 10
    let log = try #require(AccessLog(settings, to: ends[1]))
    let line = Array((String(repeating: "x", count: 1_023) + "\n").utf8)
    // More than the pipe and the buffer hold, each of which is 64 KiB.
    var lines = 0
    while log.dropped < 3 {
      line.withUnsafeBytes { log.append($0, count: 1) }
      lines += 1
      try #require(lines < 10_000_000)
    }
    let dropped = log.dropped
    let text = try await offThread { [reading = ends[0]] in
      var text = ""
      var piece = [UInt8](repeating: 0, count: 64 << 10)
      func missing() -> Int {
        text.matches(of: /(\d+) lines of requests are missing/).reduce(0) { $0 + (Int($1.output.1) ?? 0) }
      }
      while missing() < dropped {
        let count = read(reading, &piece, piece.count)
        guard count > 0 else { break }
        text += String(decoding: piece[..<count], as: UTF8.self)
      }
      return text
    }
    #expect(text.split(separator: "\n").filter { $0.hasPrefix("x") }.count == lines - dropped)
  }

  @Test("is read, with its bounds") func configuration() throws {
    func read(_ log: String) throws -> Configuration.Log {
      try Configuration.load(yaml: "log: { \(log) }", file: "test.yaml").log
    }
    let log = try read("format: json, level: debug, access: true, slow: 1s, buffer: 2MiB")
    #expect(
      log.format == .json && log.level == .debug && log.access && log.slow == .seconds(1) && log.buffer == 2 << 20)
    #expect(try read("") == Configuration.Log())
    for bad in ["format: xml", "level: loud", "slow: 0s", "buffer: 1KiB", "acces: true"] {
      #expect(throws: (any Error).self) { try read(bad) }
    }
  }

  @Test(
    "has numbers as numbers in the lines of the program too, and text as text",
    .enabled(if: Program.isThere, "no program is built beside the tests"))
  func numbers() async throws {
    try await Rig.with { rig in
      let file = try rig.directory.file("gateway.yaml", "log: { format: json }\nservices: {}")
      let process = try Program.start("serve", "--config", file, "--listen", "127.0.0.1:0")
      rig.cleanup.add { await process.destroy() }
      var stopped: JSON?
      while stopped == nil, let line = try await process.line() {
        if line.contains("\"listening\"") { process.signal(SIGTERM) }
        if line.contains("\"stopped\"") { stopped = JSON(line) }
      }
      let names = ["accepted", "answered", "calls", "late-replies", "events", "events-lost"]
      for name in names { #expect(stopped?[name] == 0, "\(name): \(stopped ?? .null)") }
      #expect(stopped?["level"] == "info")
      #expect(try await process.ended() == 0)
    }
  }
}
