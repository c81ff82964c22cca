import Reactor
import Support
import Testing
import ZeroMQ

private final class Deaf: TransportDelegate, Sendable {}

@Suite("a transport whose reactor was stopped", .inTurn(minutes: 1))
struct StoppedReactorTests {
  @Test("waits for no subscriber, and takes a write out of turn") func stopped() async throws {
    let (reactor, context) = (try Reactor(), try Context())
    let publisher = try await Transport.open(
      .publish, on: reactor, in: context, options: { $0.watchesSubscribers = true }
    ) { Deaf() }
    let reply = try await Transport.open(.reply, on: reactor, in: context) { Deaf() }
    await reactor.stop()
    for limit in [nil, Duration.seconds(30)] {
      let error = await #expect(throws: ZMQError.self) {
        try await publisher.waitForSubscriber(of: [1], within: limit)
      }
      #expect(error?.code == .notSupported)
    }
    await reply.write(["a"])
    for transport in [publisher, reply] {
      await transport.close()
      await transport.waitClosed()
    }
  }
}
