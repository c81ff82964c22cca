import Testing

@testable import ZeroMQ

@Suite("the address of a peer")
struct PeerAddressTests {
  @Test(
    "is in numbers and in one spelling, and nil for what is no address",
    arguments: [
      ("127.0.0.1", "127.0.0.1"), ("::ffff:10.0.0.1", "10.0.0.1"), ("::1", "::1"), ("fe80::1%lo", "fe80::1%lo"),
      ("::ffff:0:1", "::ffff:0:1"), ("localhost:0:0:1", nil), ("", nil), (nil, nil),
    ] as [(String?, String?)])
  func number(property: String?, address: String?) { #expect(PeerAddress.number(property) == address) }
}
