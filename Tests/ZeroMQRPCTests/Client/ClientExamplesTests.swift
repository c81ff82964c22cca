import Foundation
import MessagePack
import Support
import Testing
import ZeroMQ
import ZeroMQRPC

/// Each line of the client's examples in `docs/rpc.md` stands in this file and is run, with endpoints of the test's own.
@Suite("the examples of clients in docs/rpc.md", .timeLimit(.minutes(1))) struct ClientExamplesTests {
  private static func text(_ path: String) throws -> String {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    return try String(contentsOf: folder.appendingPathComponent("../../../\(path)"), encoding: .utf8)
  }

  /// What stands in the page, and what it is here.
  private static let endpoints = [
    #""tcp://127.0.0.1:5555""#: "first", #""tcp://127.0.0.1:5556""#: "second", #""tcp://worker:5556""#: "worker",
    #""tcp://*:5557""#: "anywhere",
  ]

  /// What is run, without indentation and comments.
  private static func lines(_ text: some StringProtocol) -> [String] {
    text.split(separator: "\n").map { line in
      // What follows is said to readers.
      (line.components(separatedBy: "   //").first ?? "").trimmingCharacters(in: .whitespaces)
    }.filter { !$0.isEmpty && !$0.hasPrefix("import ") && !$0.hasPrefix("//") }
  }

  @Test("are run here as they stand there") func page() throws {
    let page = try Self.text("docs/rpc.md")
    let start = try #require(page.range(of: "## Calling Python"))
    let end = try #require(page.range(of: "## Being called by Python"))
    let examples = page[start.upperBound..<end.lowerBound].components(separatedBy: "```swift\n").dropFirst().map {
      $0.components(separatedBy: "```")[0]
    }
    #expect(examples.count == 7)
    let here = Set(Self.lines(try String(contentsOfFile: #filePath, encoding: .utf8)))
    for line in examples.flatMap(Self.lines) {
      let own = Self.endpoints.reduce(line) { $0.replacingOccurrences(of: $1.key, with: $1.value) }
      #expect(here.contains(own), "\(own)")
    }
  }

  private var methods: Methods {
    var (methods, math) = (Methods(), Methods())
    math.add("add", "a", "b") { (a: Int, b: Int) in a + b }
    methods["math"] = math
    methods.add("slow") { 1 }
    methods.add("find", "key") { (key: String) in throw RemoteException.key(.string(key)) }
    methods.add("buy", "item") { (item: String) in throw RemoteException("shop.OutOfStock", [.string(item)]) }
    return methods
  }

  @Test("calls, endpoints and times") func calls() async throws {
    try await ClientBench.with { bench in
      let (first, second) = (bench.endpoint("first"), bench.endpoint("second"))
      for endpoint in [first, second] { try await bench.serve(methods, bind: [endpoint]) }
      let client = try await RPCClient.connect([first], timeout: .seconds(2))
      let sum: Int = try await client.call.math.add(1, b: 2)
      let same: Int = try await client.call("math.add", [1], ["b": 2])
      #expect((sum, same) == (3, 3))
      try await client.transport.connect(second)
      try await client.transport.disconnect(first)
      let patient = client.withTimeout(nil)
      #expect(patient.timeout == nil)
      try await patient.call.slow()
      try await client.withTimeout(.milliseconds(200)) { let _: Value = try await $0.call.slow() }
      await client.close()
    }
  }

  @Test("one-way calls") func oneWay() async throws {
    try await ClientBench.with { bench in
      let (worker, anywhere) = (bench.endpoint("worker"), bench.endpoint("anywhere"))
      let came = Tally()
      var (methods, images) = (Methods(), Methods())
      images.add("resize", "name", Parameter(keyword: "width")) { (name: String, width: Int) in
        if (name, width) == ("a.png", 640) { came.countUp() }
      }
      methods["images"] = images
      methods.add("update", "value") { (value: Double) in if value == 21.5 { came.countUp() } }
      let workers = try await PipelineService.start(methods, bind: [worker], on: bench.reactor, in: bench.context)
      let feed = try await PubSubService.start(
        methods, subscribe: ["weather"], connect: [anywhere], on: bench.reactor, in: bench.context)
      bench.cleanup.add {
        await workers.close()
        await feed.close()
      }
      let jobs = try await PipelineClient.connect([worker])
      try await jobs.notify.images.resize("a.png", width: 640)
      let news = try await PubSubClient.bind([anywhere])
      try await news.waitForSubscriber(of: "weather.oslo")
      try await news.publish("weather.oslo").update(21.5)
      await came.reaches(2)
      await jobs.close()
      await news.close()
    }
  }

  @Test("a service with a key") func security() async throws {
    try await ClientBench.with { bench in
      let (pair, own) = (try CurveKeyPair(), try CurveKeyPair())
      let (endpoint, serverKey) = (bench.endpoint("guarded"), pair.publicKey)
      let service = try await RPCService.start(methods, bind: [endpoint], on: bench.reactor, in: bench.context) {
        $0.socket.security = .curveServer(pair, domain: nil)
      }
      bench.cleanup.add { await service.close() }
      let client = try await RPCClient.connect([endpoint]) { $0.security = .curve(own, server: serverKey) }
      #expect(try await client.call.slow() == 1)
      await client.close()
    }
  }

  @Test("errors") func errors() async throws {
    struct OutOfStock: Error {
      let item: String
      init(_ error: RemoteError) throws { item = try String(converting: error.args.first ?? .nil) }
    }
    try await ClientBench.with { bench in
      let endpoint = bench.endpoint("shop")
      try await bench.serve(methods, bind: [endpoint])
      let client = try await RPCClient.connect([endpoint]) { $0.errors["shop.OutOfStock"] = OutOfStock.init }
      await #expect { try await client.call.buy("tea") } throws: { ($0 as? OutOfStock)?.item == "tea" }
      do {
        let _: Value = try await client.call.find("x")
        Issue.record("it was found")
      } catch let error as RemoteError where error.isA("LookupError") {
        #expect(error.args == ["x"])
      } catch let error as CallFailure where !error.sent {
        Issue.record(error)
      }
      await client.close()
    }
  }
}
