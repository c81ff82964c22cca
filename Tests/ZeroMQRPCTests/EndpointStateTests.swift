import Reactor
import Testing

@testable import ZeroMQ
@testable import ZeroMQRPC

/// What the operator is told of an endpoint, by what its sockets tell.
@Suite("an endpoint's state")
struct EndpointStateTests {
  private final class Socket {}
  private let first = Socket()
  private let second = Socket()
  private var a: ObjectIdentifier { ObjectIdentifier(first) }
  private var b: ObjectIdentifier { ObjectIdentifier(second) }

  private func at(_ seconds: Int) -> Instant { Instant(nanoseconds: 0) + .seconds(seconds) }

  @Test("the first connection of all threads is told, the others are not")
  func connected() {
    var state = EndpointState()
    #expect(state.connected(a) == .connected)
    #expect(state.connected(b) == nil)
    #expect(state.count == 2)
  }

  @Test("the loss of the last connection is told, and the return when it was")
  func loss() {
    var state = EndpointState()
    _ = (state.connected(a), state.connected(b))
    #expect(state.disconnected(a, at: at(1)) == nil)
    #expect(state.disconnected(b, at: at(1)) == .gone(untold: 0))
    #expect(state.disconnected(b, at: at(1)) == nil)
    #expect(state.connected(b) == .back)
    #expect(state.connected(a) == nil)
  }

  @Test("one look for all threads finds the reason; it is told once, and the return when all are back")
  func missing() {
    var state = EndpointState()
    #expect(state.unreached(a, at: at(2)) == true)
    #expect(state.unreached(b, at: at(2)) == false)
    #expect(state.looked(.refused, at: at(2)) == .missing(.refused))
    #expect(state.fault == .refused)
    #expect(state.unreached(a, at: at(12)) == true)
    #expect(state.looked(.refused, at: at(12)) == nil)
    #expect(state.connected(a) == nil)
    #expect(state.fault == .refused, "one thread still has none")
    #expect(state.connected(b) == .back)
    #expect(state.fault == nil)
  }

  @Test("another reason is told as well")
  func change() {
    var state = EndpointState()
    _ = (state.unreached(a, at: at(2)), state.looked(.refused, at: at(2)))
    _ = state.unreached(a, at: at(12))
    #expect(state.looked(.silent, at: at(12)) == .missing(.silent))
  }

  @Test("looks keep a distance of five seconds")
  func distance() {
    var state = EndpointState()
    #expect(state.unreached(a, at: at(2)) == true)
    _ = state.looked(.refused, at: at(3))
    #expect(state.unreached(b, at: at(6)) == false)
    #expect(state.unreached(b, at: at(7)) == true)
    _ = (state.looked(.refused, at: at(7)), state.connected(a), state.connected(b), state.disconnected(a, at: at(8)))
    #expect(state.unreached(a, at: at(8)) == true, "a new loss has a reason of its own")
  }

  @Test("a peer that looks right is told of only when that is so again")
  func right() {
    var state = EndpointState()
    _ = state.unreached(a, at: at(2))
    #expect(state.looked(nil, at: at(2)) == nil)
    _ = state.unreached(a, at: at(12))
    #expect(state.looked(nil, at: at(12)) == .missing(.handshake))
    _ = state.unreached(a, at: at(22))
    #expect(state.looked(nil, at: at(22)) == nil, "it is known")
  }

  @Test("a look that ends after the connection has come tells nothing")
  func late() {
    var state = EndpointState()
    _ = (state.unreached(a, at: at(2)), state.connected(a))
    #expect(state.looked(.refused, at: at(3)) == nil)
    #expect(state.fault == nil)
  }

  @Test("the reason that follows a told loss is told too")
  func reason() {
    var state = EndpointState()
    for second in 0..<3 { _ = (state.connected(a), state.disconnected(a, at: at(second))) }
    _ = state.unreached(a, at: at(5))
    #expect(state.looked(.refused, at: at(5)) == .missing(.refused))
  }

