import CLinux
import Support
import Testing

@testable import HTTPServer

@Suite("Open connections", .inTurn(minutes: 3))
struct OpenConnectionsTests {
  private func client(_ last: UInt8, isMapped: Bool = false) -> ClientAddress {
    var peer = clinux_peer()
    withUnsafeMutableBytes(of: &peer.address) { bytes in
      let address = [10, 0, 0, last]
      if isMapped {
        bytes.copyBytes(from: [UInt8](repeating: 0, count: 8 + 10) + [0xFF, 0xFF] + address)
      } else {
        bytes.copyBytes(from: [0, 0, 1, last] + address)
      }
    }
    peer.address.sin6_family = sa_family_t(isMapped ? AF_INET6 : AF_INET)
    return ClientAddress(peer)
  }

  @Test("each limit is exact, and a place given back is free")
  func limits() {
    let open = OpenConnections(limit: 5, perAddress: 3)
    let (one, other) = (client(1), client(2))
    #expect((0..<4).map { _ in open.enter(one) } == [true, true, true, false])
    #expect(open.count == 3)
    #expect((0..<3).map { _ in open.enter(other) } == [true, true, false])
    #expect(open.count == 5)
    open.leave(one)
    #expect(open.enter(one))
    #expect(!open.enter(one))
    open.leave(one)
    #expect(open.enter(client(3)))
    #expect(!open.enter(client(4)))
  }

  @Test("an address is the same in IPv4 and mapped into IPv6, and its port says nothing")
  func mapped() {
    #expect(client(7) == client(7, isMapped: true))
    #expect(client(7) != client(8))
  }

  @Test("the limits hold when several threads ask at once")
  func threads() async {
    let open = OpenConnections(limit: 10, perAddress: 4)
    await withTaskGroup { group in
      for thread in 0..<4 {
        group.addTask { [one = client(1), own = client(UInt8(10 + thread))] in
          for _ in 0..<2_000 {
            for address in [one, own] where open.enter(address) {
              #expect(open.count <= 10)
              open.leave(address)
            }
          }
        }
      }
    }
    #expect(open.count == 0)
    #expect((0..<5).map { _ in open.enter(client(1)) } == [true, true, true, true, false])
  }
}
