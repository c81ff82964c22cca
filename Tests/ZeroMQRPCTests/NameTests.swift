import Reactor
import Support
import Testing
import ZeroMQ

@testable import ZeroMQRPC

/// The client in front of a name whose addresses come and go.
@Suite("a host's name with several addresses", .inTurn(minutes: 3))
struct NameTests {
  /// Backends on one port of several addresses of this machine.
  private func backends(_ hosts: [String], _ cleanup: Cleanup) async throws -> (port: String, backends: [WireSocket]) {
    let first = try await WireSocket(.router, bind: "tcp://\(hosts[0]):*")
    cleanup.add { await first.close() }
    let port = String(await first.endpoint.split(separator: ":").last ?? "")
    var backends = [first]
    for host in hosts.dropFirst() {
      let backend = try await WireSocket(.router, bind: "tcp://\(host):\(port)")
      cleanup.add { await backend.close() }
      backends.append(backend)
    }
    return (port, backends)
  }

  /// Answers each call with the number of the backend; those to `hold` when they are told to.
  private final class Answers: Sendable {
    let held = Guarded<[(WireSocket, WireCall)]>([])

    func run(_ backend: WireSocket, _ number: UInt8) -> Task<Void, any Error> {
      Task {
        while true {
          let call = try await backend.call()
          if call.method == "hold" {
            held.withLock { $0.append((backend, call)) }
          } else {
            try await backend.answer(call, [number])
          }
        }
      }
    }
  }

  /// Who answers some calls.
  private func answering(_ bench: CallBench) async throws -> Set<CallBench.Outcome> {
    var outcomes: Set<CallBench.Outcome> = []
    for _ in 0..<20 { outcomes.insert(try await bench.call().outcome) }
    return outcomes
  }

  @Test("is a backend for each; one that goes from the name gets no more calls, and answers those it has")
  func comeAndGo() async throws {
    try await Cleanup.with { cleanup in
      let (port, backends) = try await backends(["127.0.0.1", "127.0.0.2", "127.0.0.3"], cleanup)
      let answers = Answers()
      for (number, backend) in backends.enumerated() {
        let task = answers.run(backend, UInt8(number))
        cleanup.add { task.cancel() }
      }
      let addresses = Guarded(["127.0.0.1", "127.0.0.2"])
      var options = RPCOptions()
      options.resolveInterval = .milliseconds(20)
      options.resolver = Resolver { _ in Resolver.Answer(addresses: addresses.withLock { $0 }) }
      let context = try Context()
      cleanup.add { await context.close(within: .seconds(5)) }
      try await CallBench.with(connect: [try Endpoint("tcp://workers.test:\(port)")], options: options, in: context) {
        bench in
        try await eventually("both are called") { try await answering(bench) == [.result([0]), .result([1])] }
        // The connection of the name itself, to its first address, is gone.
        try await eventually("each has one connection") { await bench.connectedEndpoints == 2 }
        let kept = [await bench.call("hold"), await bench.call("hold")]
        try await eventually("each has a call") { answers.held.withLock { $0.count == 2 } }
        addresses.withLock { $0 = ["127.0.0.2", "127.0.0.3"] }
        try await eventually("the new one is called, and the old one is not") {
          // The other one that stays is busy with a call.
          try await answering(bench) == [.result([2])]
        }
        #expect(await bench.connectedEndpoints == 2)
        for (backend, call) in answers.held.withLock({ $0 }) { try await backend.answer(call, [7]) }
        for reply in kept { #expect(try await reply.outcome == .result([7])) }
        // The name server is away for a moment: nothing changes.
        addresses.withLock { $0 = [] }
        #expect(try await answering(bench) == [.result([1]), .result([2])])
      }
    }
  }
}
