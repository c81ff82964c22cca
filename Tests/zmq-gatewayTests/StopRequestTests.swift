import Reactor
import Support
import Testing

@testable import zmq_gateway

@Suite("a request to stop", .inTurn(minutes: 3))
struct StopRequestTests {
  @Test(
    "stops at its first signal; one that comes with it is the same request, a later one ends the program",
    arguments: [(0, StopRequest.Step.nothing), (49, .nothing), (50, .end), (60_000, .end)])
  func second(milliseconds: Int, step: StopRequest.Step) {
    var request = StopRequest()
    let start = Instant(nanoseconds: 5)
    #expect(request.received(at: start) == .stop)
    #expect(request.received(at: start + .milliseconds(milliseconds)) == step)
  }

  @Test("is measured from its first signal, so that who keeps sending them is heard")
  func repeated() {
    var request = StopRequest()
    let steps = [0, 20, 40, 60].map { request.received(at: Instant(nanoseconds: $0 * 1_000_000)) }
    #expect(steps == [.stop, .nothing, .nothing, .end])
  }
}
