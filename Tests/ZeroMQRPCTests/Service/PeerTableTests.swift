import Foundation
import MessagePack
import Support
import Testing
import ZeroMQRPC

/// The same calls by Python's own client to a Python service and to one in Swift.
@Suite(
  "a service in Swift answers as one in Python", .inTurn(minutes: 4),
  .enabled(if: Python.isThere, "\(Python.comment)"))
struct PeerTableTests {
  private static func answers(_ endpoint: String, _ calls: [JSON]) async throws -> [JSON] {
    let directory = try TemporaryDirectory()
    let file = try directory.file("calls", calls.map { "\($0)\n" }.joined())
    return try await Python.lines(of: "peer_calls.py", [endpoint, file])
  }

  @Test(
    "RPC-3, RPC-4, RPC-5, EXC-1, EXC-3, EXC-8, EXC-9, VAL-1, VAL-6, VAL-10, HAND-4, HAND-5, HAND-6, HAND-7: to all of the table",
    arguments: ["tcp", "ipc"])
  func table(transport: String) async throws {
    let calls = try await Python.lines(of: "peer_table.py", [])
    #expect(calls.count >= 150)
    let python = try await Self.answers(try await PythonPeer.shared.value.rpc, calls)
    try await ServiceBench.with(PeerMethods.all, at: transport == "tcp" ? "tcp://127.0.0.1:*" : nil) { bench in
      let swift = try await Self.answers(bench.endpoint, calls)
      try #require(python.count == calls.count && swift.count == calls.count)
      for (call, (python, swift)) in zip(calls, zip(python, swift)) {
        #expect("\(swift)" == "\(python)".inEveryPython, "\(call)")
      }
      #expect(await bench.service.counters == ServiceCounters())
    }
  }
}
