import Reactor
import Support
import Testing

@Suite("Host and port", .inTurn(minutes: 3))
struct HostAndPortTests {
  @Test(
    "are taken apart at the last colon, brackets aside",
    arguments: [
      ("host:80", "host", "80", false), ("[::1]:80", "::1", "80", true), ("::1:80", "::1", "80", false),
      (":80", "", "80", false), ("host:", "host", "", false), ("[::1", "[:", "1", false), ("[]:1", "", "1", true),
    ])
  func parts(text: String, host: String, port: String, isBracketed: Bool) throws {
    let parts = try #require(HostAndPort(text[...]))
    #expect(parts.host == host)
    #expect(parts.port == port)
    #expect(parts.isBracketed == isBracketed)
  }

  @Test("need a colon", arguments: ["", "host", "[]"])
  func none(text: String) { #expect(HostAndPort(text[...]) == nil) }

  @Test(
    "a port is digits up to 65535",
    arguments: [
      ("0", 0), ("65535", 65_535), ("65536", nil), ("080", 80), ("", nil), ("+1", nil), ("-1", nil), (" 1", nil),
      ("1x", nil),
    ] as [(String, UInt16?)])
  func ports(text: String, number: UInt16?) { #expect(HostAndPort("h:\(text)")?.portNumber == number) }
}
