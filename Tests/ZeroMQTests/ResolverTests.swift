import Glibc
import Reactor
import Support
import Testing

@testable import ZeroMQ

@Suite("the resolver", .inTurn(minutes: 3))
struct ResolverTests {
  /// Lookups that end when the test says so.
  private final class Names: Sendable {
    let asked = Tally()
    private let held = Guarded<[String: Bool]>([:])
    let answers: [String: [String]]

    init(_ answers: [String: [String]], holding names: [String] = []) {
      self.answers = answers
      held.withLock { held in for name in names { held[name] = true } }
    }

    func look(_ host: String) -> Resolver.Answer {
      asked.countUp()
      while held.withLock({ $0[host] == true }) { sched_yield() }
      return .init(addresses: answers[host] ?? [], reason: answers[host] == nil ? "unknown" : "")
    }

    func release(_ host: String) { held.withLock { $0[host] = nil } }
  }

  @Test("answers with addresses in numbers, or with a reason") func system() async throws {
    let found = await answer(Resolver.shared, "localhost")
    #expect(found.addresses.contains { $0 == "127.0.0.1" || $0 == "::1" })
    let none = await answer(Resolver.shared, "no-such-host.invalid")
    #expect(none.addresses.isEmpty)
    #expect(!none.reason.isEmpty)
  }

  private func answer(_ resolver: Resolver, _ host: String) async -> Resolver.Answer {
    await withCheckedContinuation { continuation in resolver.resolve(host) { continuation.resume(returning: $0) } }
  }

  @Test("CORE-45: a name that gets no answer delays no other, and is asked for once however many want it") func slow()
    async throws
  {
    let names = Names(["slow": ["10.0.0.1"], "quick": ["10.0.0.2"]], holding: ["slow"])
    let resolver = Resolver { names.look($0) }
    let slow = Tally()
    for _ in 0..<10 { resolver.resolve("slow") { _ in slow.countUp() } }
    #expect(await answer(resolver, "quick").addresses == ["10.0.0.2"])
    #expect(slow.count == 0)
    names.release("slow")
    await slow.reaches(10)
    #expect(names.asked.count == 2)
  }

  @Test("beyond the bound on lookups names wait their turn") func bound() async throws {
    let names = Names(["a": ["1"], "b": ["2"], "c": ["3"]], holding: ["a", "b"])
    let resolver = Resolver(most: 2) { names.look($0) }
    let done = Tally()
    for host in ["a", "b", "c"] { resolver.resolve(host) { _ in done.countUp() } }
    await names.asked.reaches(2)
    names.release("a")
    await done.reaches(2)
    #expect(names.asked.count == 3)
    names.release("b")
    await done.reaches(3)
  }

  @Test("a socket tries all addresses of a name in turn, though one does not answer the door") func inTurn()
    async throws
  {
    let names = Names(["name": ["::1", "127.0.0.2", "127.0.0.1"]])
    try await Stations.with { stations in
      let a = try await stations.open(.pull)
      let port = try await a.bind("tcp://127.0.0.1:*").split(separator: ":").last ?? ""
      let b = try await stations.open(.push, resolver: Resolver { names.look($0) })
      try await b.connect("tcp://name:\(port)")
      try await b.sees([.connected])
      #expect(try await b.send([[1]]))
      _ = try await a.has(1)
    }
  }

  @Test(
    "messages are queued for a name's only address, and sent to who is there next, as for an address",
    arguments: [true, false])
  func queued(isNamed: Bool) async throws {
    let names = Names(["name": ["127.0.0.1"]])
    try await Stations.with { stations in
      var options = SocketOptions()
      (options.sendHighWaterMark, options.receiveHighWaterMark) = (10, 10)
      let stalled = try await stations.open(.pull, options)
      await stalled.read(false)
      let port = try await stalled.bindAnyPort()
      let push = try await stations.open(.push, options, resolver: Resolver { names.look($0) })
      try await push.connect(isNamed ? "tcp://name:\(port)" : "tcp://127.0.0.1:\(port)")
      try await push.sees([.connected])
      let body = [UInt8](repeating: 0, count: 100_000)
      var (sent, refused) = (0, 0)
      // The kernel and the other side make room for a while, after it was refused first.
      try await eventually("all is full") {
        refused += 1
        while try await push.send([[UInt8(truncatingIfNeeded: sent)], body]) { (sent, refused) = (sent + 1, 0) }
        return refused == 300
      }
      await stalled.close()
      let next = try await stations.open(.pull, options)
      try await eventually("the port") { (try? await next.bind("tcp://127.0.0.1:\(port)")) != nil }
      // Those that libzmq had not given to the kernel are there still.
      let last = [UInt8(truncatingIfNeeded: sent - 1)]
      try await eventually("the last") { next.messages.withLock { $0.last?[0] == last } }
    }
  }

