import MessagePack
import Reactor
import Support
import Testing

@testable import ZeroMQRPC

@Suite("types of one's own travel by a table", .inTurn(minutes: 3)) struct TranslatedTests {
  private struct Point: Translated, Hashable { var x, y: Int }

  /// Made with a point.
  private struct TooFar: Error, Equatable, RemoteExceptionConvertible {
    let point: Point
    init(_ point: Point) { self.point = point }
    init(_ error: RemoteError) throws { point = try Point(converting: error.args.first ?? .nil) }
    var remoteException: RemoteException { RemoteException("builtins.ValueError", arguments: [point]) }
  }

  /// A `Codable` type that holds others.
  private struct Drawing: Codable, Hashable, ValueConvertible {
    struct Spot: Codable, Hashable, Translated { var name: String }
    let title: String
    let spot: Spot
  }

  private class Shape: @unchecked Sendable {
    // Safe: nothing in it changes.
    let name: String
    required init(_ name: String) { self.name = name }
  }
  private final class Circle: Shape, @unchecked Sendable {}
  private final class Square: Shape, @unchecked Sendable {}

  private static func table() throws -> Translators {
    var table = Translators()
    try table.add(Point.self, code: 0) {
      try Packer().pack([$0.x, $0.y].asValue())
    } unpack: { bytes in
      let pair = try [Int](converting: try Unpacker().unpack(bytes))
      guard pair.count == 2 else { throw RemoteError.value("a point has two coordinates") }
      return Point(x: pair[0], y: pair[1])
    }
    func add(_ shape: (some Shape).Type, _ code: Int) throws {
      try table.add(shape, code: code) {
        Array($0.name.utf8)
      } unpack: {
        shape.init(String(decoding: $0, as: UTF8.self))
      }
    }
    try add(Shape.self, 1)
    try add(Circle.self, 2)
    try table.add(Drawing.Spot.self, code: 3) {
      Array($0.name.utf8)
    } unpack: {
      Drawing.Spot(name: String(decoding: $0, as: UTF8.self))
    }
    return table
  }

  private static var methods: Methods {
    var (methods, inner) = (Methods(), Methods())
    inner.add("swap", "p") { (p: Point) in Point(x: p.y, y: p.x) }
    inner.add("later", "p") { (p: Point) in
      await Task.yield()
      return Point(x: p.y, y: p.x)
    }
    inner.add("total", Parameter(rest: "points")) { (points: [Point]) in points.reduce(0) { $0 + $1.x + $1.y } }
    methods["point"] = inner
    methods.add("named", Parameter(keywords: "points")) { (points: [String: Point]) in points.mapValues { [$0] } }
    methods.add("maybe", Parameter("p", default: nil)) { (p: Point?) in p }
    methods.add("fail", "p") { (p: Point) in throw TooFar(p) }
    methods.add("fail_later", "p") { (p: Point) async throws -> Void in throw TooFar(p) }
    methods.add("echo", "x") { (x: Value) in x }
    methods.add("raw", "x") { (x: Value) in "\(x)" }
    methods.add("shape", "x") { (x: Translation<Shape>) in x }
    methods.add("kind", "x") { (x: Translation<Shape>) in "\(type(of: x.object)) \(x.object.name)" }
    methods.add("drawing", "x") { (x: Drawing) in x }
    return methods
  }

  private func with(
    _ service: Translators?, _ client: Translators?, _ body: (RPCClient) async throws -> Void
  ) async throws {
    try await ClientBench.with { bench in
      let endpoint = bench.endpoint("service")
      let running = try await RPCService.start(Self.methods, bind: [endpoint], on: bench.reactor, in: bench.context) {
        $0.grace = .zero
        $0.translators = service
      }
      bench.cleanup.add { await running.close() }
      try await body(try await bench.client([endpoint], timeout: .seconds(20)) { $0.translators = client })
    }
  }

  @Test("VALUE-7, VALUE-9: classes keep what they are, and Codable types hold others") func classes() async throws {
    let table = try Self.table()
    try await with(table, table) { client in
      let circle: Translation<Shape> = try await client.call.shape(Translation(Circle("c")))
      #expect(circle.object is Circle && circle.object.name == "c")
      let any: [Translation<any Sendable>] = try await client.call.echo([Value.ext(2, Array("c".utf8)), 1])
      #expect((any[0].object as? Circle)?.name == "c" && any[1].object as? Value == 1)
      #expect(try await client.call.kind(Translation(Circle("c"))) == "Circle c")
      // Its own class has no code, that of its base has one.
      #expect(try await client.call.kind(Translation(Square("s"))) == "Shape s")
      await #expect(throws: ConversionError.self) {
        let _: Translation<Circle> = try await client.call.shape(Translation(Square("s")))
      }
      let drawing = Drawing(title: "t", spot: .init(name: "s"))
      #expect(try await client.call.drawing(drawing) == drawing)
      let text: String = try await client.call.raw(drawing)
      let value = try table.use { try drawing.asValue() }
      #expect(text == "\(value)" && value["spot"] == .ext(3, Array("s".utf8)))
    }
  }

  @Test("VALUE-7: bytes that are refused stay an extension, and a type without its table is told") func refused()
    async throws
  {
    let table = try Self.table()
    try await with(table, table) { client in
      let raw = Value.ext(0, [0x91, 1])
      let text: String = try await client.call.raw(raw)
      #expect(text == "\(raw)")
      await #expect { try await client.call.point.swap(raw) } throws: {
        "\($0)".contains("Invalid value for argument 'p'") && "\($0)".contains("a Point is needed, not an extension")
      }
    }
    try await with(nil, nil) { client in
      await #expect { try await client.call.raw(Point(x: 1, y: 2)) } throws: {
        ($0 as? ConversionError)?.message
          == "Point travels by a table: set the `translators` of the client or the service"
      }
      await #expect(throws: RemoteError.self) { try await client.call.point.swap(Value.ext(0, [0x92, 1, 2])) }
    }
    // A table that does not have the type.
    try await with(table, Translators()) { client in
      await #expect { try await client.call.raw(Point(x: 1, y: 2)) } throws: {
        ($0 as? ConversionError)?.message.hasPrefix("Unknown type: ") == true
      }
    }
  }

  // MARK: With Python

  @Test(
    "VALUE-7, EXC-6: a service in Python is called with points", .enabled(if: Python.isThere, "\(Python.comment)"))
  func pythonService() async throws {
    let table = try Self.table()
    try await ClientBench.with { bench in
      let peer = try await PythonPeer()
      bench.cleanup.add { await peer.process.destroy() }
      let client = try await bench.client([peer.rpc], timeout: .seconds(20)) {
        $0.translators = table
        $0.errors["builtins.ValueError"] = TooFar.init
      }
      let (a, b) = (Point(x: 1, y: 2), Point(x: 3, y: 4))
      #expect(try await client.call.point.make(1, 2) == a)
      #expect(try await client.call.point.swap(p: a) == Point(x: 2, y: 1))
      #expect(try await client.call.point.total(a, b) == 10)
      #expect(try await client.call.echo([[a], [b]]) == [[a], [b]])
      #expect(try await client.call.echo(["a": a]) == ["a": a])
      #expect(try await client.call.echo(a as Point?) == a)
      #expect(try await client.call.echo(nil) == nil as Point?)
      await #expect(throws: TooFar(a)) { try await client.call.raise_builtin("ValueError", a) }
      await #expect {
        try await client.call.raise_builtin("KeyError", b)
      } throws: { error in
        guard let error = error as? RemoteError else { return false }
        return try table.use { try [Point](converting: .array(error.args)) } == [b]
      }

      // The other patterns.
      let jobs = try await PipelineClient.connect([peer.pipeline], on: bench.reactor, in: bench.context) {
        $0.translators = table
      }
      try await jobs.notify.value(a)
      let news = try await PubSubClient.connect([peer.pubsub], on: bench.reactor, in: bench.context) {
        $0.translators = table
      }
      try await news.waitForSubscriber(of: "t", within: .seconds(10))
      try await news.publish("t").moved(to: b)
      let pushed: [Value] = try await client.call.received.wait("pipeline", 1, 20)
      #expect(pushed.map { $0["args"] } == [try table.use { try [a].asValue() }])
      let published: [Value] = try await client.call.received.wait("pubsub", 1, 20)
      #expect(published.map { $0["kwargs"] } == [try table.use { try ["to": b].asValue() }])
      await jobs.close()
      await news.close()
    }
  }

  @Test(
    "VALUE-7, EXC-1: Python calls a service here with points", .enabled(if: Python.isThere, "\(Python.comment)"))
  func pythonClient() async throws {
    let table = try Self.table()
    func options(_ options: inout ServiceOptions) {
      options.grace = .zero
      options.translators = table
    }
    try await ServiceBench.with(Self.methods, at: "tcp://127.0.0.1:*", options: options) { bench in
      let point = #"{"$point": [1, 2]}"#
      let calls = [
        #"{"method": "point.swap", "args": [\#(point)]}"#, #"{"method": "point.later", "args": [\#(point)]}"#,
        #"{"method": "point.total", "args": [\#(point), \#(point)]}"#,
        #"{"method": "named", "kwargs": {"a": \#(point)}}"#, #"{"method": "maybe"}"#,
        #"{"method": "fail", "args": [\#(point)]}"#, #"{"method": "fail_later", "args": [\#(point)]}"#,
      ]
      let answers = try await Python.lines(
        of: "peer_calls.py", [bench.endpoint], input: calls.map { "\($0)\n" }.joined())
      let swapped = #"{"$point":[2,1]}"#
      #expect(
        answers.prefix(5).map { "\($0["result"])".filter { $0 != " " } } == [
          swapped, swapped, "6", #"{"a":[{"$point":[1,2]}]}"#, "null",
        ])
      for answer in answers.dropFirst(5) {
        #expect("\(answer["error"])".filter { $0 != " " }.contains(#"[{"$point":[1,2]}]"#), "\(answer)")
      }
      #expect(answers.count == 7)
    }
  }

  @Test(
    "VALUE-7: Python pushes and publishes points to services here", .enabled(if: Python.isThere, "\(Python.comment)"),
    arguments: [false, true])
  func oneWay(isPublished: Bool) async throws {
    let table = try Self.table()
    let (came, seen) = (Tally(), Guarded<[Point]>([]))
    var methods = Methods()
    methods.add("moved", "points") { (points: [Point]) in
      seen.withLock { $0 = points }
      came.countUp()
    }
    try await ServiceBench.with(
      methods, isPublished ? .pubsub(["t"]) : .pipeline, at: "tcp://127.0.0.1:*", options: { $0.translators = table }
    ) { bench in
      let call = ["moved", #"[[{"$point": [1, 2]}, {"$point": [3, 4]}]]"#]
      _ = try await Python.lines(
        of: "peer_client.py",
        isPublished
          ? ["publish", bench.endpoint, "t"] + call + ["--settle", "0.5"] : ["notify", bench.endpoint] + call)
      await came.reaches(1)
      #expect(seen.withLock { $0 } == [Point(x: 1, y: 2), Point(x: 3, y: 4)])
    }
  }
}
