import Foundation
import Support
import Testing

@Suite("http.limits.connections", .inTurn(minutes: 3))
struct ConnectionLimitTests {
  private let publisher = "s: { pattern: pubsub, required: false, subscribe: { connect: [\"ipc:///nowhere/s\"] } }"

  @Test(
    "the limits are exact over all threads, and a place given back is free",
    arguments: ["connections", "connections-per-address"])
  func exact(limit: String) async throws {
    try await Rig.with { rig in
      let gateway = try await rig.gateway("{}", http: "limits: { \(limit): 7 }", threads: 3)
      var kept: [HTTPConnection] = []
      for _ in 0..<7 {
        let connection = try gateway.http.begin("GET", "/live")
        #expect(try connection.reply().status == 200)
        kept.append(connection)
      }
      for _ in 0..<5 {
        let reply = try await gateway.http.get("/openapi.json")
        #expect(reply.status == 503 && reply.json["code"] == "overloaded")
        #expect(reply.headers["connection"] == "close")
      }
      kept.removeLast().disconnect()
      try await eventually("the place is free") { try await gateway.http.get("/openapi.json").status == 200 }
      for connection in kept {
        connection.send("GET", "/openapi.json")
        #expect(try connection.reply().status == 200)
      }
    }
  }

  @Test(
    "/live and /ready are answered when connections have run out, however many are silent", arguments: ["", "/api"])
  func reserve(prefix: String) async throws {
    try await Rig.with { rig in
      let gateway = try await rig.gateway(
        publisher, http: "prefix: \"\(prefix)\"\nlimits: { connections: 20 }", threads: 2)
      let silent = try (0..<400).map { _ in try HTTPConnection(port: gateway.http.port) }
      for path in ["/live", "/ready", "\(prefix)/live", "\(prefix)/ready?verbose", "http://localhost/live"] {
        #expect(try await gateway.http.get(path).status == 200)
        #expect(try await gateway.http.send("HEAD", path).status == 200)
      }
      #expect(try await gateway.http.get("\(prefix)/sub/s").status == 503)
      #expect(try await gateway.http.post("/live").status == 503)
      for connection in silent { connection.disconnect() }
      try await eventually("there is room again") { try await gateway.http.get("/openapi.json").status != 503 }
    }
  }

  @Test("a stream is served whatever its head, and its connection closes with it where that is short")
  func streams() async throws {
    try await Rig.with { rig in
      let gateway = try await rig.gateway(publisher, http: "prefix: /api")
      for size in [0, 1_000, 2_000, 4_000, 12_000] {
        let events = try await gateway.http.events(
          "/api/sub/s?topic=a", headers: ["Cookie": String(repeating: "x", count: size)])
        #expect(events.head.status == 200)
        #expect(events.head.headers["connection"] == (size <= 2_000 ? "close" : nil))
      }
      let reply = try await gateway.http.get("/api/sub/none")
      #expect(reply.status == 404 && reply.headers["connection"] == "close")
    }
  }

  @Test(
    "without a free descriptor connections wait, nobody spins, and one line tells",
    .enabled(if: Program.isThere, "no program is built beside the tests"))
  func descriptors() async throws {
    let directory = try TemporaryDirectory()
    let file = try directory.file(
      "gateway.yaml",
      "http: { listen: [\"127.0.0.1:0\"], threads: 1, limits: { read-timeout: 1s } }\nservices: {}\n")
    let process = try Subprocess(
      "sh", ["-c", "ulimit -n 36; exec \"$0\" serve --config \"$1\"", try #require(Program.path), file],
      complaints: .withOutput)
    let port = try await process.port()
    let silent = try (0..<60).map { _ in try HTTPConnection(port: port) }
    var lines: [String] = []
    while let line = try await process.line() {
      lines.append(line)
      if line.contains("connections wait") { break }
    }
    let start = (Date.now, try process.processorTime())
    // It is at the end of the kernel's queue, and gets its turn when the first ones have been silent for too long.
    #expect(try await HTTPClient(port: port).get("/live").status == 200)
    let (time, used) = (Date.now.timeIntervalSince(start.0), try process.processorTime() - start.1)
    #expect(time > 0.5 && used < time / 4, "\(used) of \(time)")
    for connection in silent { connection.disconnect() }
    process.signal(SIGTERM)
    lines.append(try await process.rest())
    #expect(try await process.ended() == 0)
    #expect(lines.joined().components(separatedBy: "connections wait").count == 2)
  }
}

extension Subprocess {
  /// Seconds of the processor that it has used.
  fileprivate func processorTime() throws -> Double {
    let stat = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
    let fields = stat.split(separator: ")").last?.split(separator: " ") ?? []
    guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else {
      throw Failed(description: "no times in \(stat)")
    }
    return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
  }
}
