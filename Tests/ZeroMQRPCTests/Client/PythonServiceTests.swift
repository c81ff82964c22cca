import Foundation
import MessagePack
import Reactor
import Support
import Testing
import ZeroMQ
import ZeroMQRPC

/// `make test` sets ZMQ_GATEWAY_PYTHON: without it, what needs a real service cannot run.
@Suite(
  "a client calls services in Python", .inTurn(minutes: 4), .enabled(if: Python.isThere, "\(Python.comment)"))
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
      let calls: [Value] = try await client.call.received.wait(isPublished ? "pubsub" : "pipeline", 1, 20)
      #expect(calls.count == 1)
      #expect(calls[0]["method"] == "city.update")
      #expect(calls[0]["args"] == [21.5])
      #expect(calls[0]["kwargs"] == ["wind": [1, "n"]])
    }
  }

  /// What a call came to.
  private func outcome(_ client: RPCClient, _ call: JSON) async throws -> String {
    func value(_ key: String) throws -> Value {
      try Unpacker(limits: .init(depth: 500)).unpack([UInt8](hexadecimal: call[key].text ?? ""))
    }
    let keywords = try (value("kwargs").mapValue ?? []).map { (try String(converting: $0.key), $0.value) }
    do {
      let result: Value = try await client.call(
        call["method"].text ?? "", try value("args").arrayValue ?? [], Dictionary(keywords) { $1 })
      return try "\(again(result))"
    } catch let error as RemoteError {
      return "\(error.name) \(error.args) \(error)".inEveryPython
    }
  }

  /// Dates are pickled by the newest protocol there, and by one that all read here.
  private func again(_ value: Value) throws -> Value {
    switch value {
    case .array(let members): .array(try members.map(again))
    case .map(let pairs): .map(try pairs.map { .init(try again($0.key), try again($0.value)) })
    default: try PeerDates.again(value)
    }
  }

  @Test("VALUE-5: each of Python's dates, times, spans and zones is read and written without loss") func dates()
    async throws
  {
    try await with { _, client, _ in
      let there: [String: Value] = try await client.call.dates.samples()
      #expect(Set(there.keys) == Set(PeerDates.samples.map(\.name)))
      for sample in PeerDates.samples {
        let came = try #require(there[sample.name])
        #expect(try PeerDates.again(came) == sample.value.asValue())
        let isEqual: Bool = try await client.call.dates.equal(sample.name, sample.value)
        #expect(isEqual, "\(sample.name)")
        // It tells names of zones and all else that Python compares without.
        #expect(try await client.call.describe(sample.value) == client.call.describe(came))
      }
      let before = Date().timeIntervalSince1970
      let now: PythonDateTime = try await client.call.dates.now()
      #expect(now.time.zone == .utc)
      #expect(
        Double(now.date.daysSince1970) * 86_400 <= before + 60 && Double(now.date.daysSince1970 + 2) * 86_400 > before)
      let next: PythonDate = try await client.call.dates.add(
        PythonDate(year: 2024, month: 2, day: 28), PythonTimeDelta(days: 1))
      #expect(next == PythonDate(year: 2024, month: 2, day: 29))
      await #expect(throws: ConversionError.self) { let _: PythonDate = try await client.call.dates.now() }
    }
  }

  @Test("VALUE-7: Python's points are read and written") func points() async throws {
    struct Point: Hashable { var x, y: Int64 }
    var table = Translators()
    try table.add(Point.self, code: 0) {
      try Packer().pack([.int($0.x), .int($0.y)])
    } unpack: { bytes in
      let members = try [Int64](converting: try Unpacker().unpack(bytes))
      guard members.count == 2 else { throw RemoteError.value("a point has two coordinates") }
      return Point(x: members[0], y: members[1])
    }
    let translators = table
    try await with { _, client, _ in
      let made = translators.object(of: try await client.call.point.make(1, 2))
      #expect(made as? Point == Point(x: 1, y: 2))
      let swapped: Value = try await client.call.point.swap(try translators.value(of: Point(x: 1, y: 2)))
      #expect(translators.object(of: swapped) as? Point == Point(x: 2, y: 1))
    }
  }

  enum Way: CaseIterable { case tcp, ipc, proxy }

  @Test(
    "RPC-1, RPC-4, RPC-5, EXC-1, EXC-3, VALUE-2, VALUE-12: all of the table is answered as by a service in Swift, also by proxy",
    arguments: Way.allCases)
  func table(way: Way) async throws {
    let calls = try await Python.lines(of: "peer_table.py", ["--packed"])
    #expect(calls.count >= 150)
    try await ClientBench.with { bench in
      func endpoint(_ name: String) -> String { way == .tcp ? "tcp://127.0.0.1:*" : bench.endpoint(name) }
      let peer = try await PythonPeer("--rpc", endpoint("python"))
      bench.cleanup.add { await peer.process.destroy() }
      let service = try await bench.serve(PeerMethods.all, bind: [endpoint("swift")])
      let bound = try await service.transport.bindings[0].description
      let fronts =
        way == .proxy ? [try await proxy(peer.rpc, bench), try await proxy(bound, bench)] : [peer.rpc, bound]
      let python = try await bench.client([fronts[0]], timeout: .seconds(20))
      let swift = try await bench.client([fronts[1]], timeout: .seconds(20))
      for call in calls {
        #expect(try await outcome(swift, call) == outcome(python, call), "\(call)")
      }
    }
  }

  /// A ROUTER and a DEALER in front of a service.
  private func proxy(_ service: String, _ bench: ClientBench) async throws -> String {
    final class Silent: TransportDelegate {}
    let front = try await Transport.open(
      .router, bind: ["tcp://127.0.0.1:*"], on: bench.reactor, in: bench.context
    ) { Silent() }
    let back = try await Transport.open(.dealer, connect: [service], on: bench.reactor, in: bench.context) { Silent() }
    let running = Task { try await Proxy(front, back).run() }
    bench.cleanup.add {
      running.cancel()
      _ = await running.result
      for transport in [front, back] {
        await transport.close()
        await transport.waitClosed()
      }
    }
    return await front.bindings[0].description
  }

  @Test("RPC-1: arguments and results of up to 16 MiB", arguments: [65_536, 1 << 20, 16 << 20]) func sizes(count: Int)
    async throws
  {
    try await with { _, client, _ in
      let large: [UInt8] = try await client.call.large(count)
      #expect(large.count == count && large.last == UInt8((count - 1) % 251))
      let size: Int = try await client.call.size(large)
      #expect(size == count)
      let same: [UInt8] = try await client.call.echo(large)
      #expect(same == large)
      let text: Int = try await client.call.size(String(repeating: "\u{e9}", count: count / 2))
      #expect(text == count / 2)
    }
  }
}
