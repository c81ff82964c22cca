import MessagePack
import Reactor
import Support
import ZeroMQ

@testable import ZeroMQRPC

/// All that `peer_server.py` is, in Swift: its service, and what it is sent in the other patterns, which can be read back.
struct PeerStation: Sendable {
  let rpc, pipeline, pubsub, publish: String
  /// What publishes at `publish`.
  let publisher: PubSubClient

  /// Starts it on loopback; it ends with the bench.
  init(_ bench: ClientBench) async throws {
    let records = ["pipeline": PeerRecord(), "pubsub": PeerRecord()]
    let anywhere = ["tcp://127.0.0.1:*"]
    let publisher = try await PubSubClient.bind(anywhere, on: bench.reactor, in: bench.context)
    self.publisher = publisher
    bench.cleanup.add { await publisher.close() }
    var peer = PeerMethods.all
    peer["received"] = Self.received(records)
    peer["publish"] = Self.publishing(publisher)
    let service = try await bench.serve(peer, bind: anywhere)
    func inOrder(_ options: inout ServiceOptions) {
      options.grace = .zero
      options.concurrency = 1
    }
    let worker = try await PipelineService.start(
      PeerNode(records["pipeline"]), bind: anywhere, on: bench.reactor, in: bench.context, inOrder)
    let feed = try await PubSubService.start(
      PeerNode(records["pubsub"], echo: publisher), subscribe: [""], bind: anywhere, on: bench.reactor,
      in: bench.context, inOrder)
    bench.cleanup.add {
      await worker.close()
      await feed.close()
    }
    rpc = try await service.transport.bindings[0].description
    pipeline = try await worker.transport.bindings[0].description
    pubsub = try await feed.transport.bindings[0].description
    publish = try await publisher.transport.bindings[0].description
  }

  private static func received(_ records: [String: PeerRecord]) -> Methods {
    var received = Methods()
    @Sendable func record(_ kind: String) throws -> PeerRecord {
      guard let record = records[kind] else { throw RemoteException.key(.string(kind)) }
      return record
    }
    for kind in ["pipeline", "pubsub"] {
      received.add(kind, Parameter("since", default: 0)) { (since: Int) in try record(kind).since(since) }
    }
    received.add("counts") {
      Value.map(records.sorted { $0.key < $1.key }.map { .init(.string($0), .int(Int64($1.count))) })
    }
    received.add("wait", "kind", "count", Parameter("timeout", default: 5)) {
      (kind: String, count: Int, timeout: Double) async throws -> [Value] in
      let record = try record(kind)
      try? await eventually("they have come", within: .seconds(min(timeout, 60))) { record.count >= count }
      return record.since(0)
    }
    received.add("clear") { for record in records.values { record.clear() } }
    return received
  }

  private static func publishing(_ publisher: PubSubClient) -> Methods {
    var methods = Methods()
    methods.add(
      "send", "topic", "method", Parameter("args", default: [Value]()), Parameter("kwargs", default: [String: Value]())
    ) {
      (topic: String, method: String, args: [Value], kwargs: [String: Value]) in
      try await publisher.publish(topic, method, args, kwargs)
    }
    methods.add("burst", "topic", "count") { (topic: String, count: Int) async throws -> Void in
      for number in 0..<count { try await publisher.publish(topic).burst(number) }
    }
    return methods
  }
}

/// The calls of one pattern that came, the newest last.
final class PeerRecord: Sendable {
  private let calls = Guarded<[Value]>([])
  var count: Int { calls.withLock { $0.count } }

  func add(_ name: String, _ args: [Value], _ kwargs: [String: Value] = [:]) {
    calls.withLock { calls in
      calls.append([
        "seq": .int(Int64(calls.count + 1)), "method": .string(name), "args": .array(args),
        "kwargs": .map(kwargs.sorted { $0.key < $1.key }.map { .init(.string($0), $1) }),
      ])
    }
  }

  func since(_ number: Int) -> [Value] { calls.withLock { Array($0.dropFirst(number)) } }
  func clear() { calls.withLock { $0 = [] } }
}

/// A namespace and a method at the same time, under any name.
struct PeerNode: Handler {
  private let record: PeerRecord
  private let echo: PubSubClient?
  private let names: [String]

  init(_ record: PeerRecord?, echo: PubSubClient? = nil, names: [String] = []) {
    self.record = record ?? PeerRecord()
    self.echo = echo
    self.names = names
  }

  func lookup(_ name: String) -> (any Handler)? {
    guard !name.isEmpty, !name.hasPrefix("missing") else { return nil }
    guard names.isEmpty else { return PeerNode(record, echo: echo, names: names + [name]) }
    let record = record
    switch name {
    case "fail":
      return Method(Parameter(rest: "args")) { (args: [Value]) throws -> Void in
        record.add("fail", args)
        throw RemoteException("builtins.ValueError", args)
      }
    case "slow":
      return Method("seconds") { (seconds: Double) async throws -> Void in
        try await Task.sleep(for: .seconds(seconds))
        record.add("slow", [.double(seconds)])
      }
    case "value":
      return Method("x") { (x: Value) in
        record.add("value", [x])
        return x
      }
    default: return PeerNode(record, echo: echo, names: [name])
    }
  }

  var method: Method? {
    let (record, name, echo) = (record, names.joined(separator: "."), echo)
    return Method(Parameter(rest: "args"), Parameter(keywords: "kwargs")) {
      (args: [Value], kwargs: [String: Value]) async throws -> Void in
      record.add(name, args, kwargs)
      try await echo?.publish("echo").received(name, args, kwargs)
    }
  }
}
