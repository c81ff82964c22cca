import Reactor
import Support
import Testing

@testable import ZeroMQ

@Suite("the memory of a socket", .inTurn(minutes: 3))
struct SocketMemoryTests {
  @Test("what is sent counts in the budget until it has left, or was dropped with its connection")
  func memory() async throws {
    let budget = MemoryBudget(limit: 1 << 30)
    let context = try Context()
    let directory = try TemporaryDirectory()
    do {
      let (push, pull) = (try Socket(.push, in: context), try Socket(.pull, in: context))
      // So few that what is sent at the end stays with the sender.
      try pull.set(.receiveHighWaterMark, to: 1)
      let endpoint = try pull.bind(directory.endpoint("a"))
      let frame = [UInt8](repeating: 7, count: 1 << 20)
      // No peer: nothing is taken, and nothing stays counted.
      #expect(try frame.withUnsafeBytes { try !push.send($0, more: false, memory: budget) })
      #expect(budget.count == 0)
      try push.connect(endpoint)
      for _ in 0..<8 {
        #expect(try frame.withUnsafeBytes { try push.send($0, more: false, memory: budget) })
      }
      #expect(budget.count > 0)
      #expect(try [1].withUnsafeBytes { try push.send($0, more: false, memory: budget) })
      var message = ReceivedMessage()
      for _ in 0..<8 {
        try await eventually("a message") { try message.receive(from: pull) }
        #expect(message[0].elementsEqual(frame))
      }
      try await eventually("all has left") { budget.count == 0 }
      try pull.unbind(endpoint)
      while try frame.withUnsafeBytes({ try push.send($0, more: false, memory: budget) }), budget.count < 8 << 20 {}
      #expect(budget.count > 0)
    }
    await context.close(within: .seconds(10))
    #expect(budget.count == 0)
  }
}
