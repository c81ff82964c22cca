import HTTPServer
import Support
import Testing

/// What raw-requests.txt says is refused, sent to a whole gateway.
@Suite("A refused raw request", .inTurn(minutes: 4))
struct RefusedRawRequestTests {
  @Test("gets one head and one problem document, and nothing runs behind it", arguments: RawRequest.sections)
  func problem(section: String) async throws {
    try await Rig.with { rig in
      let gateway = try await rig.gateway(
        #"s: { pattern: rpc, connect: ["\#(rig.directory.endpoint("s"))"] }"#, http: "hosts: [a, localhost]")
      let judge = try RawRequestJudge(
        port: gateway.http.port, isStrict: ParserStrictness.linked() == .strict, isGateway: true)
      let complaints = try await judge.complaints(RawRequest.all.filter { $0.section == section })
      #expect(complaints.isEmpty, "\(complaints.joined(separator: "\n"))")
    }
  }
}
