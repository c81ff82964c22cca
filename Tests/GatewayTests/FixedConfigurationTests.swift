import Support
import Testing

@testable import Gateway

@Suite("A configuration that comes after another", .inTurn(minutes: 1))
struct FixedConfigurationTests {
  @Test("what is read at a start only stays, and is named")
  func fixed() throws {
    func read(_ yaml: String) throws -> Configuration { try Configuration.load(yaml: yaml, file: "test.yaml") }
    let served = try read("http: { listen: [\"0.0.0.0:80\"], threads: 2 }\nauth: none")
    let (next, fixed) = try read("http: { threads: 3, limits: { batch: 7 } }\nauth: none\nservices: {}")
      .keepingWhatIsFixed(in: served)
    #expect(fixed == ["http.listen", "http.threads", "http.limits"])
    #expect(next == served)
    // It would serve everyone who reaches 0.0.0.0, and nobody has said that it may.
    #expect(throws: (any Error).self) { try read("http: { threads: 2 }").keepingWhatIsFixed(in: served) }
  }
}
