import Glibc
import Reactor
import Support
import Testing

@testable import ZeroMQ

/// Looks at real peers.
@Suite("a look at a peer", .inTurn(minutes: 3))
struct PeerLookTests {
  private func look(at endpoint: String, for kind: SocketKind = .dealer, _ look: PeerLook = .shared) async throws
    -> ConnectFault?
  {
    let endpoint = try Endpoint(endpoint)
    return await withCheckedContinuation { done in
      look.look(at: endpoint, for: kind, of: "rpc") { done.resume(returning: $0) }
    }
  }

  @Test(
    "finds the kind of the socket, over tcp and ipc, and names what is wrong with it",
    arguments: [
      (SocketKind.router, SocketKind.dealer, nil), (.dealer, .dealer, nil), (.pull, .push, nil),
      (.subscribe, .publish, nil), (.publish, .subscribe, nil),
      (.pull, .dealer, "the peer is PULL, rpc needs ROUTER"), (.router, .push, "the peer is ROUTER, rpc needs PULL"),
      (.publish, .publish, "the peer is PUB, rpc needs SUB"), (.pull, .subscribe, "the peer is PULL, rpc needs PUB"),
    ] as [(SocketKind, SocketKind, String?)])
  func kinds(peer: SocketKind, own: SocketKind, words: String?) async throws {
    let directory = try TemporaryDirectory()
    try await Stations.with { stations in
      let station = try await stations.open(peer)
      for endpoint in [
        "tcp://127.0.0.1:*", "ipc://@look-\(getpid())-\(peer.rawValue)-\(own.rawValue)", directory.endpoint("peer"),
      ] {
        let fault = try await look(at: try await station.bind(endpoint), for: own)
        #expect(fault?.code == (words == nil ? nil : .wrongSocketType))
        #expect(fault?.description.hasPrefix(words ?? "") ?? true)
      }
      #expect(station.events.withLock { !$0.contains(.connected) }, "a look is no connection")
      #expect(await station.isOpen)
    }
  }

  @Test("says that nobody is there, and in which way")
  func nobody() async throws {
    let directory = try TemporaryDirectory()
    #expect(try await look(at: "tcp://127.0.0.1:\(try RawPeer.freePort())")?.code == .refused)
    #expect(try await look(at: directory.endpoint("nobody"))?.code == .noSuchPath)
    #expect(try await look(at: "tcp://no-such-host.invalid:5555")?.code == .unresolved)
  }

  @Test("more looks than threads wait their turn")
  func turns() async throws {
    let (one, port) = (PeerLook(most: 1), try RawPeer.freePort())
    let codes = try await withThrowingTaskGroup { group in
      for _ in 0..<8 { group.addTask { try await look(at: "tcp://127.0.0.1:\(port)", one)?.code } }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(codes == Array(repeating: .refused, count: 8))
  }
}
