import Foundation
import MessagePack
import Reactor
import Support
import Testing
import ZeroMQ

@testable import ZeroMQRPC

/// What a real aiozmq service was sent, and what it answered, as recorded in `Golden/`.
struct Recorded: Decodable, CustomTestStringConvertible {
  private struct File: Decodable { let vectors: [Recorded] }

  let name: String
  let request_frames_hex: [String]?
  let frames_hex: [String]
  var testDescription: String { name }

  var request: [[UInt8]] { (request_frames_hex ?? frames_hex).map(Self.bytes) }
  var reply: [[UInt8]] { frames_hex.map(Self.bytes) }

  static func load(_ name: String) -> [Recorded] {
    guard let url = Bundle.module.url(forResource: "Golden/\(name)", withExtension: "json"),
      let data = try? Data(contentsOf: url), let file = try? JSONDecoder().decode(File.self, from: data)
    else { fatalError("cannot read Golden/\(name).json") }
    return file.vectors
  }

  private static func bytes(_ hex: String) -> [UInt8] {
    let digits = Array(hex.utf8)
    return stride(from: 0, to: digits.count, by: 2).map {
      UInt8(String(decoding: digits[$0..<($0 + 2)], as: UTF8.self), radix: 16) ?? 0
    }
  }
}

@Suite("a service sent what a real one was sent", .inTurn(minutes: 3)) struct GoldenServiceTests {
  /// One keyword is the method's own first parameter in Python, which Swift's closures do not have.
  private static let replies = Recorded.load("rpc_replies").filter { $0.name != "rep_err_self_kwarg" }
  private static let silences = Recorded.load("rpc_no_reply")
  private static let published = Recorded.load("oneway_server")

  @Test(
    "RPC-1, EXC-1, EXC-8, EXC-9: answers with the same bytes, but for process, random number and time",
    arguments: replies)
  func reply(recorded: Recorded) async throws {
    try await ServiceBench.with(GoldenMethods.all, options: { $0.allowsAnyKeys = true }) { bench in
      let client = try await bench.client()
      try await client.sendSoon(recorded.request)
      let reply = try await client.receive()
      let expected = recorded.reply
      #expect(reply.count == expected.count)
      #expect(Array(reply.dropLast(2)) == Array(expected.dropLast(2)))
      let (header, recordedHeader) = (reply[reply.count - 2], expected[expected.count - 2])
      #expect(header.count == 17 && header[4..<8] == recordedHeader[4..<8] && header[16] == recordedHeader[16])
      #expect(reply.last == expected.last, "\(String(describing: try? Unpacker().unpack(reply[reply.count - 1])))")
    }
  }

  @Test(
    "RPC-3: where that was silent it answers if it can read the head, else counts and logs, and reads on",
    arguments: silences)
  func silence(recorded: Recorded) async throws {
    let log = RecordingLog()
    try await ServiceBench.with(GoldenMethods.all, options: { $0.logger = log.logger() }) { bench in
      let client = try await bench.client()
      try await client.sendSoon(recorded.request)
      let isReadable = recorded.request.count >= 4 && recorded.request[recorded.request.count - 4].count == 16
      if isReadable { #expect(try ServiceReply(try await client.receive()).number == 0x4D) }
      try await client.sendSoon(ServiceBench.request(9, "echo", [0x91, 5]))
      let next = try await client.reply()
      #expect((next.number, next.body) == (9, [5]))
      if !isReadable {
        #expect(await bench.service.counters.malformed == 1)
        #expect(log.lines.contains { $0.hasPrefix("warning: Cannot unpack") })
      }
    }
  }

  @Test("PIPE-1, PUB-2, LOG-4: runs the same one-way calls, and reads on where that stopped", arguments: published)
  func oneWay(recorded: Recorded) async throws {
    let (seen, done, end, log) = (Guarded<[Value]>([]), Tally(), Tally(), RecordingLog())
    let isPipeline = recorded.name.hasPrefix("pipeline")
    try await ServiceBench.with(
      GoldenMethods.recording(seen, done, end), isPipeline ? .pipeline : .pubsub(["t"]),
      options: {
        $0.logger = log.logger()
        $0.concurrency = 1
      }
    ) { bench in
      let client = try await bench.client(isPipeline ? .push : .publish)
      let topic = isPipeline ? [] : [Array("topic".utf8)]
      if !isPipeline {
        try await eventually("the subscription is there") {
          try await client.send(topic + [Array("done".utf8), [0x90], [0x80]])
          return done.count > 0
        }
      }
      try await client.sendSoon(recorded.request)
      try await client.sendSoon(topic + [Array("end".utf8), [0x90], [0x80]])
      await end.reaches(1)
      let runs = ["ok", "async_ok", "returns_value"].contains { recorded.name.hasSuffix("server_\($0)") }
      let fails = recorded.name.contains("_raises")
      #expect(
        seen.withLock { $0 }
          == (runs ? [1] : fails ? ["failed"] : recorded.name.hasSuffix("int_key") ? [.map([.init(1, 2)])] : []))
      let isLogged = !fails && !runs && !recorded.name.hasSuffix("int_key") || recorded.name.hasSuffix("returns_value")
      #expect(log.lines.isEmpty == !isLogged, "\(log.lines)")
    }
  }
}

