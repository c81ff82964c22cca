import MessagePack
import Reactor
import Support
import Testing
import ZeroMQ
import ZeroMQRPC

/// Clients on a reactor of their own, and what they call.
struct ClientBench {
  let reactor: Reactor
  let context: Context
  let directory: TemporaryDirectory
  let cleanup: Cleanup

  static func with(_ body: (ClientBench) async throws -> Void) async throws {
    let directory = try TemporaryDirectory()
    try await Cleanup.with { cleanup in
      let reactor = try Reactor(name: "client")
      cleanup.add { await reactor.stop() }
      try await body(
        ClientBench(reactor: reactor, context: try Context(), directory: directory, cleanup: cleanup))
    }
  }

  /// Runs the body with a client of a service with these methods.
  static func with(
    _ methods: some Handler, timeout: Duration? = nil, _ configure: (inout RPCClientOptions) -> Void = { _ in },
    body: (ClientBench, RPCClient) async throws -> Void
  ) async throws {
    try await with { bench in
      let endpoint = bench.endpoint("service")
      try await bench.serve(methods, bind: [endpoint])
      try await body(bench, try await bench.client([endpoint], timeout: timeout, configure))
    }
  }

  func endpoint(_ name: String) -> String { directory.endpoint(name) }

  @discardableResult
  func serve(_ methods: some Handler, bind: [String] = [], connect: [String] = []) async throws -> RPCService {
    let service = try await RPCService.start(methods, bind: bind, connect: connect, on: reactor, in: context) {
      $0.grace = .zero
    }
    cleanup.add {
      await service.close()
      await service.waitClosed()
    }
    return service
  }

  func client(
    _ endpoints: [String], timeout: Duration? = nil, _ configure: (inout RPCClientOptions) -> Void = { _ in }
  ) async throws -> RPCClient {
    let client = try await RPCClient.connect(endpoints, timeout: timeout, on: reactor, in: context, configure)
    cleanup.add { await client.close() }
    return client
  }
}

/// A method that is entered, and stays until it is let go.
final class Hold: Sendable {
  let entered = Tally()
  private let released = Tally()

  func enter() async {
    entered.countUp()
    await released.reaches(1)
  }

  func release() { released.countUp() }
}

/// What a call failed with.
func failure(of call: () async throws -> Value) async throws -> CallFailure? {
  do {
    _ = try await call()
    return nil
  } catch let failure as CallFailure {
    return failure
  }
}
