import Foundation
import MessagePack
import Support
import Testing
import ZeroMQRPC

@Suite("the service in ten lines of docs/rpc.md", .timeLimit(.minutes(1))) struct TenLinesTests {
  private static var calc: Methods {
    var calc = Methods()
    calc.add("add", "a", "b") { (a: Int, b: Int) in a + b }
    calc.add("scale", "x", Parameter("by", default: 2.0)) { (x: Double, by: Double) in x * by }
    calc.add("whoami") { (call: CallContext) in call.peerAddress }
    calc.add("sleep", "seconds") { (seconds: Double) in try await Task.sleep(for: .seconds(seconds)) }
    return calc
  }

  @Test("stands there as it is here") func text() throws {
    let own = try String(contentsOfFile: #filePath, encoding: .utf8)
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let page = try String(contentsOf: folder.appendingPathComponent("../../../docs/rpc.md"), encoding: .utf8)
    let lines = own.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
    let methods = lines.filter { $0.hasPrefix("var calc = ") || $0.hasPrefix("calc.add(") }
    #expect(methods.count == 5)
    #expect(page.contains(methods.joined(separator: "\n")))
  }

  @Test("RPC-3: is called by Python", .enabled(if: Python.isThere, "\(Python.comment)")) func called() async throws {
    try await ServiceBench.with(Self.calc, at: "tcp://127.0.0.1:*", options: { $0.timeout = .seconds(5) }) { bench in
      let calls = [
        #"{"method": "add", "args": [1], "kwargs": {"b": 2}}"#, #"{"method": "scale", "args": [3]}"#,
        #"{"method": "whoami"}"#, #"{"method": "sleep", "args": [0]}"#,
      ]
      let answers = try await Python.lines(
        of: "peer_calls.py", [bench.endpoint], input: calls.map { "\($0)\n" }.joined())
      #expect(
        answers.map { "\($0["result"])" } == ["3", "6.0", "\"127.0.0.1\"", "null"]
          && answers.allSatisfy { $0["ok"] == true })
    }
  }
}
