import Support
import Testing
import ZeroMQ

@testable import ZeroMQRPC

@Suite("open breakers", .inTurn(minutes: 3))
struct OpenBreakersTests {
  @Test("the first of an endpoint that opens and the last that closes are told")
  func told() throws {
    let (a, b) = (try Endpoint("tcp://a:1"), try Endpoint("tcp://b:1"))
    let breakers = OpenBreakers()
    #expect(breakers.opened(a))
    #expect(!breakers.opened(a))
    #expect(breakers.opened(b))
    #expect(Set(breakers.endpoints) == [a, b])
    #expect(!breakers.closed(a))
    #expect(breakers.closed(b))
    #expect(breakers.endpoints == [a])
    #expect(breakers.closed(a))
    #expect(breakers.endpoints.isEmpty)
    #expect(breakers.opened(a))
  }
}
