import Logging
import MessagePack
import Reactor
import Support
import Testing
import ZeroMQ

@testable import ZeroMQRPC

/// A service on a reactor of its own, called frame by frame.
struct ServiceBench {
  let service: RPCService
  let endpoint: String
  private let cleanup: Cleanup

  /// Runs the body with a service that is bound in a directory of its own.
  static func with(
    _ methods: MethodTable, _ pattern: RPCService.Pattern = .rpc, concurrency: Int = 1_000,
    _ body: (ServiceBench) async throws -> Void
  ) async throws {
    let directory = try TemporaryDirectory()
    try await Cleanup.with { cleanup in
      let reactor = try Reactor(name: "service")
      cleanup.add { await reactor.stop() }
      let service = try await RPCService.start(
        pattern, methods, bind: [Endpoint(directory.endpoint("service"))], concurrency: concurrency, in: try Context(),
        on: reactor)
      cleanup.add { await service.close() }
      try await body(ServiceBench(service: service, endpoint: directory.endpoint("service"), cleanup: cleanup))
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
