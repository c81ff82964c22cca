import Support
import Testing

@testable import Gateway

@Suite("An origin in the configuration", .inTurn(minutes: 3))
struct OriginPatternTests {
  private func matches(_ pattern: String, _ origin: String) throws -> Bool {
    let pattern = try OriginPattern(pattern)
    return Array(origin.utf8).withUnsafeBytes { pattern.matches($0) }
  }

  @Test(
    "is one, exactly, as a browser writes it",
    arguments: [
      ("https://app.example", "https://app.example"), ("HTTPS://App.Example", "https://app.example"),
      ("https://app.example:443", "https://app.example"), ("http://app.example:80", "http://app.example"),
      ("http://app.example:443", "http://app.example:443"), ("http://localhost:5173", "http://localhost:5173"),
      ("http://[::1]:80", "http://[::1]"), ("http://127.0.0.1:8443", "http://127.0.0.1:8443"),
      ("capacitor://localhost", "capacitor://localhost"), ("chrome-extension://abc", "chrome-extension://abc"),
    ])
  func one(pattern: String, origin: String) throws {
    #expect(try OriginPattern(pattern).isOne)
    #expect(try matches(pattern, origin))
    for other in [
      origin + ".evil.example", origin + "/", origin + ":1", "x" + origin, origin + " ", origin.uppercased(), "null",
      "",
    ] { #expect(try !matches(pattern, other), "\(other)") }
  }

  @Test("with a star is any host below the name, and nothing else")
  func below() throws {
    for origin in ["https://a.app.example", "https://a.b.app.example", "https://a-1_2.app.example"] {
      #expect(try matches("https://*.app.example", origin), "\(origin)")
    }
    for origin in [
      "https://app.example", "https://.app.example", "http://a.app.example", "https://a.app.example:8443",
      "https://evilapp.example", "https://evil.example/.app.example", "https://evil.example:1.app.example",
      "https://a@b.app.example", "https://evil.example#.app.example", "https://a..app.example",
      "https://-.app.example.x",
      "https://*.app.example.evil", "https://a b.app.example", "null", "",
    ] { #expect(try !matches("https://*.app.example", origin), "\(origin)") }
    #expect(try matches("https://*.app.example:8443", "https://a.app.example:8443"))
    #expect(try !matches("https://*.app.example:8443", "https://a.app.example"))
    #expect(try !OriginPattern("https://*.app.example").isOne)
  }

  @Test("may be all of them")
  func all() throws {
    for origin in ["https://a.example", "null", "http://localhost:1"] { #expect(try matches("*", origin)) }
  }

  @Test(
    "is refused when it is none",
    arguments: [
      "null", "", "app.example", "https://", "https://app.example/", "https://app.example/path", "//app.example",
      "https://a.*.example", "https://*", "https://*.", "*.app.example", "https://a..b", "https://a:b",
      "https://a:99999",
      "1http://a", "https://u@a", "https://a?b", "https://[a]", "https://ä.example", "https://*app.example",
    ])
  func wrong(text: String) { #expect(throws: OriginPattern.Invalid.self) { try OriginPattern(text) } }

  @Test("that may be anybody's goes with no credentials, and what is wrong is told with its line")
  func configuration() throws {
    let yaml = """
      http:
        cors:
          origins: ["https://app.example", app.example]
          credentials: maybe
          max-age: 25h
          max: 1
      """
    let found = complaints(yaml)
    #expect(
      found.map { $0.split(separator: " ")[1] } == [
        "http.cors.origins[1]:", "http.cors.credentials:", "http.cors.max-age:", "http.cors.max:",
      ])
    for wide in ["*", "https://*.app.example"] {
      let found = complaints("http: { cors: { origins: [https://app.example, \"\(wide)\"], credentials: true } }")
      #expect(found.count == 1 && found[0].contains("http.cors.credentials: contradiction: \"\(wide)\""), "\(found)")
    }
    let good = try Configuration.load(
      yaml: "http: { cors: { origins: https://app.example, credentials: true, max-age: 90s } }", file: "f")
    #expect(good.http.cors.origins.map(\.text) == ["https://app.example"])
    #expect(good.http.cors.allowsCredentials && good.http.cors.maxAge == .seconds(90))
    #expect(good.notes.allSatisfy { !$0.contains("cors") })
    let open = try Configuration.load(yaml: "http: { cors: { origins: \"*\" } }", file: "f")
    #expect(open.notes.contains { $0.hasPrefix("http.cors.origins: ") })
  }
}
