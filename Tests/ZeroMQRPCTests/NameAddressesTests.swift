import Support
import Testing
import ZeroMQ

@testable import ZeroMQRPC

@Suite("the addresses of a name", .inTurn(minutes: 3))
struct NameAddressesTests {
  private func name() throws -> NameAddresses { try #require(NameAddresses(try Endpoint("tcp://workers:5555"))) }

  private func endpoints(_ hosts: String...) throws -> [Endpoint] {
    try hosts.map { try Endpoint($0.hasPrefix("tcp") ? $0 : "tcp://\($0):5555") }
  }

  @Test("are looked up only where there is a name", arguments: ["tcp://127.0.0.1:1", "tcp://[::1]:1", "ipc:///run/a"])
  func numbers(endpoint: String) throws {
    #expect(NameAddresses(try Endpoint(endpoint)) == nil)
  }

  @Test(
    "share one connection while there is one of each family",
    arguments: [["10.0.0.1"], ["::1", "127.0.0.1"], ["127.0.0.1", "::1"], []])
  func one(addresses: [String]) throws {
    var name = try name()
    let (added, removed) = name.resolved(addresses)
    #expect(added.isEmpty && removed.isEmpty)
    #expect(name.endpoints == (try endpoints("workers")))
  }

  @Test("have a connection each when there are several, which come and go; one that is left keeps its own")
  func several() throws {
    var name = try name()
    var change = name.resolved(["10.0.0.1", "10.0.0.2"])
    #expect(change.added == (try endpoints("10.0.0.1", "10.0.0.2")))
    #expect(change.removed == (try endpoints("workers")))
    change = name.resolved(["10.0.0.2", "10.0.0.1"])
    #expect(change.added.isEmpty && change.removed.isEmpty)
    change = name.resolved(["10.0.0.3", "10.0.0.2"])
    #expect(change.added == (try endpoints("10.0.0.3")))
    #expect(change.removed == (try endpoints("10.0.0.1")))
    // The name server is away for a moment.
    change = name.resolved([])
    #expect(change.added.isEmpty && change.removed.isEmpty)
    change = name.resolved(["10.0.0.3"])
    #expect(change.added.isEmpty)
    #expect(change.removed == (try endpoints("10.0.0.2")))
    #expect(name.endpoints == (try endpoints("10.0.0.3")))
  }

  @Test("are those of the family that has more, or of the first")
  func families() throws {
    var name = try name()
    #expect(name.resolved(["::2", "10.0.0.1", "10.0.0.2"]).added == (try endpoints("10.0.0.1", "10.0.0.2")))
    name = try self.name()
    let (six, four) = (["fd00::1", "fd00::2"], ["10.0.0.1", "10.0.0.2"])
    #expect(name.resolved(six + four).added == (try endpoints("[fd00::1]", "[fd00::2]")))
    name = try self.name()
    #expect(name.resolved(four + six).added == (try endpoints("10.0.0.1", "10.0.0.2")))
  }

  @Test("are a hundred at most")
  func most() throws {
    var name = try name()
    #expect(name.resolved((1...99).map { "10.0.0.\($0)" }).added.count == 99)
    #expect(name.resolved((1...101).map { "10.0.0.\($0)" }).added == (try endpoints("10.0.0.100")))
    #expect(name.endpoints.count == 100)
  }
}
