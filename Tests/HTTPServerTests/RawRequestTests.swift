import Support
import Testing

@testable import HTTPServer

@Suite("Raw requests", .inTurn(minutes: 4))
struct RawRequestTests {
  @Test(
    "are served or refused, alone and between two others, and nothing runs behind a refused one",
    arguments: RawRequest.sections)
  func judged(section: String) async throws {
    try await Fixture.with { fixture in
      let judge = try RawRequestJudge(port: fixture.address.port, isStrict: ParserStrictness.linked() == .strict)
      let complaints = try await judge.complaints(RawRequest.all.filter { $0.section == section })
      #expect(complaints.isEmpty, "\(complaints.joined(separator: "\n"))")
    }
  }
}
