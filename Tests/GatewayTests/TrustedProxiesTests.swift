import HTTPServer
import Support
import Testing

@testable import Gateway

@Suite("Behind proxies that are trusted, the client is")
struct TrustedProxiesTests {
  private func client(_ lines: [String], _ header: Configuration.ProxyHeader, peer: String = "10.0.0.1") throws
    -> String
  {
    var http = Configuration.HTTP()
    http.trustedProxies = [try #require(AddressRange("10.0.0.0/8")), try #require(AddressRange("fd00::/8"))]
    http.proxyHeader = header
    let proxies = try #require(TrustedProxies(http))
    return proxies.client(behind: try #require(ClientAddress(peer)), lines).text
  }

  @Test(
    "the last address that is none of a proxy; what stands before it anybody may have written",
    arguments: [
      (["1.2.3.4"], "1.2.3.4"), (["6.6.6.6, 1.2.3.4"], "1.2.3.4"), (["6.6.6.6, 1.2.3.4, 10.9.9.9"], "1.2.3.4"),
      (["6.6.6.6", "1.2.3.4 ,\t10.2.2.2"], "1.2.3.4"), (["1.2.3.4:5678"], "1.2.3.4"),
      (["[2001:db8::1]:80"], "2001:db8::1"),
      (["2001:db8::1"], "2001:db8::1"), (["10.3.3.3, 10.2.2.2"], "10.3.3.3"), ([], "10.0.0.1"),
      // What cannot be read ends what can be believed.
      (["1.2.3.4, unknown, 10.2.2.2"], "10.2.2.2"), (["unknown"], "10.0.0.1"), ([""], "10.0.0.1"),
      (["1.2.3.4,"], "10.0.0.1"),
      (["[1.2.3.4"], "10.0.0.1"), (["[::1]x"], "10.0.0.1"),
      // A quote is one character of many here, and behind a colon stands a port.
      (["6.6.6.6:\", 1.2.3.4"], "1.2.3.4"), (["\", 1.2.3.4"], "1.2.3.4"), (["1.2.3.4:\""], "10.0.0.1"),
      (["[2001:db8::66]:\", 1.2.3.4"], "1.2.3.4"), (["[2001:db8::66]:x"], "10.0.0.1"),
    ])
  func forwardedFor(lines: [String], expected: String) throws {
    #expect(try client(lines, .forwardedFor) == expected)
  }

  @Test(
    "the same in Forwarded",
    arguments: [
      (["for=1.2.3.4"], "1.2.3.4"), (["for=6.6.6.6, For=\"1.2.3.4:80\";proto=https;by=10.0.0.1"], "1.2.3.4"),
      (["for=\"[2001:db8::1]:4711\""], "2001:db8::1"), (["by=x;for=1.2.3.4", "for=10.4.4.4"], "1.2.3.4"),
      (["for=6.6.6.6;x=\", for=7.7.7.7\", for=1.2.3.4"], "1.2.3.4"),
      (["for=_hidden"], "10.0.0.1"), (["proto=https"], "10.0.0.1"), (["for=1.2.3.4, for=unknown"], "10.0.0.1"),
      (["for=\"1.2.3.4"], "10.0.0.1"),
      // A quote that is left open takes in what a proxy has appended.
      (["for=6.6.6.6;x=\", for=1.2.3.4"], "10.0.0.1"), (["for=6.6.6.6;by=\"a\\\", for=1.2.3.4"], "10.0.0.1"),
      (["for=6.6.6.6;x=\", for=\"[2001:db8::1]\""], "10.0.0.1"),
    ])
  func forwarded(lines: [String], expected: String) throws {
    #expect(try client(lines, .forwarded) == expected)
  }

  @Test("found in whatever is written there, without a crash, and never where no proxy could have put it")
  func mutations() throws {
    var random = SplitMix(state: 12)
    let pieces = [
      "for=", "\"", "[", "]", ":", ",", ";", "1.2.3.4", "10.0.0.2", "::1", "\\", " ", "é", "=", "unknown", "by",
    ]
    for _ in 0..<20_000 {
      let line = (0..<Int.random(in: 0...12, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }
        .joined()
      for header in Configuration.ProxyHeader.allCases {
        let found = try client([line], header)
        #expect(found == "10.0.0.1" || line.contains(found) || found.contains(":"), "\(line)")
      }
    }
  }
}
