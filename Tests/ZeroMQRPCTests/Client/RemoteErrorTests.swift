import MessagePack
import Support
import Testing
import ZeroMQRPC

@Suite("what services raise, at the caller", .inTurn(minutes: 3)) struct RemoteErrorTests {
  private struct OutOfStock: Error, Hashable, RemoteExceptionConvertible {
    let item: String
    init(item: String) { self.item = item }
    init(_ error: RemoteError) throws { item = try String(converting: error.args.first ?? .nil) }
    var remoteException: RemoteException { RemoteException("shop.OutOfStock", [.string(item)]) }
  }
  private struct Lookup: Error, Hashable { let text: String? }

  private var methods: Methods {
    var methods = Methods()
    methods.add("find", "key") { (key: String) in throw RemoteException.key(.string(key)) }
    methods.add("buy", "item") { (item: Value) in
      throw RemoteException("shop.OutOfStock", [item])
    }
    return methods
  }

  @Test("RPC-5, EXC-1, EXC-5: a remote exception has its class's name, its arguments and its text") func remote()
    async throws
  {
    try await ClientBench.with(methods, timeout: .seconds(20)) { _, client in
      do {
        try await client.call.find("x")
        Issue.record("it was found")
      } catch let error as RemoteError where error.isA("LookupError") {
        #expect(error.name == "builtins.KeyError")
        #expect(error.args == ["x"])
        #expect(error.repr == "KeyError('x')")
        #expect(error.isA("KeyError") && error.isA("builtins.Exception") && !error.isA("ValueError"))
      }
      do {
        try await client.call.buy("tea")
        Issue.record("it was bought")
      } catch let error as RemoteError {
        #expect(error.name == "shop.OutOfStock" && error.isA("shop.OutOfStock") && error.isA("Exception"))
        #expect(!error.isA("OutOfStock") && !error.isA("LookupError"))
      }
    }
  }

  @Test("EXC-4, EXC-7, EXC-8, EXC-9: a name nobody has, and arguments that do not fit") func about() async throws {
    try await ClientBench.with(methods, timeout: .seconds(20)) { _, client in
      await #expect {
        try await client.call.shop.nope()
      } throws: { error in
        guard let error = error as? RemoteError else { return false }
        return error.isA("NotFoundError") && error.isA("LookupError") && error.isA("aiozmq.rpc.base.Error")
          && error.args == ["shop.nope"]
      }
      await #expect {
        try await client.call.find()
      } throws: { error in
        guard let error = error as? RemoteError else { return false }
        return error.isA("ParametersError") && error.isA("ValueError") && !error.isA("LookupError")
          && error.args == [#"TypeError("missing a required argument: 'key'")"#]
      }
    }
  }

  @Test(
    "EXC-2, EXC-6: the user's table comes first, and holds any function; one that refuses leaves the error as it is")
  func table() async throws {
    func configure(_ options: inout RPCClientOptions) {
      options.errors["shop.OutOfStock"] = OutOfStock.init
      options.errors["builtins.KeyError"] = { error in Lookup(text: error.repr) }
    }
    try await ClientBench.with(methods, timeout: .seconds(20), configure) { _, client in
      await #expect(throws: OutOfStock(item: "tea")) { try await client.call.buy("tea") }
      await #expect(throws: Lookup(text: "KeyError('x')")) { try await client.call.find("x") }
      await #expect(throws: RemoteError("shop.OutOfStock", [5])) { try await client.call.buy(5) }
    }
  }

  @Test("a remote error that a service passes on stays what it was") func passedOn() async throws {
    try await ClientBench.with(methods, timeout: .seconds(20)) { bench, client in
      var front = Methods()
      front.add("find", "key") { (key: String) async throws -> Value in try await client.call.find(key) }
      let endpoint = bench.endpoint("front")
      try await bench.serve(front, bind: [endpoint])
      let caller = try await bench.client([endpoint], timeout: .seconds(20))
      await #expect(throws: RemoteError("builtins.KeyError", ["x"])) { try await caller.call.find("x") }
    }
  }

  @Test(
    "EXC-3, EXC-7: which of Python's exceptions is one of which is known as Python knows it",
    .enabled(if: Python.isThere, "\(Python.comment)"))
  func hierarchy() async throws {
    let classes = try await Python.lines(of: "exception_tree.py", [])
    #expect(classes.count > 60)
    let names = classes.compactMap { $0["class"].text }
    for class_ in classes {
      let name = try #require(class_["class"].text)
      let above = Set(class_["above"].elements.compactMap(\.text))
      #expect(above.contains(name))
      let error = RemoteError(name, [])
      let found = Set(names.filter { error.isA($0) })
      #expect(found == above, "\(name)")
    }
    #expect(
      RemoteError("builtins.IOError", []).isA("OSError") && RemoteError("builtins.KeyError", []).isA("LookupError"))
    #expect(RemoteError("builtins.FileNotFoundError", []).isA("EnvironmentError"))
  }

  @Test("EXC-7: an error of Swift is none of Python's, whatever its name is") func sameName() async throws {
    struct TimeoutError: Error {}
    var methods = Methods()
    methods.add("wait") { throw TimeoutError() }
    try await ClientBench.with(methods, timeout: .seconds(20)) { _, client in
      do {
        try await client.call.wait()
        Issue.record("it came back")
      } catch let error as RemoteError {
        #expect(error.name == "TimeoutError" && error.isA("TimeoutError") && error.isA("Exception"))
        #expect(!error.isA("builtins.TimeoutError") && !error.isA("OSError"))
      }
    }
  }
}