/// The handler of the recordings, in Swift.
enum GoldenMethods {
  static var all: Methods {
    var methods = Methods()
    methods.add("none") {}
    methods.add("echo", "x") { (x: Value) in x }
    methods.add("add", "a", Parameter("b", default: 2)) { (a: Value, b: Value) in
      switch (a, b) {
      case (.int(let a), .int(let b)): return Value.int(a + b)
      case (.string(let a), .string(let b)): return .string(a + b)
      default: throw RemoteException.type("unsupported operand type(s) for +: 'int' and 'NoneType'")
      }
    }
    methods.add("star", Parameter(rest: "a"), Parameter(keywords: "k")) { (a: [Value], k: [String: Value]) in
      Value.array([.array(a), .map(k.map { .init(.string($0.key), $0.value) })])
    }
    methods.add("kwonly", "a", Parameter(keyword: "b")) { (a: Value, b: Value) in [a, b] }
    methods.add("_private") { "private is callable" }
    methods.add("slow", "seconds") { (seconds: Value) in
      await Task.yield()
      return seconds
    }
    methods.add("py", "text") { (text: String) in try evaluate(text) }
    methods.add("throw", "text") { (text: String) in throw raised(text) }
    methods.add("athrow", "text") { (text: String) in
      await Task.yield()
      if text.hasPrefix("asyncio.Cancelled") { throw CancellationError() }
      throw text.hasPrefix("StopIteration")
        ? RemoteException("builtins.RuntimeError", ["coroutine raised StopIteration"]) : raised(text)
    }
    var sub = Methods()
    sub.add("who") { ["sub", "who"] }
    methods["sub"] = sub
    let free = Method("x", Parameter(keyword: "k", default: 1)) { (x: Value, k: Value) in [x, k] }
    methods["table"] = ["free": free, "deep": ["free": free] as [String: any Handler]] as [String: any Handler]
    methods["dyn"] = Dynamic()
    methods["items"] = Broken()
    methods["bad"] = Broken()
    return methods
  }

  /// That of the one-way recordings.
  static func recording(_ seen: Guarded<[Value]>, _ done: Tally, _ end: Tally) -> Methods {
    var methods = Methods()
    methods.add("put", "x") { (x: Value) in seen.withLock { $0.append(x) } }
    methods.add("aput", "x") { (x: Value) in
      await Task.yield()
      seen.withLock { $0.append(x) }
    }
    methods.add("put_and_return", "x") { (x: Value) in
      seen.withLock { $0.append(x) }
      return x
    }
    methods.add("fail", "x") { (x: Value) in
      seen.withLock { $0.append("failed") }
      throw RemoteException.value("failed")
    }
    methods.add("done") { done.countUp() }
    methods.add("end") { end.countUp() }
    methods["items"] = Broken()
    return methods
  }

  private static func evaluate(_ text: String) throws -> Value {
    switch text {
    case "{1: 2}": return .map([.init(1, 2)])
    case "1/0": throw RemoteException("builtins.ZeroDivisionError", ["division by zero"])
    case "'\\udc80'":
      throw RemoteException("builtins.UnicodeEncodeError", ["utf-8", "?", 0, 1, "surrogates not allowed"])
    case "{1, 2}": throw RemoteException.type("Unknown type: {1, 2}")
    case "2**64": throw RemoteException.type("Unknown type: 18446744073709551616")
    case "-2**63-1": throw RemoteException.type("Unknown type: -9223372036854775809")
    default: return (1..<64).reduce(Value.array([])) { inner, _ in .array([inner]) }
    }
  }

  private static func raised(_ text: String) -> RemoteException {
    switch text {
    case "ValueError('bad arg', 1)": RemoteException("builtins.ValueError", ["bad arg", 1])
    case "ValueError()": RemoteException("builtins.ValueError", [])
    case "RuntimeError('x')": RemoteException("builtins.RuntimeError", ["x"])
    case "KeyError('k')": .key("k")
    case "OSError(2, 'No such file', 'fn')": RemoteException("builtins.FileNotFoundError", [2, "No such file"])
    case "asyncio.TimeoutError()": .timeout
    case "asyncio.InvalidStateError('x')": RemoteException("asyncio.exceptions.InvalidStateError", ["x"])
    case "asyncio.QueueEmpty()": RemoteException("asyncio.queues.QueueEmpty", [])
    case "CustomError('value', 5)": RemoteException("__main__.CustomError", ["value", 5])
    case "Outer.NestedError(1)": RemoteException("__main__.Outer.NestedError", [1])
    case "rpc.GenericError('a.B', (1,), 'r')":
      RemoteException("aiozmq.rpc.base.GenericError", ["a.B", [1], "r"], repr: "<Generic RPC Error a.B(1,): r>")
    case "rpc.ServiceClosedError()": ServiceError.closed.remoteException
    case "rpc.NotFoundError('mine')": .notFound("mine")
    case "rpc.ParametersError('mine')": RemoteException("aiozmq.rpc.base.ParametersError", ["mine"])
    case let text where text.hasPrefix("UnicodeDecodeError"):
      RemoteException("builtins.UnicodeDecodeError", ["utf-8", .binary([0xFF]), 0, 1, "bad"])
    // What Python could not pack: here it says why.
    default: RemoteException("__main__.CustomError", [.map([.init(1, 2)])])
    }
  }

  private struct Dynamic: Handler {
    var namespace: [Value] = []

    func lookup(_ name: String) -> (any Handler)? {
      guard name == "func" else { return Dynamic(namespace: namespace + [.string(name)]) }
      let namespace = namespace
      return Method { Value.array([.array(namespace), "val"]) }
    }
  }

  /// Looking a name up fails.
  private struct Broken: Handler {
    func lookup(_ name: String) throws -> (any Handler)? { throw RemoteException.type("list indices must be integers") }
  }
}
