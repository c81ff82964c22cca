import Support
import Testing

@testable import HTTPServer

@Suite("The self-test of the parser", .inTurn(minutes: 3))
struct ParserSelfTestTests {
  @Test("what the library is called is what the linked release is known to be")
  func release() throws {
    let expected: ParserStrictness = Daemon.release.hasPrefix("0.") ? .lenient : .strict
    #expect(try ParserStrictness.linked() == expected)
  }

  @Test("sound requests are served", arguments: ParserSelfTest.sound)
  func sound(request: String) throws {
    #expect(try ParserSelfTest(ParserStrictness.linked()).isServed(request))
  }

  @Test("what can be seen behind the library is refused with each library", arguments: ParserSelfTest.visible)
  func visible(request: String) throws {
    #expect(try !ParserSelfTest(ParserStrictness.linked()).isServed(request))
  }

  @Test("what cannot be seen behind the library is refused by a strict one only", arguments: ParserSelfTest.hidden)
  func hidden(request: String) throws {
    let strictness = try ParserStrictness.linked()
    #expect(try ParserSelfTest(strictness).isServed(request) == (strictness == .lenient))
  }

  @Test("where a lenient library is linked, it is not taken for a strict one, and the reverse")
  func roads() throws {
    switch try ParserStrictness.linked() {
    case .lenient: #expect(throws: HTTPServerError.self) { try ParserSelfTest(.strict) }
    // A strict library moves bytes around: addresses tell nothing.
    case .strict: #expect(try !ParserSelfTest(.lenient).isPassed())
    }
  }
}
