import Foundation
import MessagePack
import Support
import Testing

@testable import ZeroMQRPC

@Suite(
  "a program in Swift is all that peer_server.py is", .inTurn(minutes: 3),
  .enabled(if: Python.isThere, "\(Python.comment)"))
struct PeerStationTests {
  @Test("HAND-1: it has each method of that, by name") func names() async throws {
    try await ClientBench.with { bench in
      let python = try await bench.client([try await PythonPeer.shared.value.rpc], timeout: .seconds(20))
      let names: [String] = try await python.call.methods()
      #expect(names.count > 50)
      let station = try await PeerStation(bench)
      let client = try await bench.client([station.rpc], timeout: .seconds(20))
      for name in names.map({ $0.replacingOccurrences(of: "<BuiltinException>", with: "ValueError") }) {
        // The wrong arguments: it is not run. What takes any is run, and does no harm.
        do {
          try await client.call(name, [], ["no such parameter": 1])
        } catch let error as RemoteError {
          #expect(!error.isA("NotFoundError"), "\(name)")
        }
      }
    }
  }

  /// What `peer_client.py` prints.
  private func run(_ arguments: [String]) async throws -> [JSON] {
    try await Python.lines(of: "peer_client.py", arguments)
  }

  @Test("PIPE-1, PUB-1: Python's clients push and publish to it, and read back the same as from that") func oneWay()
    async throws
  {
    try await ClientBench.with { bench in
      let peer = try await PythonPeer()
      bench.cleanup.add { await peer.process.destroy() }
      let station = try await PeerStation(bench)
      var answers: [[JSON]] = []
      for (rpc, pipeline, pubsub) in [
        (peer.rpc, peer.pipeline, peer.pubsub), (station.rpc, station.pipeline, station.pubsub),
      ] {
        var lines: [JSON] = []
        for arguments in [
          ["notify", pipeline, "a.b.c", #"[1, {"$bytes": "00ff"}]"#, #"{"k": {"$date": "2014-03-25"}}"#],
          ["notify", pipeline, "fail", "[5]"], ["notify", pipeline, "missing", "[]"],
          ["notify", pipeline, "value", "[7]"], ["call", rpc, "received.wait", #"["pipeline", 3, 20]"#],
          ["publish", pubsub, "weather.oslo", "city.update", "[21.5]", #"{"wind": "n"}"#, "--settle", "0.5"],
          ["call", rpc, "received.wait", #"["pubsub", 1, 20]"#], ["call", rpc, "received.counts"],
          ["call", rpc, "received.pipeline", "[1]"], ["call", rpc, "received.clear"], ["call", rpc, "received.counts"],
        ] { lines += try await run(arguments) }
        answers.append(lines)
      }
      #expect(answers[0].count == 11)
      #expect("\(answers[1])" == "\(answers[0])")
    }
  }

  @Test("PUB-1: Python's subscribers hear what it publishes") func publishing() async throws {
    try await ClientBench.with { bench in
      let station = try await PeerStation(bench)
      let subscriber = try Python.start(
        "peer_client.py", ["subscribe", station.publish, "--topic", "t", "--count", "3"])
      bench.cleanup.add { await subscriber.destroy() }
      let client = try await bench.client([station.rpc], timeout: .seconds(20))
      _ = try await subscriber.line()
      // Until the subscription has come, what is published is dropped.
      try await station.publisher.waitForSubscriber(of: "t")
      try await client.call.publish.send("t", "a.b", [1] as Value, ["k": 2] as Value)
      let call = try #require(try await subscriber.line().flatMap { JSON($0) })
      #expect(
        call["topic"].text == "t" && call["method"].text == "a.b" && call["args"] == [1] && call["kwargs"]["k"] == 2)
      try await client.call.publish.burst("t", 2)
    }
  }
}
