import Logging
import MessagePack
import Reactor
import Support
import Testing
import ZeroMQ

@testable import ZeroMQRPC

/// What the services of all patterns have.
protocol Serving: Sendable {
  var transport: ServiceTransport { get async throws }
  var counters: ServiceCounters { get async }
  func run() async throws
  func close() async
  func waitClosed() async
}

extension RPCService: Serving {}
extension PipelineService: Serving {}
extension PubSubService: Serving {}

/// A service on a reactor of its own, called frame by frame.
struct ServiceBench {
  enum Pattern { case rpc, pipeline, pubsub([String]) }

  let service: any Serving
  let endpoint: String
  let reactor: Reactor
  let context: Context
  let cleanup: Cleanup

  /// Runs the body with a service that is bound in a directory of its own, or where it is said.
  static func with(
    _ methods: some Handler, _ pattern: Pattern = .rpc, at endpoint: String? = nil, clock: ManualClock? = nil,
    body: (ServiceBench) async throws -> Void
  ) async throws { try await with(methods, pattern, at: endpoint, clock: clock, options: { _ in }, body: body) }

  /// The same, with options of its own.
  static func with(
    _ methods: some Handler, _ pattern: Pattern = .rpc, at endpoint: String? = nil, clock: ManualClock? = nil,
    options configure: (inout ServiceOptions) -> Void, body: (ServiceBench) async throws -> Void
  ) async throws {
    let directory = try TemporaryDirectory()
    try await Cleanup.with { cleanup in
      let reactor =
        if let clock { try Reactor(name: "service", clock: clock.read) } else { try Reactor(name: "service") }
      cleanup.add { await reactor.stop() }
      let (context, endpoint) = (try Context(), endpoint ?? directory.endpoint("service"))
      func options(_ options: inout ServiceOptions) {
        options.grace = .zero
        configure(&options)
      }
      let service: any Serving =
        switch pattern {
        case .rpc: try await RPCService.start(methods, bind: [endpoint], on: reactor, in: context, options)
        case .pipeline: try await PipelineService.start(methods, bind: [endpoint], on: reactor, in: context, options)
        case .pubsub(let topics):
          try await PubSubService.start(
            methods, subscribe: topics, bind: [endpoint], on: reactor, in: context, options)
        }
      cleanup.add { await service.close() }
      try await body(
        ServiceBench(
          service: service, endpoint: try await service.transport.bindings[0].description, reactor: reactor,
          context: context, cleanup: cleanup))
    }
  }

  /// A socket that is connected to the service.
  func client(_ kind: SocketKind = .dealer, options: SocketOptions = .init()) async throws -> WireSocket {
    let socket = try await WireSocket(kind, connect: endpoint, options: options)
    cleanup.add { await socket.close() }
    return socket
  }

  /// The frames of a request.
  static func request(_ number: UInt8, _ method: [UInt8], _ arguments: [UInt8] = [0x90], _ keywords: [UInt8] = [0x80])
    -> [[UInt8]]
  {
    [[1, 0, 2, 0, number, 0, 0, 0] + [UInt8](repeating: 0, count: 8), method, arguments, keywords]
  }

  static func request(_ number: UInt8, _ method: String, _ arguments: [UInt8] = [0x90], _ keywords: [UInt8] = [0x80])
    -> [[UInt8]]
  {
    request(number, Array(method.utf8), arguments, keywords)
  }
}

/// What a service answered.
struct ServiceReply: Hashable {
  let number: UInt8
  let isException: Bool
  let body: [UInt8]

  init(_ frames: [[UInt8]]) throws {
    guard frames.count == 2, frames[0].count == 17 else { throw TimedOut("a reply, and not \(frames)") }
    number = frames[0][4]
    isException = frames[0][16] != 0
    body = frames[1]
  }

  var value: Value { get throws { try Unpacker().unpack(body) } }
  var exception: RemoteException { get throws { try body.withUnsafeBytes { try RemoteException($0) } } }
}

extension WireSocket {
  func reply() async throws -> ServiceReply { try ServiceReply(try await receive()) }

  /// Sends, waiting for room and for a peer.
  func sendSoon(_ frames: [[UInt8]]) async throws {
    let end = Instant.monotonic() + .seconds(20)
    while try !send(frames) {
      guard Instant.monotonic() < end else { throw TimedOut("room to send") }
      await Task.yield()
    }
  }
}