  @Test("one that comes and goes is told of three times, then every ten seconds, and never left as lost")
  func flapping() {
    var state = EndpointState()
    var lines: [EndpointState.Line?] = []
    // Seven returns a second, for half a minute.
    for step in 0..<210 {
      let now = Instant(nanoseconds: Int64(step) * 1_000_000_000 / 7)
      lines.append(state.connected(a))
      lines.append(state.disconnected(a, at: now))
    }
    let told = lines.compactMap(\.self)
    #expect(told.count { if case .gone = $0 { true } else { false } } == 5)
    #expect(told.count { $0 == .back } == 5)
    let untold = told.map { if case .gone(let untold) = $0 { untold } else { 0 } }.reduce(0, +)
    #expect(untold > 100)
  }

  @Test("what a socket had is forgotten when it is closed, without a word")
  func closed() {
    var state = EndpointState()
    _ = (state.connected(a), state.unreached(b, at: at(2)))
    state.closed(a)
    state.closed(b)
    #expect(state.count == 0)
    #expect(state.looked(.refused, at: at(3)) == nil)
    #expect(state.disconnected(a, at: at(4)) == nil)
  }

  @Test(
    "of the peers of a bound endpoint each that leaves is told, three at once and then one in ten seconds; the last as ever"
  )
  func leaving() {
    var state = EndpointState(isBound: true)
    for _ in 0..<7 { _ = state.connected(a) }
    for remaining in [6, 5, 4] { #expect(state.disconnected(a, at: at(1)) == .left(remaining: remaining)) }
    #expect(state.disconnected(a, at: at(10)) == nil)
    #expect(state.disconnected(a, at: at(11)) == .left(remaining: 2))
    #expect(state.disconnected(a, at: at(21)) == .left(remaining: 1))
    #expect(state.disconnected(a, at: at(31)) == .gone(untold: 0))
    var connecting = EndpointState()
    _ = (connecting.connected(a), connecting.connected(b))
    #expect(connecting.disconnected(a, at: at(1)) == nil, "the same one, on another thread")
  }

  @Test("of a bound endpoint it is told once that nobody comes, and then that somebody has")
  func awaited() {
    var state = EndpointState(isBound: true)
    #expect(state.fault == .noPeer)
    #expect(state.awaited(a, at: at(2)) == .missing(.noPeer))
    #expect(state.awaited(a, at: at(12)) == nil)
    #expect(state.connected(a) == .back)
    #expect(state.fault == nil)
    #expect(state.connected(a) == nil)
    #expect(state.disconnected(a, at: at(20)) == .left(remaining: 1))
    #expect(state.disconnected(a, at: at(20)) == .gone(untold: 0))
    #expect(state.fault == .noPeer)
    #expect(state.awaited(a, at: at(22)) == nil, "the loss says it already")
    #expect(state.connected(a) == .back)
  }

  @Test("a peer that goes in its handshake is a reason for want of a better one, told once")
  func unfinished() {
    let (fault, better) = (ConnectFault.unfinished(.dealer, of: "rpc"), ConnectFault.misfit(.dealer, of: "rpc"))
    var state = EndpointState(isBound: true)
    #expect(state.unfinished(fault) == nil, "somebody may come yet")
    #expect(state.awaited(a, at: at(2)) == .missing(fault))
    #expect(state.unfinished(fault) == nil)
    #expect(state.misfit(a, better, at: at(3)) == .missing(better))
    #expect(state.unfinished(fault) == nil)
    #expect(state.fault == better)
    var later = EndpointState(isBound: true)
    #expect(later.awaited(a, at: at(2)) == .missing(.noPeer))
    #expect(later.unfinished(fault) == .missing(fault))
    #expect(later.connected(a) == .back)
    #expect(later.unfinished(fault) == nil)
    #expect(later.fault == nil)
  }

  @Test("a peer that is turned away is the reason while there is none, and told once beside others")
  func misfit() {
    let fault = ConnectFault.misfit(.dealer, of: "rpc")
    var state = EndpointState(isBound: true)
    #expect(state.misfit(a, fault, at: at(1)) == .missing(fault))
    #expect(state.misfit(a, fault, at: at(1)) == nil)
    #expect(state.awaited(a, at: at(2)) == nil)
    #expect(state.fault == fault)
    #expect(state.connected(a) == .back)
    #expect(state.misfit(a, fault, at: at(30)) == .misfit(fault))
    #expect(state.misfit(a, fault, at: at(60)) == nil)
    #expect(state.fault == nil)
    #expect(state.disconnected(a, at: at(70)) == .gone(untold: 0))
    #expect(state.fault == .noPeer)
  }
}
