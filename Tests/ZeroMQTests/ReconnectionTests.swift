import Reactor
import Testing

@testable import ZeroMQ

@Suite("what keeps a connection")
struct ReconnectionTests {
  private func endpoint(_ text: String) throws -> Endpoint { try Endpoint(text) }
  private func instant(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

  private func numeric() throws -> Reconnection {
    Reconnection(
      try endpoint("tcp://10.0.0.1:5"), host: nil, pause: .milliseconds(100), longestPause: .milliseconds(400))
  }
  private func named() throws -> Reconnection {
    Reconnection(
      try endpoint("tcp://name:5"), host: "name", pause: .milliseconds(100), longestPause: .milliseconds(400))
  }

  @Test("connects, tells the handshake once, tells the loss once, and leaves the next try to libzmq")
  func lossAndReturn() throws {
    let address = try endpoint("tcp://10.0.0.1:5")
    var it = try numeric()
    #expect(it.start(at: instant(0)) == [.connect(address)])
    #expect(it.lost(at: instant(0)) == [], "a try that failed is no loss")
    #expect(it.retried(at: instant(1)) == [])
    #expect(it.established() == [.tell(.connected)])
    #expect(it.established() == [])
    #expect(it.isConnected)
    #expect(it.deadline == nil)
    #expect(it.lost(at: instant(10)) == [.tell(.disconnected)])
    #expect(!it.isConnected)
    #expect(it.deadline == instant(410))
    #expect(it.retried(at: instant(11)) == [])
    #expect(it.deadline == instant(2_010), "libzmq tries again; only the silence is waited for")
    #expect(it.established() == [.tell(.connected)])
  }

  @Test("a try that has begun is as good as one that was announced")
  func began() throws {
    var it = try numeric()
    _ = it.start(at: instant(0))
    _ = it.lost(at: instant(0))
    it.began()
    #expect(it.deadline == instant(2_000))
  }

  @Test("what libzmq gives up is connected anew at the deadline, not before")
  func givenUp() throws {
    let address = try endpoint("tcp://10.0.0.1:5")
    var it = try numeric()
    _ = (it.start(at: instant(0)), it.established(), it.lost(at: instant(0)))
    #expect(it.expired(at: instant(399)) == [])
    #expect(it.expired(at: instant(400)) == [.disconnect(address), .connect(address)])
    #expect(it.deadline == instant(2_000))
  }

  @Test("the addresses of a name are tried in turn, with a growing pause after each round")
  func rounds() throws {
    let (a, b) = (try endpoint("tcp://10.0.0.1:5"), try endpoint("tcp://[::1]:5"))
    var it = try named()
    #expect(it.start(at: instant(0)) == [.resolve(host: "name")])
    #expect(it.resolved([a, b], at: instant(0)) == [.connect(a)])
    var now: Int64 = 0
    for pause: Int64 in [100, 200, 400, 400] {
      #expect(it.retried(at: instant(now)) == [.disconnect(a), .connect(b)])
      #expect(it.retried(at: instant(now)) == [.disconnect(b)])
      #expect(it.deadline == instant(now + pause))
      now += pause
      #expect(it.expired(at: instant(now)) == [.connect(a)])
    }
    #expect(it.established() == [.tell(.connected)])
  }

  @Test("a name is looked up again after a loss, and from time to time while it has no connection")
  func lookups() throws {
    let (a, b) = (try endpoint("tcp://10.0.0.1:5"), try endpoint("tcp://10.0.0.2:5"))
    var it = try named()
    _ = (it.start(at: instant(0)), it.resolved([a], at: instant(0)), it.established())
    #expect(it.deadline == nil, "a connection that stands needs no lookup")
    #expect(it.lost(at: instant(5)) == [.tell(.disconnected), .resolve(host: "name")])
    #expect(it.retried(at: instant(5)) == [], "one address is libzmq's affair")
    #expect(it.resolved([a], at: instant(6)) == [])
    #expect(it.expired(at: instant(2_005)) == [.tell(.unreached(try endpoint("tcp://name:5"), isResolving: false))])
    let next = instant(6) + Reconnection.period
    #expect(it.deadline == next)
    #expect(it.expired(at: next) == [.resolve(host: "name")])
    #expect(it.deadline == instant(12_005), "one lookup at a time")
    #expect(it.resolved([b], at: next) == [.disconnect(a), .connect(b)], "the service has moved")
  }

  @Test("a name without an address is told once, and asked for again with growing pauses")
  func unresolved() throws {
    let a = try endpoint("tcp://10.0.0.1:5")
    let told = Reconnection.Action.tell(.unresolved(host: "name", reason: "unknown"))
    var it = try named()
    _ = it.start(at: instant(0))
    var now: Int64 = 0
    for (index, pause) in [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000].enumerated() {
      #expect(it.resolved([], reason: "unknown", at: instant(now)) == (index == 0 ? [told] : []))
      now += Int64(pause)
      #expect(it.deadline == instant(now))
      #expect(it.expired(at: instant(now)) == [.resolve(host: "name")])
    }
    #expect(it.resolved([a], at: instant(now)) == [.connect(a)])
    #expect(it.deadline == instant(now + 2_000), "the lack of a connection has a reason of its own from here on")
    _ = (it.established(), it.lost(at: instant(now)))
    #expect(it.resolved([], reason: "unknown", at: instant(now)) == [told])
    #expect(it.current == a, "what was known is still tried")
  }

  @Test("a connection to itself is dropped, never counted, and tried again after a pause")
  func itself() throws {
    let address = try endpoint("tcp://10.0.0.1:5")
    var it = try numeric()
    _ = it.start(at: instant(0))
    #expect(it.connectedToItself(at: instant(0)) == [.disconnect(address), .tell(.connectedToItself(address))])
    #expect(it.current == nil)
    #expect(it.established() == [], "what was still reported of it means nothing")
    #expect(it.lost(at: instant(1)) == [])
    #expect(it.deadline == instant(1_000))
    #expect(it.expired(at: instant(1_000)) == [.connect(address)])
  }

  @Test("the lack of a connection is told after two seconds, not before, and every ten until it has come and gone")
  func silence() throws {
    let address = try endpoint("tcp://10.0.0.1:5")
    let told = Reconnection.Action.tell(.unreached(address, isResolving: false))
    var it = try numeric()
    _ = it.start(at: instant(0))
    #expect(it.expired(at: instant(1_999)) == [])
    #expect(it.expired(at: instant(2_000)) == [told])
    #expect(it.deadline == instant(12_000))
    #expect(it.retried(at: instant(11_000)) == [])
    #expect(it.expired(at: instant(11_999)) == [])
    #expect(it.expired(at: instant(12_000)) == [told])
    _ = (it.established(), it.lost(at: instant(70_000)), it.retried(at: instant(70_000)))
    #expect(it.expired(at: instant(71_999)) == [])
    #expect(it.expired(at: instant(72_000)) == [told])
  }

  @Test("a connection that comes back within two seconds is not told as lacking")
  func briefLoss() throws {
    var it = try numeric()
    _ = (it.start(at: instant(0)), it.lost(at: instant(1)), it.retried(at: instant(1)), it.established())
    #expect(it.deadline == nil)
    #expect(it.expired(at: instant(5_000)) == [])
  }

  @Test("a name whose lookup has not ended is told as that")
  func hangingLookup() throws {
    var it = try named()
    _ = it.start(at: instant(0))
    #expect(it.deadline == instant(2_000))
    let told = Reconnection.Action.tell(.unreached(try endpoint("tcp://name:5"), isResolving: true))
    #expect(it.expired(at: instant(2_000)) == [told])
  }

  @Test("an address that cannot be used now is tried again")
  func unusable() throws {
    let address = try endpoint("tcp://10.0.0.1:5")
    var it = try numeric()
    _ = it.start(at: instant(0))
    #expect(it.unusable(at: instant(0)) == [])
    #expect(it.expired(at: instant(100)) == [.connect(address)])
  }

  @Test("a name that leads to another endpoint's address is told as that, once; a way of its own ends it")
  func taken() throws {
    let (one, two) = (try endpoint("tcp://10.0.0.1:5"), try endpoint("tcp://10.0.0.2:5"))
    let (name, other) = (try endpoint("tcp://name:5"), try endpoint("tcp://other:5"))
    var it = try named()
    _ = (it.start(at: instant(0)), it.resolved([one], at: instant(0)))
    #expect(it.taken(by: other, at: instant(0)) == [])
    var told: [Reconnection.Action] = []
    while let due = it.deadline, due < instant(9_000) {
      let actions = it.expired(at: due)
      told += actions.filter { $0 != .connect(one) }
      if actions.contains(.connect(one)) { #expect(it.taken(by: other, at: due) == []) }
    }
    #expect(told == [.tell(.duplicate(name, of: other))])
    #expect(it.resolved([two], at: instant(9_000)) == [])
    _ = (it.expired(at: instant(12_000)), it.established(), it.lost(at: instant(13_000)))
    #expect(it.expired(at: instant(15_000)).contains(.tell(.unreached(name, isResolving: true))))
  }

  @Test(
    "without a pause a connection that is lost is not made again, and that is all that is told",
    arguments: [nil, .zero] as [Duration?])
  func unrepeated(pause: Duration?) throws {
    let (address, name) = (try endpoint("tcp://10.0.0.1:5"), try endpoint("tcp://name:5"))
    for host in [nil, "name"] {
      var it = Reconnection(host == nil ? address : name, host: host, pause: pause, longestPause: .milliseconds(400))
      _ = it.start(at: instant(0))
      if host != nil { #expect(it.resolved([address], at: instant(0)) == [.connect(address)]) }
      #expect(it.established() == [.tell(.connected)])
      #expect(!it.isOver)
      #expect(it.lost(at: instant(1)) == [.disconnect(address), .tell(.disconnected)])
      #expect(it.isOver)
      #expect(it.deadline == nil)
      #expect(it.lost(at: instant(2)) == [])
      #expect(it.retried(at: instant(2)) == [])
      #expect(it.established() == [])
      #expect(it.resolved([name], at: instant(3)) == [])
      #expect(it.deadline == nil)
      #expect(it.end() == [])
    }
  }

  @Test("without a pause each address has one try, and it is told once that all have failed")
  func unrepeatedChoice() throws {
    let addresses = try (1...3).map { try endpoint("tcp://10.0.0.\($0):5") }
    let name = try endpoint("tcp://name:5")
    var it = Reconnection(name, host: "name", pause: nil, longestPause: .milliseconds(400))
    _ = it.start(at: instant(0))
    #expect(it.resolved(addresses, at: instant(0)) == [.connect(addresses[0])])
    #expect(it.failed() == [.disconnect(addresses[0]), .connect(addresses[1])])
    // One that got as far as a handshake.
    #expect(it.lost(at: instant(1)) == [.disconnect(addresses[1]), .connect(addresses[2])])
    #expect(it.failed() == [.disconnect(addresses[2]), .tell(.unreached(name, isResolving: false))])
    #expect(it.isOver && it.deadline == nil && it.failed() == [])
  }

  @Test("where libzmq tries again, that a try has failed changes nothing") func failed() throws {
    var it = try numeric()
    _ = it.start(at: instant(0))
    #expect(it.failed() == [] && !it.isOver)
  }

  @Test("the end drops the connection and tells it if it stood")
  func end() throws {
    let address = try endpoint("tcp://10.0.0.1:5")
    var it = try numeric()
    _ = it.start(at: instant(0))
    #expect(it.end() == [.disconnect(address)])
    _ = (it.start(at: instant(0)), it.established())
    #expect(it.end() == [.disconnect(address), .tell(.disconnected)])
  }
}
