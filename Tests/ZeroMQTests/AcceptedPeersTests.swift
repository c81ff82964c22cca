import Testing

@testable import ZeroMQ

@Suite("peers of a bound endpoint")
struct AcceptedPeersTests {
  @Test("the count follows what is reported, and never sinks below zero")
  func counts() {
    var peers = AcceptedPeers()
    #expect(peers.take(.closed(descriptor: 1)) == [])
    for descriptor in CInt(1)...4 { #expect(peers.take(.accepted(descriptor: descriptor)) == []) }
    #expect(peers.take(.established) == [.connected])
    #expect(
      [peers.take(.failed(isMisfit: false)), peers.take(.failed(isMisfit: false))] == [[.unfinished], [.unfinished]])
    #expect([peers.take(.closed(descriptor: 1)), peers.take(.closed(descriptor: 2))] == [[], []])
    #expect(peers.count == 1)
    #expect(peers.take(.refused) == [.refused])
    #expect(peers.take(.closed(descriptor: 3)) == [])
    #expect(peers.take(.closed(descriptor: 4)) == [.disconnected])
    #expect(peers.take(.closed(descriptor: 4)) == [])
    #expect(peers.count == 0)
  }

  @Test("one that is turned away without a word, as libzmq does with kinds that do not fit, is no loss of another")
  func misfit() {
    var peers = AcceptedPeers()
    _ = (peers.take(.accepted(descriptor: 7)), peers.take(.established))
    for _ in 0..<3 {
      #expect(peers.take(.accepted(descriptor: 8)) == [])
      #expect(peers.take(.closed(descriptor: 8)) == [.misfit])
      #expect(peers.count == 1)
    }
    #expect(peers.take(.closed(descriptor: 7)) == [.disconnected])
    #expect(peers.count == 0)
  }

  @Test("one that wants another mechanism is told once")
  func mechanism() {
    var peers = AcceptedPeers()
    _ = peers.take(.accepted(descriptor: 7))
    #expect(peers.take(.failed(isMisfit: true)) == [.misfit])
    #expect(peers.take(.closed(descriptor: 7)) == [])
  }

  @Test("of two in their handshakes, one of which is done, the end of one is not taken for a loss at once")
  func twoAtOnce() {
    var peers = AcceptedPeers()
    _ = (peers.take(.accepted(descriptor: 1)), peers.take(.accepted(descriptor: 2)))
    #expect(peers.take(.established) == [.connected])
    #expect(peers.take(.closed(descriptor: 1)) == [.misfit])
    #expect(peers.count == 1)
    // It was the other one that had been turned away, then.
    #expect(peers.take(.closed(descriptor: 2)) == [.disconnected])
    #expect(peers.count == 0)
  }

  @Test("a loss that was overlooked is made good when the next handshake is done")
  func overlooked() {
    var peers = AcceptedPeers()
    _ = (peers.take(.accepted(descriptor: 1)), peers.take(.accepted(descriptor: 2)), peers.take(.established))
    #expect(peers.take(.closed(descriptor: 1)) == [.misfit])
    #expect(peers.take(.established) == [.disconnected, .connected])
    #expect(peers.count == 1)
    #expect(peers.take(.closed(descriptor: 2)) == [.disconnected])
  }

  @Test("two that are both done are known by their descriptors, and a number may be used again")
  func both() {
    var peers = AcceptedPeers()
    _ = (peers.take(.accepted(descriptor: 1)), peers.take(.accepted(descriptor: 2)))
    #expect([peers.take(.established), peers.take(.established)] == [[.connected], [.connected]])
    #expect(peers.take(.closed(descriptor: 2)) == [.disconnected])
    #expect(peers.take(.accepted(descriptor: 2)) == [])
    #expect(peers.take(.closed(descriptor: 2)) == [.misfit])
    #expect(peers.count == 1)
  }
}
