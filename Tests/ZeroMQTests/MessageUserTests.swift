import Reactor
import Support
import Testing

@testable import ZeroMQ

@Suite("the user of a message", .inTurn(minutes: 3))
struct MessageUserTests {
  @Test("is whom the authenticator has named; nil when it has named nobody, and when nobody was asked")
  func named() async throws {
    try await Peers.with { peers in
      let authenticator = try await Authenticator.open(in: peers.context, on: peers.reactor)
      await authenticator.decide(in: "d") { request in
        guard case .plain(let user, _) = request.credentials else { return .deny }
        return .allow(user: user == "nobody" ? "" : user)
      }
      let pull = try await peers.stream(.pull, bind: [Peers.any], options: { $0.security = .plainServer(domain: "d") })
      for (user, name) in [("alice", "alice"), ("nobody", nil)] {
        let push = try await peers.stream(
          .push, connect: pull.boundTo, options: { $0.security = .plain(user: user, password: "secret") })
        try await push.send(["hello"])
        #expect(try await pull.read().userID == name)
      }
      await authenticator.close()
      let (open, client) = try await peers.streams(.pull, .push)
      try await client.send(["hello"])
      #expect(try await open.read().userID == nil)
    }
  }
}
