import ArgumentParser
import CLinux
import Gateway
import Glibc
import HTTPServer
import Logging
import Reactor
import ServiceLifecycle

/// Runs a gateway until SIGTERM or SIGINT, then drains it.
struct GatewayService: Service {
  private let start: @Sendable () async throws -> Gateway
  private let logger: Logger
  private let supervisor = Supervisor()
  /// Where the gateway is known to `HangUp` when it listens.
  private let running = Guarded<Gateway?>(nil)
  /// What to tell of the gateway when it listens, a line each; nothing for most.
  private let hints: @Sendable (Gateway) -> [String]

  init(
    start: @escaping @Sendable () async throws -> Gateway, logger: Logger,
    hints: @escaping @Sendable (Gateway) -> [String] = { _ in [] }
  ) {
    (self.start, self.logger, self.hints) = (start, logger, hints)
  }

  func run() async throws {
    let gateway = try await start()
    running.withLock { $0 = gateway }
    var metadata: Logger.Metadata = ["addresses": "\(gateway.addresses.map(\.description).joined(separator: " "))"]
    if let admin = gateway.admin { metadata["admin"] = "\(admin)" }
    logger.info("listening", metadata: metadata)
    supervisor?.isReady()
    for hint in hints(gateway) { logger.notice("\(hint)") }
    // It throws when the task is cancelled: the gateway is drained then too.
    try? await gracefulShutdown()
    supervisor?.isStopping()
    await gateway.stop()
  }

  /// Why nobody can listen at an address, in the words of who has chosen it.
  private static func hint(_ number: CInt) -> String? {
    switch number {
    case EADDRINUSE: "another program listens there"
    case EADDRNOTAVAIL: "this machine does not have that address"
    case EACCES:
      "a port below 1024 needs root or CAP_NET_BIND_SERVICE, a Unix socket a folder that this user may write to"
    case ENOENT: "the folder of the Unix socket is not there"
    default: nil
    }
  }

  /// Runs the gateway behind services that start before it, until SIGTERM or SIGINT; it stops first.
  func run(behind services: [any Service]) async throws {
    // Blocks of this size and above are mapped, and go back to the system when they are freed: the memory of a connection is one
    // (unless its limits are made smaller), and so are parts of long bodies and replies. Unless it is told, glibc raises the size to that
    // of the largest block it has seen freed.
    mallopt(M_MMAP_THRESHOLD, 32 << 10)
    var services = services + [FreedMemory(), self, HangUp(gateway: running, supervisor: supervisor, logger: logger)]
    if let supervisor {
      services.append(Watchdog(supervisor: supervisor) { [running] in running.withLock { $0 } })
    }
    let group = ServiceGroup(configuration: .init(services: services, logger: logger))
    let signals = StopSignals { [logger] name in
      logger.info("stopping; a second signal ends the program at once", metadata: ["signal": "\(name)"])
      Task { await group.triggerGracefulShutdown() }
    }
    defer { withExtendedLifetime(signals) {} }
    do {
      try await group.run()
    } catch {
      var metadata: Logger.Metadata = ["error": "\(error)"]
      if let number = (error as? HTTPServerError)?.errno, let hint = Self.hint(number) {
        metadata["hint"] = "\(hint); choose another address with --listen, http.listen or http.admin"
      }
      logger.critical("cannot start", metadata: metadata)
      throw ExitCode.unavailable
    }
  }
}
