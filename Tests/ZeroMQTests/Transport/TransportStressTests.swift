import Reactor
import Support
import Testing

@testable import ZeroMQ

@Suite("transports under stress", .timeLimit(Soak.limit))
struct TransportStressTests {
  @Test("LOOP-5: sockets are used from many tasks, on several reactors, and nothing is lost") func tasks() async throws
  {
    try await Peers.with { peers in
      let pull = try await peers.peer(.pull, bind: [Peers.any])
      let endpoints = await pull.boundTo
      let reactors = [try Reactor(), try Reactor()]
      try await withThrowingTaskGroup { group in
        for task in 0..<8 {
          group.addTask {
            let push = try await Transport.open(
              .push, connect: endpoints, on: reactors[task % 2], in: peers.context
            ) { Notes { _, _ in } }
            await withTaskGroup { writers in
              for writer in 0..<4 {
                writers.addTask {
                  for number in 0..<100 { await push.write([Frame([UInt8(task), UInt8(writer), UInt8(number)])]) }
                }
              }
            }
            await push.close()
            await push.waitClosed()
          }
        }
        try await group.waitForAll()
      }
      let messages = try await pull.has(3_200)
      #expect(Set(messages).count == 3_200)
      // Those of one writer are in order.
      for task in 0..<8 {
        for writer in 0..<4 {
          let numbers = messages.map { $0[0] }.filter { $0[0] == task && $0[1] == writer }.map { $0[2] }
          #expect(numbers == (0..<100).map { UInt8($0) })
        }
      }
      for reactor in reactors { await reactor.stop() }
    }
  }

  @Test("CORE-8: a thousand sockets that are opened and closed, dropped, aborted, or fail to open, leave no descriptor")
  func churn() async {
    await #expect(processExitsWith: .success) {
      let reactor = try Reactor()
      let context = try Context()
      let first = try await Transport.open(.pull, bind: [Peers.any], on: reactor, in: context) { Notes { _, _ in } }
      let endpoints = await first.bindings
      let kinds = SocketKind.all
      let before = try await Descriptors.count()
      for number in 0..<1_000 * Soak.factor {
        let kind = kinds[number / 4 % kinds.count]
        guard number % 4 > 0 else {
          await #expect(throws: ZMQError.self) {
            try await Transport.open(kind, bind: [Peers.any] + endpoints.map(\.description), on: reactor, in: context) {
              Notes { _, _ in }
            }
          }
          continue
        }
        let transport = try await Transport.open(
          kind, bind: [Peers.any], connect: kind == .push ? endpoints : [], on: reactor, in: context
        ) { Notes { _, _ in } }
        switch number % 4 {
        case 1:
          await transport.close()
          await transport.waitClosed()
        case 2: await transport.abort()
        default: break  // Dropped.
        }
      }
      try await eventually("the descriptors are back") { try await Descriptors.count() <= before }
      await first.close()
      await first.waitClosed()
      await reactor.stop()
    }
  }
}