  @Test(
    "a message is queued for a name before it is connected if it has one address, and not if it has several",
    arguments: [1, 2])
  func queuedBefore(count: Int) async throws {
    let names = Names(["name": Array(["127.0.0.1", "127.0.0.2"].prefix(count))])
    try await Stations.with { stations in
      let push = try await stations.open(.push, resolver: Resolver { names.look($0) })
      let endpoint = try Endpoint("tcp://name:\(try RawPeer.freePort())")
      try await push.connect(endpoint.description)
      try await push.sees([.unreached(endpoint, isResolving: false)])
      #expect(try await push.send([[1]]) == (count == 1))
    }
  }

  @Test("a name that does not resolve is told, and stops no other connection") func unresolved() async throws {
    let names = Names(["slow": []], holding: ["slow"])
    try await Stations.with { stations in
      let resolver = Resolver { names.look($0) }
      let (a, b) = (try await stations.open(.pull), try await stations.open(.push, resolver: resolver))
      try await b.connect("tcp://slow:5555")
      await names.asked.reaches(1)
      try await b.connect("tcp://unknown:5555")
      try await b.sees([.unresolved(host: "unknown", reason: "unknown")])
      try await b.connect(try await a.bind("tcp://127.0.0.1:*"))
      try await b.sees([.unresolved(host: "unknown", reason: "unknown"), .connected])
      #expect(await b.endpoints == [1, 3])
      names.release("slow")
    }
  }

  @Test("a transport that binds to a name without an answer holds up no other on its reactor, and is bound in the end")
  func binding() async throws {
    let names = Names(["slow": ["127.0.0.1"]], holding: ["slow"])
    let resolver = Resolver { names.look($0) }
    try await Peers.with { peers in
      let (pull, push) = try await peers.pair(.pull, .push)
      let waiting = try await peers.peer(.pull).transport
      async let bound = waiting.bind("tcp://slow:*", asking: resolver)
      await names.asked.reaches(1)
      await push.write([1])
      #expect(try await pull.has(1) == [[[1]]])
      #expect(await waiting.bindings.isEmpty)
      names.release("slow")
      #expect(try await bound.description.hasPrefix("tcp://127.0.0.1:"))
    }
  }

  @Test("a name that resolves later does not take the routing ID that is set for another connection")
  func routingID() async throws {
    let names = Names(["name": ["127.0.0.1"]], holding: ["name"])
    try await Stations.with { stations in
      let (a, b) = (try await stations.open(.stream), try await stations.open(.stream))
      let (ofName, meant) = (try await a.bindAnyPort(), try await b.bind("tcp://127.0.0.1:*"))
      let it = try await stations.open(.stream, resolver: Resolver { names.look($0) })
      try await it.connect("tcp://name:\(ofName)")
      await names.asked.reaches(1)
      try await it.set(.connectRoutingID, to: [65])
      names.release("name")
      let first = try await it.has(1)
      #expect(first[0][0].first == 0, "an ID that libzmq made")
      try await it.connect(meant)
      #expect(try await it.has(2)[1] == [[65], []])
      // A router would have to know the IDs of all: none are given beside a name.
      let router = try await stations.open(.router, resolver: Resolver { names.look($0) })
      try await router.connect("tcp://name:\(ofName)")
      #expect(await failure { try await router.set(.connectRoutingID, to: [65]) }?.code == .invalid)
    }
  }

  @Test("two endpoints that lead to one address share its connection, and that is told") func duplicate() async throws {
    let names = Names(["name": ["127.0.0.1"]])
    try await Stations.with { stations in
      let a = try await stations.open(.pull)
      let port = try await a.bindAnyPort()
      let b = try await stations.open(.push, resolver: Resolver { names.look($0) })
      let (address, name) = ("tcp://127.0.0.1:\(port)", "tcp://name:\(port)")
      try await b.connect(address)
      try await b.connect(name)
      try await b.sees([.connected, .duplicate(try Endpoint(name), of: try Endpoint(address))])
      #expect(await b.endpoints == [1, 2])
    }
  }
}

extension Transport {
  /// As `bind`, with a resolver other than the process's.
  fileprivate func bind(_ endpoint: String, asking resolver: Resolver) async throws -> Endpoint {
    try await bind(Endpoint(endpoint).bindAddress(ipv6: false, resolver: resolver).endpoint)
  }
}
