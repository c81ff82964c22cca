import Bare
import Reactor
import ZeroMQ
import ZeroMQRPC

/// Calls `add` of a service, so many calls at a time. What is measured is the processor time of both sides.
struct Calling {
  let endpoint: String
  let atATime: Int
  let count: Int
  /// The process of the service.
  let other: CInt
  var unmeasured: Int { count / 10 }

  init(endpoint: String, atATime: Int, count: Int, other: CInt) {
    self.endpoint = endpoint
    self.atATime = atATime
    self.count = count
    self.other = other
  }

  func run(_ door: String) async throws {
    switch door {
    case "c":
      let socket = bare_connect(bare_context(), SocketKind.dealer.rawValue, endpoint)
      var (begin, end) = (bare_clocks(), bare_clocks())
      bare_call(socket, CInt(atATime), unmeasured, count, other, &begin, &end)
      report(from: begin, to: end, count: count - unmeasured)
    case "reactor": try await EngineCalls(self).run()
    case "async":
      let client = try await RPCClient.connect([endpoint], timeout: .seconds(60))
      try await call(client, unmeasured)
      let (begin, measured) = (bare_now(other), count - unmeasured)
      let called = try await call(client, measured)
      report(from: begin, to: bare_now(other), count: called)
      await client.close()
    default: fail(usage)
    }
  }

  /// Calls it about so often; returns how often.
  @discardableResult
  private func call(_ client: RPCClient, _ count: Int) async throws -> Int {
    let share = max(1, count / atATime)
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      for _ in 0..<atATime {
        tasks.addTask {
          for _ in 0..<share {
            let sum: Int = try await client.call.add(1, 2)
            guard sum == 3 else { fail("add(1, 2) is \(sum)") }
          }
        }
      }
      try await tasks.waitForAll()
    }
    return share * atATime
  }
}
