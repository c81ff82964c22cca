import Reactor
import Support
import Testing
import ZeroMQ
import ZeroMQRPC

@Suite("a client that is closed", .inTurn(minutes: 1))
struct ClosedClientTests {
  @Test("leaves nothing behind in the turns of its reactor, nor does one that is dropped", arguments: [true, false])
  func turns(isClosed: Bool) async throws {
    let (reactor, context) = (try Reactor(), try Context())
    let before = await reactor.endsOfTurn
    for _ in 0..<3 {
      let client = try await RPCClient.connect(["inproc://nobody"], on: reactor, in: context)
      #expect(await reactor.endsOfTurn > before)
      if isClosed { await client.close() }
    }
    try await eventually("none is left") { await reactor.endsOfTurn == before }
    await reactor.stop()
  }
}

extension Reactor {
  /// How many steps its turns have at their ends.
  fileprivate var endsOfTurn: Int {
    get async {
      await withCheckedContinuation { continuation in
        submit { continuation.resume(returning: self.loop.endsOfTurn) }
      }
    }
  }
}
