import MessagePack
import Reactor
import Support
import Testing
import ZeroMQ

@testable import ZeroMQRPC

@Suite("methods", .inTurn(minutes: 3)) struct MethodsTests {
  private static let context = CallContext(name: "m", peerAddress: "127.0.0.1", topic: nil, deadline: nil)

  /// Calls a method as a service does.
  private static func call(
    _ handler: some Handler, _ name: String, _ positional: Value = [], _ keywords: Value = [:]
  ) async throws -> Value {
    let method = try #require(try handler.find(name))
    let bound = try method.signature.bind(positional, keywords)
    switch method.body {
    case .inline(let body): return try body(context, bound)
    case .concurrent(let body): return try await body(context, bound)
    }
  }

  private static func isInline(_ handler: some Handler, _ name: String) throws -> Bool {
    if case .inline = try #require(try handler.find(name)).body { true } else { false }
  }

  @Test("VAL-2, VAL-4: closures take what their parameters name, by position, by name and by default")
  func parameters() async throws {
    var methods = Methods()
    methods.add("scale", "x", Parameter("by", default: 2.0)) { (x: Double, by: Double) in x * by }
    #expect(try await Self.call(methods, "scale", [3]) == 6.0)
    #expect(try await Self.call(methods, "scale", [3, 4]) == 12.0)
    #expect(try await Self.call(methods, "scale", [], ["by": 0.5, "x": 8]) == 4.0)
    // A default is not converted, so it may be what no caller could give.
    methods.add("odd", Parameter("n", default: -1, Conversion<Int>().where("more than 0") { $0 > 0 })) { (n: Int) in n }
    #expect(try await Self.call(methods, "odd") == -1)
    await #expect(throws: RemoteException.self) { try await Self.call(methods, "odd", [-1]) }
  }

  @Test("VAL-2: optionals, the rest, what is named only, and any other names")
  func kinds() async throws {
    var methods = Methods()
    methods.add("find", "key", Parameter("limit", default: nil)) { (key: String, limit: Int?) in
      "\(key) \(limit.map { "\($0)" } ?? "-")"
    }
    #expect(try await Self.call(methods, "find", ["a"]) == "a -")
    #expect(try await Self.call(methods, "find", ["a", nil]) == "a -")
    #expect(try await Self.call(methods, "find", ["a", 5]) == "a 5")
    methods.add(
      "all", "first", Parameter(rest: "rest"), Parameter(keyword: "last", default: 0), Parameter(keywords: "more")
    ) {
      (first: Int, rest: [Int], last: Int, more: [String: Int]) in
      [first, rest.reduce(0, +), last, more.values.reduce(0, +)]
    }
    #expect(try await Self.call(methods, "all", [1, 2, 3], ["x": 10, "last": 4, "y": 20]) == [1, 5, 4, 30])
    #expect(try await Self.call(methods, "all", [1]) == [1, 0, 0, 0])
    // The rest is converted member by member: bytes are no exception here.
    methods.add("bytes", Parameter(rest: "bytes")) { (bytes: [UInt8]) in bytes }
    #expect(try await Self.call(methods, "bytes", [1, 2]) == .binary([1, 2]))
  }

  @Test("VAL-7, VAL-8: results are encoded, values pass as they are, and nothing is nil")
  func results() async throws {
    struct User: Codable, ValueConvertible { var name: String }
    struct Unsendable: ValueEncodable {
      func asValue() throws(ConversionError) -> Value { throw ConversionError(code: .value, message: "m") }
    }
    var methods = Methods()
    methods.add("user", "name") { (name: String) in User(name: name) }
    methods.add("rename", "user") { (user: User) in user.name + "!" }
    methods.add("echo", "x") { (x: Value) in x }
    methods.add("nothing") {}
    methods.add("maybe") { nil as Int? }
    methods.add("too_big") { Unsendable() }
    #expect(try await Self.call(methods, "user", ["Ada"]) == ["name": "Ada"])
    #expect(try await Self.call(methods, "rename", [["name": "Ada"]]) == "Ada!")
    #expect(try await Self.call(methods, "echo", [.ext(5, [1])]) == .ext(5, [1]))
    #expect(try await Self.call(methods, "nothing") == .nil)
    #expect(try await Self.call(methods, "maybe") == .nil)
    let misfit = await #expect(throws: ConversionError.self) { try await Self.call(methods, "too_big") }
    #expect(misfit?.message == "m")
  }

  @Test("RPC-14: a closure that does not wait is run inline, one that does beside others; with who calls or without")
  func forms() async throws {
    var methods = Methods()
    methods.add("a", "x") { (x: Int) in x }
    methods.add("b", "x") { (x: Int) in
      await Task.yield()
      return x
    }
    methods.add("c", "x") { (call: CallContext, x: Int) in "\(call.name) \(x)" }
    methods.add("d") { (call: CallContext) in
      await Task.yield()
      return call.peerAddress
    }
    methods.add("e") { (call: CallContext) in _ = call.name }
    methods.add("f") { (call: CallContext) in await Task.yield() }
    methods.add("g", "x") { (x: Int) in await Task.yield() }
    for (name, isInline) in [
      ("a", true), ("b", false), ("c", true), ("d", false), ("e", true), ("f", false), ("g", false),
    ] {
      #expect(try Self.isInline(methods, name) == isInline, "\(name)")
    }
    #expect(try await Self.call(methods, "b", [5]) == 5)
    #expect(try await Self.call(methods, "c", [5]) == "m 5")
    #expect(try await Self.call(methods, "d") == "127.0.0.1")
    for name in ["e", "f"] { #expect(try await Self.call(methods, name) == .nil) }
    #expect(try await Self.call(methods, "g", [1]) == .nil)
  }

  @Test(
    "VAL-3, VAL-6: an argument that does not convert is a ParametersError that names the parameter",
    arguments: [
      ([1.0], "Invalid value for argument 'a': TypeError('an integer is needed, not a float')"),
      ([true], "Invalid value for argument 'a': TypeError('an integer is needed, not a bool')"),
      (
        [.uint(.max)],
        "Invalid value for argument 'a': ValueError('the integer is not within -9223372036854775808...9223372036854775807')"
      ),
      ([1, [["n": "x"]]], "Invalid value for argument 'list': TypeError('[0].n: an integer is needed, not a string')"),
    ] as [(Value, String)])
  func invalid(arguments: Value, text: String) async throws {
    struct Item: Codable, ValueConvertible { var n: Int }
    var methods = Methods()
    methods.add("m", "a", Parameter("list", default: [])) { (a: Int, list: [Item]) in a }
    await #expect(throws: RemoteException("aiozmq.rpc.base.ParametersError", [.string(text)])) {
      try await Self.call(methods, "m", arguments)
    }
  }

  @Test("VAL-5, VAL-9: any closure converts, and conversions are put together")
  func conversions() async throws {
    var methods = Methods()
    let port = Conversion<Int>().where("1 to 65535") { (1...65_535).contains($0) }
    let host = Conversion<String>().map { $0.lowercased() }
    methods.add(
      "listen", Parameter("ports", .list(of: port)), Parameter("names", default: [:], .map(of: host.orNil)),
      Parameter("either", default: "none", Conversion<String>().or(port.map { "port \($0)" }))
    ) { (ports: [Int], names: [String: String?], either: String) in
      "\(ports) \(names.keys.sorted()) \(names.values.compactMap { $0 }) \(either)"
    }
    #expect(try await Self.call(methods, "listen", [[1, 2]]) == "[1, 2] [] [] none")
    #expect(try await Self.call(methods, "listen", [[1], ["A": "H", "b": nil], 5]) == #"[1] ["A", "b"] ["h"] port 5"#)
    for (arguments, text) in [
      ([[1, 70_000]], "Invalid value for argument 'ports': ValueError('[1]: 1 to 65535 needed, not 70000')"),
      ([1], "Invalid value for argument 'ports': TypeError('an array is needed, not an integer')"),
      ([[], ["k": 5]], "Invalid value for argument 'names': TypeError('.k: a string is needed, not an integer')"),
      ([[], [:], -1], "Invalid value for argument 'either': ValueError('1 to 65535 needed, not -1')"),
    ] as [(Value, String)] {
      await #expect(throws: RemoteException("aiozmq.rpc.base.ParametersError", [.string(text)])) {
        try await Self.call(methods, "listen", arguments)
      }
    }
  }

  private struct Shelf: Handler {
    struct Closed: Error {}
    func lookup(_ name: String) throws -> (any Handler)? {
      switch name {
      case "closed": throw Closed()
      case "missing": nil
      default: Method { name }
      }
    }
  }

  @Test("HAND-1, HAND-2, HAND-3, HAND-5, HAND-7: namespaces, dictionaries and handlers of one's own mix, to any depth")
  func namespaces() async throws {
    var (outer, inner, deep) = (Methods(), Methods(), Methods())
    deep.add("where") { "deep" }
    inner["b"] = ["c": deep] as [String: any Handler]
    inner.add("who") { "inner" }
    outer["a"] = inner
    outer["shelf"] = Shelf()
    outer.add("add", "a", "b") { (a: Int, b: Int) in a + b }
    #expect(try await Self.call(outer, "a.b.c.where") == "deep")
    #expect(try await Self.call(outer, "a.who") == "inner")
    #expect(try await Self.call(outer, "shelf.book") == "book")
    // One leading dot is none, as in aiozmq.
    #expect(try await Self.call(outer, ".add", [1, 2]) == 3)
    for name in [
      "", ".", "nope", "a", "a.b", "a.b.c", "a.b.c.nope", "a..who", "..add", "add.", "add.x", "a.", "shelf.missing",
      "shelf.book.page",
    ] { #expect(try outer.find(name)?.signature == nil, "\(name)") }
    #expect(throws: Shelf.Closed.self) { try outer.find("shelf.closed") }
    #expect(outer.names == ["a.b.c.where", "a.who", "add"])
    outer["a"] = nil
    #expect(outer.names == ["add"])
  }

  @Test("names that nobody could call are told at the start, all of them")
  func faults() async throws {
    var (methods, inner) = (Methods(), Methods())
    methods.add("twice") { 1 }
    methods.add("twice") { 2 }
    methods.add("") { 1 }
    methods.add("a.b") { 1 }
    methods.add("same", "x", "x") { (a: Int, b: Int) in a + b }
    inner.add("again") {}
    inner.add("again") {}
    methods["inner"] = inner
    let error = await #expect(throws: ServiceError.self) {
      _ = try await RPCService.start(methods, bind: ["inproc://faults"])
    }
    #expect(error?.code == .badMethods)
    for part in [
      "'twice' is added twice", "a method or namespace has no name", "'a.b' has a dot",
      "'same' has two parameters named 'x'",
      "in 'inner': 'again' is added twice",
    ] { #expect(error?.message.contains(part) == true, "\(part)") }
  }
}
