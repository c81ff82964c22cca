import HTTPServer
import Testing

@Suite("Listen addresses", .timeLimit(.minutes(1)))
struct ListenAddressTests {
  @Test("addresses are read and printed", arguments: ["127.0.0.1:8080", "0.0.0.0:0", "[::1]:65535", "[::]:1"])
  func roundTrip(text: String) throws {
    #expect(try ListenAddress(parsing: text).description == text)
  }

  @Test(
    "what is no numeric address and port is refused",
    arguments: [
      "", "127.0.0.1", ":80", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:+1", "::1:80",
      "[127.0.0.1]:80",
      "example.org:80", "127.0.0.1:8x", "[::1:80", "256.0.0.1:80",
    ])
  func refused(text: String) {
    #expect(throws: HTTPServerError.self) { try ListenAddress(parsing: text) }
  }

  @Test("only this machine reaches a loopback address")
  func loopback() throws {
    #expect(try ListenAddress(parsing: "localhost:80").isLoopback)
    #expect(try ListenAddress(parsing: "127.1.2.3:80").isLoopback)
    #expect(try ListenAddress(parsing: "[::1]:80").isLoopback)
    #expect(try !ListenAddress(parsing: "0.0.0.0:80").isLoopback)
    #expect(try !ListenAddress(parsing: "[::]:80").isLoopback)
  }

  @Test("an IPv6 listener knows its port")
  func ipv6() throws {
    let listener = try Listener.open(ListenAddress(parsing: "[::1]:0"))
    #expect(listener.address.port > 0)
    listener.close()
  }
}
