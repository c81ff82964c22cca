import Foundation
import MessagePack
import Reactor
import Support
import Testing
import ZeroMQ
import ZeroMQRPC

/// `make test` sets ZMQ_GATEWAY_PYTHON: without it, what needs a real service cannot run.
@Suite(
  "a client calls services in Python", .timeLimit(.minutes(2)), .enabled(if: Python.isThere, "\(Python.comment)"))
struct PythonServiceTests {
  private func with(
    timeout: Duration? = .seconds(20), _ body: (ClientBench, RPCClient, PythonPeer) async throws -> Void
  ) async throws {
    try await ClientBench.with { bench in
      let peer = try await PythonPeer.shared.value
      try await body(bench, try await bench.client([peer.rpc], timeout: timeout), peer)
    }
  }

  @Test("RPC-1, RPC-2, RPC-4: results come, by position, by name, in namespaces") func results() async throws {
    try await with { _, client, _ in
      let sum: Int = try await client.call.math.add(1, b: 2)
      #expect(sum == 3)
      let same: Int = try await client.call("math.add", [1], ["b": 2])
      #expect(same == 3)
      let where_: String = try await client.call.math.deep.deeper.where()
      #expect(where_ == "deep.deeper")
      #expect(try await client.call.none() == nil)
    }
  }

  @Test("RPC-5, EXC-3, EXC-5: each of Python's exceptions arrives with its class and its arguments") func builtins()
    async throws
  {
    try await with { _, client, _ in
      let names: [String] = try await client.call.builtin_exceptions()
      #expect(names.count > 50)
      for name in names where !name.hasSuffix("Group") && !name.hasPrefix("Stop") && !name.hasPrefix("Unicode") {
        // These take no second argument of that kind.
        let takesOne = RemoteError("builtins.\(name)", []).isA("SyntaxError")
        let arguments: [Value] = takesOne ? ["text"] : ["text", 5]
        do {
          try await client.call("exc.\(name)", arguments)
          Issue.record("\(name) was not raised")
        } catch let error as RemoteError {
          // An OSError may become a subclass by its arguments.
          #expect(error.isA(name), "\(error.name)")
          #expect(error.args == arguments, "\(error)")
        }
      }
    }
  }

  @Test("RPC-10, RPC-11: a slow one is given up, and its late answer ignored") func slow() async throws {
    try await with { _, client, _ in
      #expect(try await client.call.ping() == "pong")
      #expect(
        try await failure { try await client.withTimeout(.milliseconds(50)).call.slow(0.2) }
          == CallFailure(.timeout, sent: true))
      for number in 0..<20 {
        let same: Int = try await client.call.echo(number)
        #expect(same == number)
      }
      try await eventually("the late reply comes") { await client.counters.lateReplies.count == 1 }
    }
  }

  @Test("EXC-4, EXC-8, EXC-9: a name nobody has, and arguments that do not fit") func about() async throws {
    try await with { _, client, _ in
      await #expect(throws: RemoteError.notFound("math.nope")) { try await client.call.math.nope(1) }
      await #expect { try await client.call.add() } throws: { ($0 as? RemoteError)?.isA("ParametersError") == true }
    }
  }

  @Test("PIPE-1, PUB-1: Python's workers and subscribers get what is sent", arguments: [false, true])
  func oneWay(isPublished: Bool) async throws {
    try await ClientBench.with { bench in
      let peer = try await PythonPeer("--subscribe", "weather")
      bench.cleanup.add { await peer.process.destroy() }
      let client = try await bench.client([peer.rpc], timeout: .seconds(20))
      if isPublished {
        let news = try await PubSubClient.connect([peer.pubsub], on: bench.reactor, in: bench.context)
        bench.cleanup.add { await news.close() }
        try await news.waitForSubscriber(of: "weather.oslo", within: .seconds(20))
        try await news.publish("sport").update(1)
        try await news.publish("weather.oslo").city.update(21.5, wind: [1, "n"] as Value)
      } else {
        let jobs = try await PipelineClient.connect(
          [peer.pipeline], timeout: .seconds(20), on: bench.reactor, in: bench.context)
        bench.cleanup.add { await jobs.close() }
        try await jobs.notify.city.update(21.5, wind: [1, "n"] as Value)
      }
      let calls: [Value] = try await client.call.received.wait(isPublished ? "pubsub" : "pipeline", 1)
      #expect(calls.count == 1)
      #expect(calls[0]["method"] == "city.update")
      #expect(calls[0]["args"] == [21.5])
      #expect(calls[0]["kwargs"] == ["wind": [1, "n"]])
    }
  }

  /// What a call came to.
  private func outcome(_ client: RPCClient, _ call: JSON) async throws -> String {
    func value(_ key: String) throws -> Value {
      try Unpacker(limits: .init(depth: 500)).unpack(bytes(call[key].text ?? ""))
    }
    let keywords = try (value("kwargs").mapValue ?? []).map { (try String(converting: $0.key), $0.value) }
    do {
      let result: Value = try await client.call(
        call["method"].text ?? "", try value("args").arrayValue ?? [], Dictionary(keywords) { $1 })
      return "\(result)"
    } catch let error as RemoteError {
      return "\(error.name) \(error.args) \(error)"
    }
  }

  private func bytes(_ hexadecimal: String) throws -> [UInt8] {
    let digits = Array(hexadecimal.utf8)
    return try stride(from: 0, to: digits.count, by: 2).map {
      try #require(UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16))
    }
  }

  @Test(
    "RPC-3, RPC-4, RPC-5, EXC-1, EXC-3: all of the table is answered as by a service in Swift",
    arguments: ["tcp", "ipc"])
  func table(transport: String) async throws {
    let calls = try await Python.lines(of: "peer_table.py", ["--packed"])
    #expect(calls.count >= 150)
    try await ClientBench.with { bench in
      let peer = try await PythonPeer("--rpc", transport == "tcp" ? "tcp://127.0.0.1:*" : bench.endpoint("python"))
      bench.cleanup.add { await peer.process.destroy() }
      let service = try await bench.serve(
        PeerMethods.all, bind: [transport == "tcp" ? "tcp://127.0.0.1:*" : bench.endpoint("swift")])
      let python = try await bench.client([peer.rpc], timeout: .seconds(20))
      let swift = try await bench.client([try await service.transport.bindings[0].description], timeout: .seconds(20))
      for call in calls {
        #expect(try await outcome(swift, call) == outcome(python, call), "\(call)")
      }
    }
  }
}
