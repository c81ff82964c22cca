import ConfigurationReader
import Foundation
import GatewaySecurity
import HTTPServer
import Reactor
import Support
import Testing

@testable import Gateway

@Suite(
  "A gateway at given sockets", .inTurn(minutes: 2),
  .enabled(if: Program.isThere, "no program is built beside the tests"))
struct GivenSocketTests {
  @Test("at a Unix socket answers clients, healthcheck and status, and removes it at the end")
  func unixSocket() async throws {
    try await Rig.with { rig in
      let path = rig.directory.path + "/http"
      let file = try rig.directory.file(
        "gateway.yaml",
        "http: { listen: \"unix:\(path)\", socket-mode: \"0600\", threads: 2 }\nservices: { \(Curl.jobs) }")
      let process = try Program.start("serve", "--config", file)
      rig.cleanup.add { await process.destroy() }
      try await eventually("the gateway to answer") {
        try await Curl.status("http://api.example/live", ["--unix-socket", path]) == 200
      }
      #expect(try await Curl.status("http://api.example/push/jobs/m", ["--unix-socket", path, "-X", "POST"]) == 503)
      #expect(try await Program.run(["healthcheck", "--config", file]).code == 0)
      #expect(try await Program.run(["healthcheck", "--http", "unix:\(path)"]).code == 0)
      #expect(try await Program.run(["status", "--config", file]).output.contains("zmq-gateway"))
      #expect(try await Program.run(["push", "--http", "unix:\(path)", "jobs/m"]).output.contains("no-backend"))
      // Nobody else can have it meanwhile.
      #expect(try await Program.run(["serve", "--config", file]).code == 69)
      process.signal(SIGTERM)
      #expect(try await process.ended() == 0)
      #expect(!FileManager.default.fileExists(atPath: path))
    }
  }

  @Test(
    "that systemd has opened serves what is asked there, before it is ready as well",
    .enabled(if: Python.isThere, "\(Python.comment)"))
  func activation() async throws {
    try await Rig.with { rig in
      let path = rig.directory.path + "/admin"
      let file = try rig.directory.file(
        "gateway.yaml", "http: { listen: \"127.0.0.1:1\", threads: 2 }\nservices: { \(Curl.jobs) }")
      let process = try Python.start(
        "given_sockets.py", ["http:admin", path, try #require(Program.path), "serve", "--config", file])
      rig.cleanup.add { await process.destroy() }
      let port = try #require(try await process.line().flatMap { UInt16($0) })
      // Asked at once, and answered when the gateway is there.
      #expect(try await HTTPClient(port: port).get("/live").status == 200)
      #expect(try await HTTPClient(port: port).get("/metrics").status == 404)
      #expect(try await Curl.status("http://localhost/metrics", ["--unix-socket", path]) == 200)
      process.signal(SIGTERM)
      #expect(try await process.ended() == 0)
      // It is systemd's.
      #expect(FileManager.default.fileExists(atPath: path))
    }
  }

  @Test(
    "that are for operations are one, or the start ends",
    .enabled(if: Python.isThere && Program.isThere, "\(Python.comment)"))
  func twoForOperations() async throws {
    try await Rig.with { rig in
      let command = [try #require(Program.path), "serve", "--config", "/nowhere"]
      let process = try Python.start("given_sockets.py", ["admin:admin", rig.directory.path + "/admin"] + command)
      rig.cleanup.add { await process.destroy() }
      #expect(try await process.ended() == 69)
    }
  }

  @Test(
    "that are told of wrongly end the start, and those that are another process's are left alone",
    .enabled(if: Program.isThere), arguments: ["one", "-1", "1024", "99999999999", "", "2"])
  func wrongCount(count: String) async throws {
    let script = "LISTEN_PID=$$ LISTEN_FDS=$1 exec $0 serve --config /nowhere 3</dev/null"
    let process = try Subprocess(
      "sh", ["-c", script, try #require(Program.path), count], complaints: .withOutput)
    let output = try await process.rest()
    #expect(try await process.ended() == 69)
    #expect(output.hasPrefix("LISTEN_FDS: "), "\(output)")
  }
}
