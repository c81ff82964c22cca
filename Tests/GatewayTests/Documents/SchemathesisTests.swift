import Support
import Testing

@Suite("The interface and requests that are made up from its document", .inTurn(minutes: 10))
struct SchemathesisTests {
  @Test(
    "schemathesis finds no answer that the document does not have, and no wrong request that is taken",
    .enabled(if: Python.has("schemathesis"), "ZMQ_GATEWAY_PYTHON has no schemathesis"))
  func requests() async throws {
    try await Cleanup.with { cleanup in
      let gateway = try await Rig.demonstration(prefix: "/api", cleanup)
      let run = try Subprocess(
        Python.path ?? "",
        [
          "-c", "from schemathesis.cli import schemathesis; schemathesis()", "--config-file",
          Repository.path("Tests/Interop/schemathesis.toml"), "run",
          "http://127.0.0.1:\(gateway.http.port)/api/openapi.json",
        ], complaints: .withOutput)
      cleanup.add { await run.destroy() }
      let output = try await run.rest()
      let failures = output.firstRange(of: "FAILURES").map { output[$0.lowerBound...] } ?? output[...]
      #expect(try await run.ended() == 0, "\(failures.prefix(20_000))")
    }
  }
}
