import Support
import Testing

@testable import HTTPServer

@Suite("Texts of headers", .inTurn(minutes: 3))
struct HeaderTextTests {
  private func with<Result>(_ text: String, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    Array(text.utf8).withUnsafeBytes(body)
  }

  @Test("letters match in any case, and nothing else does")
  func caseless() {
    for text in ["chunked", "CHUNKED", "ChunkeD"] { #expect(with(text) { $0.isCaseless("chunked") }) }
    for text in ["", "chunke", "chunkedx", "chunked ", "chunkeD\0"] {
      #expect(with(text) { !$0.isCaseless("chunked") })
    }
    // These differ from "@[`{" in the bit that tells large letters from small ones.
    #expect(with("`{@[") { !$0.isCaseless("@[`{") })
    #expect(with("") { $0.isCaseless("") })
  }

  @Test("a prefix matches in any case")
  func prefix() {
    for text in ["http://", "HTTP://a", "Http:///"] { #expect(with(text) { $0.hasCaselessPrefix("http://") }) }
    for text in ["", "http:/", "xhttp://", "https://"] { #expect(with(text) { !$0.hasCaselessPrefix("http://") }) }
  }

  @Test("a suffix matches in any case")
  func suffix() {
    for text in ["+json", "a+JSON", "application/x+Json"] { #expect(with(text) { $0.hasCaselessSuffix("+json") }) }
    for text in ["", "json", "+jsonx", "+jso"] { #expect(with(text) { !$0.hasCaselessSuffix("+json") }) }
  }

  @Test("blanks and tabulators around a text are trimmed, and none inside")
  func trimmed() {
    for (text, expected) in [("", ""), (" ", ""), ("\t \t", ""), ("a", "a"), (" a b\t", "a b"), ("\ra\n", "\ra\n")] {
      #expect(with(text) { String(decoding: $0.trimmed, as: UTF8.self) } == expected)
    }
  }
}
