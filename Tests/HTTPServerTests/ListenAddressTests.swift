import Support
import Testing

@testable import HTTPServer

@Suite("Listen addresses", .inTurn(minutes: 3))
struct ListenAddressTests {
  @Test(
    "addresses are read and printed",
    arguments: ["127.0.0.1:8080", "0.0.0.0:0", "[::1]:65535", "[::]:1", "localhost:80", "LocalHost:80"])
  func roundTrip(text: String) throws {
    #expect(try ListenAddress(text).description == text)
  }

  @Test(
    "what is no numeric address and port is refused with what to write",
    arguments: [
      ("", #"expected host:port, such as 127.0.0.1:8080, not """#),
      ("8080", #"expected host:port, such as 127.0.0.1:8080, not "8080""#),
      (":80", "expected host:port, such as 127.0.0.1:80"),
      ("*:80", "to listen on every address, write 0.0.0.0:80 or [::]:80"),
      ("127.0.0.1:", #""" is no port; ports are 0...65535"#),
      ("127.0.0.1:65536", #""65536" is no port; ports are 0...65535"#),
      ("127.0.0.1:-1", #""-1" is no port; ports are 0...65535"#),
      ("127.0.0.1:+1", #""+1" is no port; ports are 0...65535"#),
      ("127.0.0.1:8x", #""8x" is no port; ports are 0...65535"#),
      ("::1:80", "an IPv6 address goes in brackets, and nothing else does: [::1]:80"),
      ("[::1:80", "an IPv6 address goes in brackets, and nothing else does: [::1]:80"),
      ("[127.0.0.1]:80", "an IPv6 address goes in brackets, and nothing else does: [::1]:80"),
      ("http://127.0.0.1:80/api", "write the address without http://, as host:port: 127.0.0.1:80"),
      ("[::g]:80", #""::g" is no IPv6 address"#),
      ("256.0.0.1:80", #""256.0.0.1" is no IPv4 address"#),
      ("127.0.0:80", #""127.0.0" is no IPv4 address"#),
      (
        "example.org:80",
        #""example.org" is no address; write the numbers of the address to listen on, such as 0.0.0.0:80"#
      ),
    ])
  func refused(text: String, reason: String) {
    #expect(throws: ListenAddress.Invalid(reason: reason)) { try ListenAddress(text) }
  }

  @Test("a NUL hides nothing", arguments: ["127.0.0.1\0:80", "[::1\0]:80", "localhost\0:80"])
  func nul(text: String) {
    #expect(throws: ListenAddress.Invalid.self) { try ListenAddress(text) }
  }

  @Test(
    "only this machine reaches a loopback address",
    arguments: [
      ("localhost:1", true), ("LocalHost:1", true), ("127.0.0.1:1", true), ("127.255.0.9:1", true), ("[::1]:1", true),
      ("[0:0::1]:1", true), ("[::ffff:127.1.2.3]:1", true), ("[::FFFF:7f00:1]:1", true), ("128.0.0.1:1", false),
      ("10.0.0.1:1", false), ("0.0.0.0:1", false), ("[::]:1", false), ("[::2]:1", false), ("[::127.0.0.1]:1", false),
      ("[::ffff:10.0.0.1]:1", false), ("[fe80::1]:1", false),
    ])
  func loopback(text: String, expected: Bool) throws {
    #expect(try ListenAddress(text).isLoopback == expected)
  }

  @Test("a listener knows its port, and its address in numbers", arguments: ["[::1]:0", "127.0.0.1:0", "localhost:0"])
  func bound(text: String) throws {
    let listener = try Listener.open(ListenAddress(text))
    #expect(listener.address.port > 0)
    #expect(listener.address.host == (text.hasPrefix("[") ? "::1" : "127.0.0.1"))
    listener.close()
  }
}
