import Support
import Testing

/// A thousand streams that drop and resume at random, against a ledger of what each of them got.
@Suite("the ledger of resumed streams", .serialized, .inTurn(minutes: 4))
struct LedgerTests {
  @Test(
    "each event comes once to each stream or is covered by a gap, whenever it drops and resumes, also across a restart",
    .enabled(if: Python.isThere, "\(Python.comment)"))
  func ledger() async throws {
    try await Rig.with { rig in
      let endpoint = rig.directory.endpoint("s")
      let process = try Python.start("ledger.py", ["--seconds", "10", endpoint])
      rig.cleanup.add { await process.destroy() }
      _ = try await process.line()
      let services = "s: { pattern: pubsub, subscribe: { connect: [\"\(endpoint)\"], history: { events: 1000 } } }"
      let http = "limits: { connections-per-address: 5000 }"
      let gateway = try await rig.gateway(services, http: http)
      process.write("\(gateway.http.port)\n")
      #expect(try await process.line().flatMap { JSON($0) }?["restart"] == true)
      await gateway.stop()
      _ = try await rig.gateway(services, http: http, listen: "127.0.0.1:\(gateway.http.port)")
      let result = try #require(try await process.line().flatMap { JSON($0) })
      #expect(result["violations"] == [], "\(result)")
      #expect(result["incomplete"] == 0, "\(result)")
      #expect(result["epochs"] == 2, "\(result)")
      // All that should have happened has.
      #expect(result["published"].integer ?? 0 > 2_500, "\(result)")
      #expect(result["resumed"].integer ?? 0 > 1_000, "\(result)")
      #expect(result["evicted"].integer ?? 0 > 10, "\(result)")
      #expect(result["restart"].integer ?? 0 > 500, "\(result)")
    }
  }
}
