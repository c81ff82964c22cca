import Foundation
import HTTPServer
import MessagePack
import Support
import Testing
import ZeroMQ

@Suite(
  "the standard streams of the program", .inTurn(minutes: 3),
  .enabled(if: Program.isThere, "no program is built beside the tests"))
struct StandardStreamTests {
  @Test("a standard error that nobody reads holds up neither requests nor the end")
  func unreadLog() async throws {
    let directory = try TemporaryDirectory()
    let file = try directory.file("gateway.yaml", "services: {}\n")
    let process = try Program.start(
      "serve", "--config", file, "--listen", "127.0.0.1:0", "--threads", "1", "--log-level", "debug")
    try await Cleanup.with { cleanup in
      cleanup.add { await process.destroy() }
      let http = HTTPClient(port: try await process.port())
      // Each is a line or two of the log, and a pipe holds 64 KiB.
      for _ in 0..<1_500 { #expect(try await http.get("/nowhere").status == 404) }
      process.signal(SIGTERM)
      #expect(try await process.ended() == 0)
    }
  }

  @Test("started without standard input, output and error, it has nothing of its own in their place")
  func closedStreams() async throws {
    let directory = try TemporaryDirectory()
    let file = try directory.file(
      "gateway.yaml", "http: { listen: [\"unix:\(directory.path)/http\"] }\nservices: {}\n")
    let process = try Subprocess(
      "sh", ["-c", #"exec "$0" serve --config "$1" <&- >&- 2>&-"#, try #require(Program.path), file])
    try await Cleanup.with { cleanup in
      cleanup.add { await process.destroy() }
      try await eventually("an answer") {
        try await Program.run(["healthcheck", "--http", "unix:\(directory.path)/http"]).code == 0
      }
      for descriptor in 0...2 {
        let path = "/proc/\(process.pid)/fd/\(descriptor)"
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: path) == "/dev/null")
      }
    }
  }

  @Test("what a publisher sends cannot forge a line of the log, or move the terminal's cursor")
  func forgedLine() async throws {
    try await Rig.with { rig in
      let publisher = try await rig.wire(.subscriptionAwarePublish)
      let file = try rig.directory.file(
        "gateway.yaml",
        "services: { s: { pattern: pubsub, subscribe: { connect: [\"\(await publisher.endpoint)\"] } } }")
      let process = try Program.start(
        "serve", "--config", file, "--listen", "127.0.0.1:0", "--threads", "1", "--log-level", "debug")
      rig.cleanup.add { await process.destroy() }
      let http = HTTPClient(port: try await process.port())
      let events = try await http.events("/sub/s?topic=t")
      _ = try await publisher.subscription()
      var key = "x\n2026-11-25T00:00:00+0000 critical zmq-gateway: FORGED LINE"
      for value in Array(0...0x1F) + Array(0x7F...0xA0) + [0x2028, 0x2029, 0x202E, 0x2066, 0xFEFF] {
        key.unicodeScalars.append(try #require(Unicode.Scalar(UInt32(value))))
      }
      var deep = Value.nil
      for _ in 0..<80 { deep = .array([deep]) }
      try await publisher.send([
        "t".bytes, "m".bytes, Value.array([]).packed, Value.map([.init(.string(key), deep)]).packed,
      ])
      try await publisher.publish("t", "after")
      _ = try await events.event(named: "")
      events.close()
      process.signal(SIGTERM)
      try await process.ended()
      let output = try await process.rest()
      #expect(output.contains("FORGED LINE"))
      for line in output.split(separator: "\n") { #expect(!line.hasPrefix("2026-11-25T00:00:00+0000 critical")) }
      #expect(output.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 0x20 && !(0x7F...0xA0 ~= $0.value) })
      #expect(!output.unicodeScalars.contains { [0x2028, 0x2029, 0x202E, 0x2066, 0xFEFF].contains($0.value) })
    }
  }
}
