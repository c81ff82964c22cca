import HTTPServer
import Testing

@Suite("The address of a client")
struct ClientAddressTests {
  @Test(
    "is read and written, IPv4 within IPv6 too",
    arguments: [
      ("127.0.0.1", "127.0.0.1"), ("::ffff:10.1.2.3", "10.1.2.3"), ("::1", "::1"), ("2001:DB8:0:0::7", "2001:db8::7"),
      ("255.255.255.255", "255.255.255.255"), ("::", "::"),
    ])
  func text(text: String, written: String) { #expect(ClientAddress(text)?.text == written) }

  @Test(
    "is nothing else",
    arguments: [
      "", "localhost", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.4:80", "[::1]", "::1%lo", " ::1", "1.2.3.4\0x",
    ])
  func others(text: String) { #expect(ClientAddress(text) == nil, "\(text)") }

  @Test("counts in IPv6 by the network that one client has, and in IPv4 by itself")
  func network() throws {
    func network(_ text: String) -> String? { ClientAddress(text)?.network.text }
    #expect(network("2001:db8:1:2:3:4:5:6") == "2001:db8:1:2::")
    #expect(network("10.1.2.3") == "10.1.2.3")
    #expect(network("::ffff:10.1.2.3") == "10.1.2.3")
  }

  @Test(
    "is in the ranges that begin like it",
    arguments: [
      ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false), ("10.0.0.0/8", "::ffff:10.1.1.1", true),
      ("10.0.0.7", "10.0.0.7", true), ("10.0.0.7", "10.0.0.6", false), ("10.0.0.6/31", "10.0.0.7", true),
      ("0.0.0.0/0", "1.2.3.4", true), ("0.0.0.0/0", "2001:db8::1", false), ("::/0", "1.2.3.4", true),
      ("fd00::/8", "fdff::1", true), ("fd00::/8", "fe00::1", false), ("2001:db8::/64", "2001:db8::ffff", true),
      ("2001:db8::/64", "2001:db8:0:1::", false), ("2001:db8::8/125", "2001:db8::f", true),
      ("2001:db8::8/125", "2001:db8::10", false), ("::1", "::1", true), ("127.0.0.1/32", "127.0.0.2", false),
    ])
  func ranges(range: String, address: String, isIn: Bool) throws {
    #expect(try #require(AddressRange(range)).contains(#require(ClientAddress(address))) == isIn)
  }

  @Test(
    "has no range that is written otherwise",
    arguments: [
      "10.0.0.0/33", "10.0.0.1/8", "::/129", "fd00::1/64", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8/8",
      "x/8", "",
    ])
  func noRanges(text: String) { #expect(AddressRange(text) == nil) }
}
