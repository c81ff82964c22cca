import MessagePack
import Reactor
import Support
import Testing
import ZeroMQ
import ZeroMQRPC

@Suite("many clients and many services", .inTurn(minutes: 4)) struct ManyServicesTests {
  private static let clients = 10
  private static let calls = 1_000

  private var methods: Methods {
    var methods = Methods()
    methods.add("now", "token") { (token: String) in token }
    methods.add("later", "token") { (token: String) async -> String in
      await Task.yield()
      return token
    }
    return methods
  }

  /// Calls with a token of its own each, sixteen at a time; gives the number of replies.
  private static func load(_ client: RPCClient, _ name: Int, _ answered: Tally) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for lane in 0..<16 {
        group.addTask {
          for call in stride(from: lane, to: Self.calls, by: 16) {
            let token = "\(name)/\(call)"
            let method = client.call[dynamicMember: call.isMultiple(of: 2) ? "now" : "later"]
            let same: String = try await method(token)
            #expect(same == token)
            answered.countUp()
          }
        }
      }
      try await group.waitForAll()
    }
  }

  @Test("RPC-7, RPC-8: services are added and leave under load, and each reply reaches its caller") func comeAndGo()
    async throws
  {
    try await ClientBench.with { bench in
      let steady = [bench.endpoint("steady0"), bench.endpoint("steady1")]
      for endpoint in steady { try await bench.serve(methods, bind: [endpoint]) }
      var clients: [RPCClient] = []
      for _ in 0..<Self.clients { clients.append(try await bench.client(steady, timeout: .seconds(60))) }
      let (all, answered) = (clients, Tally())
      try await withThrowingTaskGroup(of: Void.self) { group in
        for (name, client) in all.enumerated() {
          group.addTask { try await Self.load(client, name, answered) }
        }
        var rounds = 0
        while answered.count < Self.clients * Self.calls {
          let endpoint = bench.endpoint("guest\(rounds)")
          let guest = try await RPCService.start(methods, bind: [endpoint], on: bench.reactor, in: bench.context)
          let monitor = try await guest.transport.monitor()
          for client in all { try await client.transport.connect(endpoint) }
          let before = answered.count
          try await eventually("calls go on") { answered.count >= min(before + 500, Self.clients * Self.calls) }
          // What was sent to it is still answered, then each client leaves.
          for client in all { try await client.transport.disconnect(endpoint) }
          var (come, left) = (0, 0)
          for await event in monitor {
            switch event.kind {
            case .accepted: come += 1
            case .disconnected: left += 1
            default: break
            }
            if left == Self.clients { break }
          }
          #expect(come == Self.clients)
          await guest.close()
          await guest.waitClosed()
          rounds += 1
        }
        try await group.waitForAll()
        #expect(rounds >= 2)
      }
      #expect(answered.count == Self.clients * Self.calls)
      for client in all {
        let counters = await client.counters
        #expect(counters.malformedReplies == 0 && counters.timeouts == 0 && counters.lateReplies.count == 0)
        #expect(await client.callsUnderWay == 0)
      }
    }
  }

  @Test("services that end under load lose only calls that were sent to them, and say so") func end() async throws {
    try await ClientBench.with { bench in
      let steady = bench.endpoint("steady")
      try await bench.serve(methods, bind: [steady])
      let lost = Tally()
      let answered = Tally()
      let client = try await bench.client([steady], timeout: .seconds(60))
      try await withThrowingTaskGroup(of: Void.self) { group in
        for lane in 0..<16 {
          group.addTask {
            for call in 0..<200 {
              let token = "\(lane)/\(call)"
              do {
                let same: String = try await client.call.later(token)
                #expect(same == token)
                answered.countUp()
              } catch let failure as CallFailure {
                #expect(failure == CallFailure(.backendLost, sent: true))
                lost.countUp()
              }
            }
          }
        }
        for round in 0..<5 {
          let endpoint = bench.endpoint("ending\(round)")
          let guest = try await RPCService.start(methods, bind: [endpoint], on: bench.reactor, in: bench.context) {
            $0.grace = .zero
          }
          try await client.transport.connect(endpoint)
          let before = answered.count + lost.count
          try await eventually("calls go on") { answered.count + lost.count >= min(before + 300, 3_200) }
          await guest.close()
          await guest.waitClosed()
          try await client.transport.disconnect(endpoint)
        }
        try await group.waitForAll()
      }
      #expect(answered.count + lost.count == 3_200)
      #expect(answered.count > 2_000)
    }
  }
}
