import Gateway
import HTTPServer
import Support
import Testing

@Suite("A libmicrohttpd that checks too little", .inTurn(minutes: 3))
struct LenientLibraryTests {
  @Test(
    "is told of once at the start, with what becomes of chunked bodies; one that checks enough is not",
    arguments: ["auto", "accept", "refuse"])
  func told(chunked: String) async throws {
    try await Rig.with { rig in
      let log = RecordingLog()
      let configuration = try Configuration.load(
        yaml: "http: { listen: [\"127.0.0.1:0\"], threads: 2, chunked: \(chunked) }", file: "test.yaml")
      let gateway = LiveGateway(try await Gateway.start(configuration, logger: log.logger()))
      rig.cleanup.add { await gateway.stop() }
      let warnings = log.lines.filter { $0.hasPrefix("warning: ") && $0.contains("libmicrohttpd") }
      #expect(warnings.count == (try ParserStrictness.linked() == .lenient ? 1 : 0))
      for warning in warnings {
        #expect(warning.contains(chunked == "accept" ? "accepted without a check" : "refused with 411"))
        #expect(warning.contains("docs/security.md"))
      }
    }
  }
}
