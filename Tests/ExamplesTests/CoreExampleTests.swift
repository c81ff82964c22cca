import Support
import Testing

@Suite("Examples of the core", .inTurn(minutes: 3))
struct CoreExampleTests {
  private let answers = (0..<10).map { "[data, ask, \($0)]" }

  @Test("EX-1: with delegates, ten questions are answered, and both sides tell their end") func delegates() async throws
  {
    let lines = try await Example(name: "core-dealer-router").lines()
    #expect(lines == answers + ["dealer closed", "router closed", "DONE"])
  }

  @Test("EX-2: with streams, ten questions are answered") func streams() async throws {
    #expect(try await Example(name: "stream-dealer-router").lines() == answers + ["DONE"])
  }
}
