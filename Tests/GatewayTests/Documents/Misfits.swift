import MessagePack
import Reactor
import Support
import ZeroMQ
import ZeroMQRPC

/// Services that misbehave, each in its own way.
struct Misfits {
  /// How a gateway reaches them.
  let yaml: String

  init(in directory: TemporaryDirectory, _ cleanup: Cleanup) async throws {
    var small = SocketOptions()
    small.receiveHighWaterMark = 1
    // libzmq 4.3.4 aborts when it is time for a heartbeat on a full connection whose peer is gone (libzmq issue 4364).
    small.heartbeat = .zero
    let mute = try await WireSocket(.router, bind: directory.endpoint("mute"), options: small)
    let deaf = try await WireSocket(.router, bind: directory.endpoint("deaf"), options: small)
    let stuck = try await WireSocket(.pull, bind: directory.endpoint("stuck"), options: small)
    let garbler = try await WireSocket(.router, bind: directory.endpoint("garbler"))
    let garbling = Task { try await garbler.garble() }
    for socket in [mute, deaf, stuck] { await socket.pause(true) }
    cleanup.add {
      garbling.cancel()
      for socket in [mute, deaf, stuck, garbler] { await socket.close() }
    }
    yaml = """
      faulty:
        pattern: rpc
        connect: ["\(try await Self.start(cleanup))"]
        reply-limit: 1KiB
        methods: { safe: ["*"] }
        json: { nonfinite: error }
        errors: { map: { "kitchen.Teapot": 418 } }
      garbled: { pattern: rpc, connect: ["\(directory.endpoint("garbler"))"], methods: { safe: ["*"] } }
      mute: { pattern: rpc, connect: ["\(directory.endpoint("mute"))"], methods: { safe: ["*"] } }
      deaf: { pattern: rpc, connect: ["\(directory.endpoint("deaf"))"], queue: 0, methods: { safe: ["*"] } }
      stuck: { pattern: pipeline, connect: ["\(directory.endpoint("stuck"))"] }
      absent:
        pattern: rpc
        connect: ["\(directory.endpoint("nobody"))"]
        methods: { safe: ["*"] }
        required: false
      absent-jobs: { pattern: pipeline, connect: ["\(directory.endpoint("nobody"))"], required: false }
      absent-news:
        pattern: pubsub
        required: false
        publish: { connect: ["\(directory.endpoint("nobody"))"], topics: ["offered"] }
        subscribe: { connect: ["\(directory.endpoint("nobody"))"], topics: ["offered"] }
      narrow-news:
        pattern: pubsub
        required: false
        publish: { connect: ["\(directory.endpoint("nobody"))"] }
        subscribe: { connect: ["\(directory.endpoint("nobody"))"], topics-limit: 1 }
      """
  }

  /// Starts a service that raises what it is told, answers what cannot be shown, and is slow.
  private static func start(_ cleanup: Cleanup) async throws -> String {
    var methods = Methods()
    methods.add("raise", "name", Parameter(rest: "arguments")) { (name: String, arguments: [Value]) in
      throw RemoteException(name, arguments)
    }
    methods.add("nan") { Double.nan }
    methods.add("long") { String(repeating: "x", count: 2_048) }
    // Until the service is closed.
    methods.add("slow") { try await Task.sleep(for: .seconds(3_600)) }
    let reactor = try Reactor(name: "misfits")
    cleanup.add { await reactor.stop() }
    let service = try await RPCService.start(methods, bind: ["tcp://127.0.0.1:*"], on: reactor, in: Context()) {
      $0.logger = Rig.logger
      $0.grace = .zero
    }
    cleanup.add { await service.close() }
    return try await service.transport.bindings[0].description
  }
}

extension WireSocket {
  /// Answers every call with a byte that MessagePack does not use.
  fileprivate func garble() async throws {
    while !Task.isCancelled {
      // A wait ends after a while; then begins the next one.
      guard let call = try? await receive(), call.count == 5 else { continue }
      try send([call[0], call[1] + [0], [0xC1]])
    }
  }
}
