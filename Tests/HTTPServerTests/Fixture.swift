import HTTPServer
import Logging
import Reactor
import Support
import Testing

/// A server on its own reactor, whose clock can be moved forward.
actor Fixture {
  nonisolated let unownedExecutor: UnownedSerialExecutor
  nonisolated let reactor: Reactor
  nonisolated let address: ListenAddress
  private let offset: Guarded<(sum: Duration, step: Duration)>
  private var server: Server?
  private var waiting: [(condition: (Script, Server) -> Bool, continuation: CheckedContinuation<Void, Never>)] = []
  let script = Script()

  /// Runs the body with a server and stops it afterwards.
  static func with(
    _ options: ServerOptions = .init(), at address: String = "127.0.0.1:0", tls: TLSIdentity? = nil,
    openConnections: OpenConnections? = nil, memory: MemoryBudget? = nil,
    _ body: (Fixture) async throws -> Void
  ) async throws {
    let fixture = try await Fixture(options, address, tls, openConnections, memory)
    do {
      try await body(fixture)
    } catch {
      await fixture.shutDown()
      throw error
    }
    await fixture.shutDown()
  }

  private init(
    _ options: ServerOptions, _ place: String, _ tls: TLSIdentity?, _ openConnections: OpenConnections?,
    _ memory: MemoryBudget?
  ) async throws {
    let offset = Guarded((sum: Duration.zero, step: Duration.zero))
    self.offset = offset
    reactor = try Reactor(name: "test") {
      Instant.monotonic()
        + offset.withLock {
          $0.sum += $0.step
          return $0.sum
        }
    }
    unownedExecutor = reactor.asUnownedSerialExecutor()
    let listener = try Listener.open(ListenAddress(place))
    address = listener.address
    try start(listener, options, tls, openConnections, memory)
  }

  private func start(
    _ listener: Listener, _ options: ServerOptions, _ tls: TLSIdentity?, _ openConnections: OpenConnections?,
    _ memory: MemoryBudget?
  ) throws {
    server = try Server(
      listener, options: options, tls: tls, openConnections: openConnections, memory: memory, handler: script,
      on: reactor.loop, logger: Logger(label: "test"))
    // Safe: `with` holds the fixture until the reactor, and with it the loop, has ended.
    reactor.loop.append(TurnWatch { [unowned self] in assumeIsolated { $0.check() } })
  }

  private func check() {
    guard let server, !waiting.isEmpty else { return }
    waiting.removeAll { waiter in
      guard waiter.condition(script, server) else { return false }
      waiter.continuation.resume()
      return true
    }
  }

  private func stopServer() {
    server?.stop()
    server = nil
    script.clear()
  }

  /// Not isolated: it could not return to a reactor that has ended.
  private nonisolated func shutDown() async {
    await stopServer()
    await reactor.stop()
  }

  /// Waits until the condition holds at the end of a turn.
  func until(_ condition: @Sendable @escaping (Script, Server) -> Bool) async {
    await withCheckedContinuation { continuation in
      waiting.append((condition, continuation))
      check()
    }
  }

  /// Moves the reactor's clock; the turn that follows sees it.
  func advance(by duration: Duration) { offset.withLock { $0.sum += duration } }

  /// From now on the reactor's clock is so much later each time that it is read, at least once a turn.
  func hurry(by step: Duration) { offset.withLock { $0.step = step } }

  /// Runs on the reactor's thread.
  func on<Result: Sendable>(_ body: @Sendable (Script, Server) throws -> Result) rethrows -> Result {
    try body(script, server!)
  }

  nonisolated func connect() throws -> HTTPConnection { try HTTPConnection(port: address.port) }
}

/// Calls back at the end of each turn.
private final class TurnWatch: EndOfTurn {
  let body: () -> Void
  init(_ body: @escaping () -> Void) { self.body = body }
  func endTurn() -> Instant? {
    body()
    return nil
  }
}

extension Fixture {
  /// Moves the clock in steps, and lets the server see each: what was sent, what is due, and what comes of it.
  nonisolated func advance(by step: Duration, times: Int) async throws {
    for _ in 0..<times {
      for _ in 0..<3 { await on { _, _ in } }
      await advance(by: step)
      for _ in 0..<3 { await on { _, _ in } }
    }
  }
}

extension ServerOptions {
  /// For what is to be seen of chunked bodies with any library.
  static var acceptingChunked: ServerOptions {
    var options = ServerOptions()
    options.chunked = .accept
    return options
  }

  /// For bodies that are too long.
  static var takingFourBytes: ServerOptions {
    var options = acceptingChunked
    options.bodyLimit = 4
    return options
  }
}

func get(_ target: String, _ more: String = "") -> String { "GET \(target) HTTP/1.1\r\nHost: a\r\n\(more)\r\n" }

func post(_ target: String, _ body: String, _ more: String = "") -> String {
  "POST \(target) HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.utf8.count)\r\n\(more)\r\n\(body)"
}
