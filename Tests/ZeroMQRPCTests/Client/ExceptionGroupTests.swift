import MessagePack
import Support
import Testing
import ZeroMQ
import ZeroMQRPC

/// Python's exception groups, whose second argument is a list of exceptions, which aiozmq cannot pack by itself.
@Suite(
  "exception groups", .inTurn(minutes: 3), .enabled(if: Python.isThere, "\(Python.comment)"),
  .enabled("Python has them since 3.11") {
    try await Python.lines(of: "exception_tree.py", []).contains { $0["class"] == "builtins.ExceptionGroup" }
  })
struct ExceptionGroupTests {
  /// An exception as an extension, as `peer_groups.py` has it.
  private static func table() throws -> Translators {
    var table = Translators()
    try table.add(RemoteError.self, code: 20) { error in
      try Packer().pack([.string(error.name), .array(error.args), error.repr.map { .string($0) } ?? .nil])
    } unpack: { bytes in
      try bytes.withUnsafeBytes { try RemoteError($0) }
    }
    return table
  }

  private func with(
    _ service: Int, timeout: Duration, _ body: (ClientBench, RPCClient) async throws -> Void
  ) async throws {
    let table = try Self.table()
    try await ClientBench.with { bench in
      let process = try Python.start("peer_groups.py", [])
      bench.cleanup.add { await process.destroy() }
      let endpoints = try #require(try await process.line().flatMap { JSON($0) })["rpc"]
      let client = try await bench.client([try #require(endpoints[service].text)], timeout: timeout) {
        $0.translators = table
      }
      try await body(bench, client)
    }
  }

  @Test("EXC-3: a group arrives where a table has exceptions, and what is in it with it") func arrives() async throws {
    let table = try Self.table()
    try await with(0, timeout: .seconds(20)) { _, client in
      do {
        try await client.call.group()
        Issue.record("nothing was raised")
      } catch let error as RemoteError where error.isA("ExceptionGroup") {
        #expect(error.isA("BaseExceptionGroup") && error.isA("Exception") && !error.isA("ValueError"))
        #expect(error.args.count == 2 && error.args[0] == "two")
        try table.use {
          let inner = try [Translation<RemoteError>](converting: error.args[1]).map(\.object)
          #expect(inner.map(\.name) == ["builtins.ValueError", "builtins.ExceptionGroup"])
          #expect(inner[0].args == ["no"] && inner[1].args[0] == "one")
          let innermost = try [Translation<RemoteError>](converting: inner[1].args[1]).map(\.object)
          #expect(innermost.map(\.name) == ["builtins.KeyError"] && innermost[0].args == ["k"])
        }
      }
    }
  }

  @Test("EXC-3: without such a table aiozmq does not answer, and the call ends with its time") func silent()
    async throws
  {
    try await with(1, timeout: .seconds(20)) { _, client in
      try await client.call.ping()
      let impatient = client.withTimeout(.milliseconds(200))
      #expect(try await failure { try await impatient.call.group() } == CallFailure(.timeout, sent: true))
      #expect(try await client.call.ping() == "pong")
    }
  }

  @Test("EXC-3: Python raises a group that a service here throws with exceptions in it, and no other") func thrown()
    async throws
  {
    let table = try Self.table()
    var methods = Methods()
    methods.add("group") {
      throw RemoteException(
        "builtins.ExceptionGroup", arguments: ["two", [Translation(RemoteException.value("no"))]])
    }
    methods.add("texts") { throw RemoteException("builtins.ExceptionGroup", ["two", ["no"]]) }
    methods.add("ping") { "pong" }
    let own = methods
    try await ClientBench.with { bench in
      let service = try await RPCService.start(
        own, bind: ["tcp://127.0.0.1:*"], on: bench.reactor, in: bench.context
      ) { $0.translators = table }
      bench.cleanup.add { await service.close() }
      let endpoint = try await service.transport.bindings[0].description
      let answers = try await Python.lines(of: "peer_groups.py", [endpoint], input: "group\ntexts\nping\n")
      // Its own client cannot make that group, says so to its loop, and waits until its time is up.
      #expect(
        answers.map { $0["out"].text } == ["ExceptionGroup('two', (ValueError('no'),))", "TimeoutError()", "pong"])
    }
  }
}
