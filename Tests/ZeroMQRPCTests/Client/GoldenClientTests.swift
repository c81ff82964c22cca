import Foundation
import MessagePack
import Reactor
import Support
import Testing
import ZeroMQ
import ZeroMQRPC

/// What aiozmq's own clients sent, and what their calls came to.
@Suite("clients send and hear what aiozmq's do", .inTurn(minutes: 3)) struct GoldenClientTests {
  /// Python's own integers, sets and surrogates, which no value in Swift can hold, have no frames.
  private static let requests = RecordedCall.load("rpc_requests").filter { $0.frames.count == 4 && !$0.method.isEmpty }
  private static let pushed = RecordedCall.load("pipeline")
  private static let published = RecordedCall.load("pubsub").filter { !$0.frames.isEmpty }
  private static let results = RecordedCall.load("rpc_client_results")

  private func backend(_ kind: SocketKind, _ bench: ClientBench) async throws -> WireSocket {
    let backend = try await WireSocket(kind, bind: bench.endpoint("backend"))
    bench.cleanup.add { await backend.close() }
    return backend
  }

  @Test(
    "RPC-1, SERV-5, VALUE-1, VALUE-4: sends the same bytes, but for process, number, random and time",
    arguments: requests)
  func request(recorded: RecordedCall) async throws {
    try await ClientBench.with { bench in
      let backend = try await backend(.router, bench)
      let client = try await bench.client([backend.endpoint], timeout: .seconds(20)) { $0.allowsAnyKeys = true }
      let method = client.call[dynamicMember: recorded.method]
      async let result: Value = method.dynamicallyCall(withKeywordArguments: recorded.arguments)
      let call = try await backend.call()
      #expect(call.envelope.count == 1)
      #expect([Array(call.method.utf8), call.arguments, call.keywords] == Array(recorded.frames.dropFirst()))
      #expect(call.header.count == 16)
      #expect(Int(call.header[0]) | Int(call.header[1]) << 8 == Int(getpid()) & 0xFFFF)
      let time = call.header[8...].reversed().reduce(0) { $0 << 8 | UInt64($1) }
      #expect(abs(Double(bitPattern: time) - Date().timeIntervalSince1970) < 60)
      try await backend.answer(call, [0xC0])
      #expect(try await result == nil)
    }
  }

  @Test("PIPE-1: pushes the same bytes", arguments: pushed) func push(recorded: RecordedCall) async throws {
    try await ClientBench.with { bench in
      let worker = try await backend(.pull, bench)
      let jobs = try await PipelineClient.connect(
        [worker.endpoint], timeout: .seconds(20), on: bench.reactor, in: bench.context)
      bench.cleanup.add { await jobs.close() }
      try await jobs.notify[dynamicMember: recorded.method].dynamicallyCall(withKeywordArguments: recorded.arguments)
      #expect(try await worker.receive() == recorded.frames)
    }
  }

  @Test("PUB-1, PUB-4: publishes the same bytes", arguments: published)
  func publish(recorded: RecordedCall) async throws {
    try await ClientBench.with { bench in
      let reader = try await backend(.subscribe, bench)
      try await reader.subscribe("")
      let news = try await PubSubClient.connect([reader.endpoint], on: bench.reactor, in: bench.context)
      bench.cleanup.add { await news.close() }
      try await news.waitForSubscriber(of: "", within: .seconds(20))
      let methods =
        switch recorded.decoded["topic"] {
        case .null: news.publish()
        case .string(let topic): news.publish(topic)
        case let bytes: news.publish(try #require(try Value(recorded: bytes).binaryValue))
        }
      try await methods[dynamicMember: recorded.method].dynamicallyCall(withKeywordArguments: recorded.arguments)
      #expect(try await reader.receive() == recorded.frames)
    }
  }

  private struct Translated: Error, Hashable { let args: [Value] }

  /// What a call came to: its result, or what it threw.
  private func outcome(_ call: () async throws -> Value) async -> Result<Value, any Error> {
    do { return .success(try await call()) } catch { return .failure(error) }
  }

  /// For what aiozmq's client waited without end: what a call comes to here; nil when it waits for a proper reply here too.
  private static func unlike(_ name: String) -> Result<Value, any Error>? {
    switch name {
    case "client_int_map_key": .success(.map([.init(1, 2)]))
    case "client_error_pair_0_1": .failure(RemoteError("builtins.ValueError", ["a"]))
    case "client_error_bad_ctor": .failure(RemoteError("builtins.UnicodeDecodeError", []))
    case "client_error_stop_iteration": .failure(RemoteError("builtins.StopIteration", []))
    case "client_error_not_array", "client_extra_frame": .failure(CallFailure(.badReply, sent: true))
    default: nil
    }
  }

  @Test(
    "RPC-4, RPC-5, EXC-2, EXC-3, EXC-4, EXC-5: calls end as there; where those waited for ever, with an error",
    arguments: results)
  func result(recorded: RecordedCall) async throws {
    try await ClientBench.with { bench in
      let backend = try await backend(.router, bench)
      let client = try await bench.client([backend.endpoint], timeout: .seconds(20)) {
        for name in ["pkg.Custom", "builtins.LookupError"] { $0.errors[name] = { Translated(args: $0.args) } }
      }
      async let ended = outcome { try await client.call.first() }
      let call = try await backend.call()
      // The recorded call had the number 1.
      let reply = recorded.frames.map { frame -> [UInt8] in
        guard frame.count >= 16, frame[4..<8] == [1, 0, 0, 0] else { return frame }
        return frame[..<4] + Array(call.header[4..<8]) + frame[8...]
      }
      try await backend.send(call.envelope + reply)
      let decoded = recorded.decoded
      if decoded["still_waiting"] == true, Self.unlike(recorded.name) == nil {
        if recorded.name != "client_unknown_id" {
          try await eventually("it is counted") { await client.counters.malformedReplies == 1 }
        }
        try await backend.answer(call, [5])
        #expect(try await ended.get() == 5)
      } else {
        try check(await ended, recorded)
      }
      async let next: Value = client.call.next()
      try await backend.answer(try await backend.call(), [7])
      #expect(try await next == 7)
    }
  }

  private func check(_ ended: Result<Value, any Error>, _ recorded: RecordedCall) throws {
    let (decoded, raised) = (recorded.decoded, recorded.decoded["raises"])
    switch (ended, Self.unlike(recorded.name)) {
    case (.success(let value), let other?): #expect(try value == other.get())
    case (.failure(let error as CallFailure), .failure(let other as CallFailure)): #expect(error == other)
    case (.failure(let error as RemoteError), .failure(let other as RemoteError)):
      #expect(error.name == other.name && error.args == other.args)
    case (.success(let value), nil): #expect(try value == Value(recorded: decoded["result"]))
    case (.failure(let error), nil):
      let arguments = raised["arguments"] == .null ? raised["args"] : raised["arguments"]
      let args = try arguments.elements.map { try Value(recorded: $0) }
      if raised["type"].text?.hasPrefix("__main__.") == true {
        #expect(error as? Translated == Translated(args: args))
      } else {
        let error = try #require(error as? RemoteError)
        #expect(try error.name == Unpacker().unpack(recorded.frames[1])[0]?.stringValue)
        #expect(error.args == args)
      }
    default: Issue.record("\(ended)")
    }
  }
}
