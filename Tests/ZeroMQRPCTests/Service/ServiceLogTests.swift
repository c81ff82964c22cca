import Logging
import MessagePack
import Support
import Testing
import ZeroMQ

@testable import ZeroMQRPC

@Suite("the log of a service", .inTurn(minutes: 3)) struct ServiceLogTests {
  // Safe: they hold nothing.
  private class Expected: Error, @unchecked Sendable {}
  private final class Special: Expected, @unchecked Sendable {}
  private struct Sold: RemoteExceptionConvertible {
    var remoteException: RemoteException { RemoteException("shop.errors.OutOfStock", ["apple", 0]) }
  }

  private static let methods: Methods = {
    var methods = Methods()
    methods.add("fail", "text", Parameter("n", default: 0)) { (text: String, n: Int) in
      throw RemoteException.value(text)
    }
    methods.add("expected") { throw Expected() }
    methods.add("special") {
      await Task.yield()
      throw Special()
    }
    methods.add("sold") { throw Sold() }
    methods.add("value") { 5 }
    methods.add("done") {}
    return methods
  }()

  /// Calls the methods one after another, and returns what was logged.
  private func lines(
    _ logs: ExceptionLog?, _ pattern: ServiceBench.Pattern = .rpc, _ calls: [(String, Value, Value)]
  ) async throws -> [String] {
    let log = RecordingLog()
    try await ServiceBench.with(
      Self.methods, pattern,
      options: {
        if let logs { $0.logs = logs }
        $0.concurrency = 1
        $0.logger = log.logger()
      }
    ) { bench in
      let kind: SocketKind =
        switch pattern {
        case .rpc: .dealer
        case .pipeline: .push
        case .pubsub: .publish
        }
      let client = try await bench.client(kind)
      if kind == .publish {
        try await eventually("the subscription is there") {
          try await client.send([[], Array("first".utf8), [0x90], [0x80]])
          return log.lines.contains { $0.contains("'first'") }
        }
      }
      for (number, (name, arguments, keywords)) in calls.enumerated() {
        let frames = ServiceBench.request(
          UInt8(number), name, try Packer().pack(arguments), try Packer().pack(keywords))
        switch kind {
        case .dealer:
          try await client.sendSoon(frames)
          _ = try await client.reply()
        case .push: try await client.sendSoon(Array(frames[1...]))
        default: try await client.sendSoon([[0x74]] + frames[1...])
        }
      }
      // The last one is known to have run when this one is logged.
      if kind != .dealer {
        try await client.sendSoon((kind == .publish ? [[0x74]] : []) + [Array("last".utf8), [0x90], [0x80]])
        try await eventually("all were run") { log.lines.contains { $0.contains("'last'") } }
      }
    }
    return log.lines.filter { !$0.contains("'last'") && !$0.contains("'first'") }
  }

  private static let calls: [(String, Value, Value)] = [
    ("fail", ["bad"], ["n": 5]), ("expected", [], [:]), ("special", [], [:]), ("nope", [], [:]), ("fail", [], [:]),
  ]

  @Test("LOG-1: tells nothing of what methods throw, by default")
  func silent() async throws { #expect(try await lines(nil, .rpc, Self.calls) == []) }

  @Test("LOG-2: tells each error with its method and its arguments, when it is asked to")
  func exceptions() async throws {
    let lines = try await lines(.exceptions(), .rpc, Self.calls)
    #expect(lines.count == 5)
    #expect(
      lines.first
        == "error: An exception ValueError('bad') from method 'fail' call occurred. args=('bad',) kwargs={'n': 5} method=fail"
    )
    #expect(lines[3].hasPrefix("error: An exception NotFoundError('nope') from method 'nope' call occurred."))
  }

  @Test("LOG-3: leaves out the types that are listed, with their subclasses; or what a closure says")
  func excluded() async throws {
    let lines = try await lines(.exceptions(except: Expected.self, Sold.self), .rpc, Self.calls + [("sold", [], [:])])
    #expect(lines.count == 3)
    #expect(!lines.contains { $0.contains("expected") || $0.contains("special") || $0.contains("sold") })
    let closure = try await self.lines(
      .exceptions { ($0 as? RemoteException)?.name == "builtins.ValueError" }, .rpc, Self.calls)
    #expect(closure.count == 1)
  }

  @Test("LOG-4, PIPE-6, PIPE-7: one-way calls in any case tell of names and arguments that are wrong, and of results")
  func pipeline() async throws {
    let lines = try await lines(nil, .pipeline, Self.calls + [("value", [], [:]), ("done", [], [:])])
    #expect(
      lines == [
        "error: Call to 'nope' caused error: NotFoundError('nope')",
        "error: Call to 'fail' caused error: ParametersError('TypeError(\"missing a required argument: \\'text\\'\")')",
        "warning: Pipeline handler returned not None method=value result=int",
      ])
    let all = try await self.lines(.exceptions(except: Expected.self), .pipeline, Self.calls)
    #expect(all.count == 3)
    #expect(all.first?.contains("ValueError('bad')") == true)
  }

  @Test("LOG-4, PUB-10: so do published ones")
  func published() async throws {
    let lines = try await lines(.exceptions(except: Expected.self), .pubsub([""]), Self.calls + [("value", [], [:])])
    #expect(lines.count == 4)
    #expect(lines.last == "warning: PubSub handler returned not None method=value result=int")
  }

  @Test("LOG-5: the label is aiozmq.rpc, and the logger may be another")
  func label() async throws {
    #expect(ServiceOptions().logger.label == "aiozmq.rpc")
    // That of `lines`.
    #expect(try await lines(.exceptions(), .rpc, [("fail", ["bad"], [:])]).count == 1)
  }

  @Test("EXC-1: an error may say itself what it is to callers, and travels so")
  func convertible() async throws {
    try await ServiceBench.with(Self.methods) { bench in
      let client = try await bench.client()
      try await client.sendSoon(ServiceBench.request(1, "sold"))
      let raised = try await client.reply().exception
      #expect(raised == RemoteException("shop.errors.OutOfStock", ["apple", 0]))
      #expect(raised.repr == "OutOfStock('apple', 0)")
    }
  }
}
