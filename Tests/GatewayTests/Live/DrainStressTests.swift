import Foundation
import Glibc
import MessagePack
import Reactor
import Support
import Testing
import ZeroMQ

/// The end of a gateway that has work: in CI twenty times, with `make soak` two hundred times.
@Suite("stopping under load", .inTurn(minutes: 30))
struct DrainStressTests {
  private static let rounds = 20 * (ProcessInfo.processInfo.environment["ZMQ_GATEWAY_SOAK"].flatMap { Int($0) } ?? 1)

  /// What one client saw: results, and refusals.
  private struct Seen {
    var results = 0
    var refusals = 0
    /// Answers that are neither, and such as end in their middle.
    var faults: [String] = []
  }

  @Test(
    "SIGTERM: each request that was accepted is answered, and the gateway exits with 0 within its grace",
    .enabled(if: Program.isThere, "no program is built beside the tests"))
  func drains() async throws {
    try await Rig.with { rig in
      let backend = try await rig.wire(.router)
      let file = try rig.directory.file(
        "gateway.yaml",
        """
        http: { threads: 2 }
        grace: 10s
        services: { s: { pattern: rpc, connect: ["\(await backend.endpoint)"], timeout: 8s } }
        """)
      let answering = Task { while !Task.isCancelled { try await backend.answerNext(.int(7)) } }
      rig.cleanup.add { answering.cancel() }
      for round in 0..<Self.rounds {
        let process = try Program.start("serve", "--config", file, "--listen", "127.0.0.1:0")
        rig.cleanup.add { await process.destroy() }
        let port = try await process.port()
        let seen = Guarded(Seen())
        let total = try await withThrowingTaskGroup(of: Void.self) { group in
          for client in 0..<12 {
            // Some keep their connection, some have one for each call.
            group.addTask { try await offThread { Self.load(port, isKept: client % 2 == 0, seen) } }
          }
          let enough = 50 + 30 * (round % 5)
          try await eventually("the load") { seen.withLock { $0.results } >= enough }
          process.signal(SIGTERM)
          let start = Instant.monotonic()
          let output = try await process.rest()
          #expect(try await process.ended() == 0, "round \(round)")
          #expect(Instant.monotonic() - start < .seconds(10), "round \(round)")
          try await group.waitForAll()
          return output
        }
        let clients = seen.withLock { $0 }
        #expect(clients.faults == [], "round \(round)")
        let last = try #require(total.split(separator: "\n").last { $0.contains("accepted=") })
        func count(_ name: String) throws -> Int {
          let match = try #require(last.firstMatch(of: Regex(" \(name)=([0-9]+)", as: (Substring, Substring).self)))
          return try #require(Int(match.output.1))
        }
        let (accepted, answered, refused) = try (count("accepted"), count("answered"), count("refused"))
        #expect(accepted == answered + refused, "round \(round): \(last)")
        #expect(answered == clients.results && refused == clients.refusals, "round \(round): \(clients), \(last)")
      }
    }
  }

  /// Calls until the gateway takes no more. A connection that ends before an answer has begun is one whose request was not accepted.
  private static func load(_ port: UInt16, isKept: Bool, _ seen: Guarded<Seen>) {
    var connection: HTTPConnection?
    while true {
      do {
        let current = try connection ?? HTTPConnection(port: port)
        connection = isKept ? current : nil
        current.send("POST", "/rpc/s/work", headers: ["Content-Type": "application/json"], body: Array("[1]".utf8))
        let reply = try current.reply()
        let isOver = reply.json["code"] == "draining"
        // No backend is connected in the first moments.
        let isRefusal = isOver || reply.json["code"] == "no-backend"
        seen.withLock { seen in
          if reply.status == 200, reply.body == "7" {
            seen.results += 1
          } else if isRefusal {
            seen.refusals += 1
          } else {
            seen.faults.append("\(reply.status) \(reply.body)")
          }
        }
        if isOver { return }
        // The client's pace; nothing is waited for.
        if isRefusal { usleep(5_000) }
      } catch let closed as HTTPConnection.Closed {
        let isInAnswer = !closed.received.isEmpty && !closed.received.hasPrefix("connect:")
        if isInAnswer { seen.withLock { $0.faults.append("\(closed)") } }
        return
      } catch {
        return
      }
    }
  }
}
