import Foundation
import Support
import Testing
import ZeroMQ

@Suite(
  "pushes that never leave", .inTurn(minutes: 3),
  .enabled(if: Program.isThere, "no program is built beside the tests"))
struct UnsentPushTests {
  @Test("do not keep the program beyond its grace, whatever else is under way", arguments: [1, 3])
  func stop(grace: Int) async throws {
    try await Rig.with { rig in
      var small = SocketOptions()
      small.receiveHighWaterMark = 1
      small.heartbeat = .zero
      let worker = try await rig.wire(.pull, bind: "tcp://127.0.0.1:*", options: small)
      let backend = try await rig.wire(.router)
      let file = try rig.directory.file(
        "gateway.yaml",
        """
        grace: \(grace)s
        services:
          jobs: { pattern: pipeline, connect: ["\(await worker.endpoint)"] }
          s: { pattern: rpc, connect: ["\(await backend.endpoint)"], timeout: 60s }
        """)
      let process = try Program.start("serve", "--config", file, "--listen", "127.0.0.1:0", "--threads", "1")
      rig.cleanup.add { await process.destroy() }
      let http = HTTPClient(port: try await process.port())
      try await eventually("a worker") { try await http.post("/push/jobs/first").status == 202 }
      _ = try await worker.receive()
      await worker.pause(true)
      // Each is longer than what the kernel takes for the worker; then all that libzmq holds.
      for length in [900_000, 10_000] {
        let job = "[\"\(String(repeating: "x", count: length))\"]"
        while try await http.post("/push/jobs/job", job).status == 202 {}
      }
      let call = try http.begin("POST", "/rpc/s/slow", headers: ["Content-Type": "application/json"], body: "[]")
      _ = try await backend.call()
      let time = try await duration {
        process.signal(SIGTERM)
        let status = try await process.ended()
        #expect(status == 0)
      }
      #expect(time > .seconds(grace) * 0.85)
      // Not twice the grace, nor as long as the call has.
      #expect(time < .seconds(grace) + .milliseconds(900))
      #expect(try await process.rest().contains("pushes or events that were accepted had not left"))
      call.disconnect()
    }
  }
}
