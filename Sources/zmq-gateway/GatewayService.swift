import ArgumentParser
import CLinux
import Gateway
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
  /// What to tell of the gateway when it listens; nothing for most.
  private let hint: @Sendable (Gateway) -> String?

  init(
    start: @escaping @Sendable () async throws -> Gateway, logger: Logger,
    hint: @escaping @Sendable (Gateway) -> String? = { _ in nil }
  ) {
    (self.start, self.logger, self.hint) = (start, logger, hint)
  }

  func run() async throws {
    let gateway = try await start()
    running.withLock { $0 = gateway }
    var metadata: Logger.Metadata = ["addresses": "\(gateway.addresses.map(\.description).joined(separator: " "))"]
    if let admin = gateway.admin { metadata["admin"] = "\(admin)" }
    logger.info("listening", metadata: metadata)
    supervisor?.isReady()
    if let hint = hint(gateway) { logger.notice("\(hint)") }
    // It throws when the task is cancelled: the gateway is drained then too.
    try? await gracefulShutdown()
    supervisor?.isStopping()
    await gateway.stop()
  }

  /// Runs the gateway behind services that start before it, until SIGTERM or SIGINT; it stops first.
  func run(behind services: [any Service]) async throws {
    // Blocks of this size and above are mapped, and go back to the system when they are freed: the memory of a connection is one
    // (unless its limits are made smaller), and so are parts of long bodies and replies. Smaller ones that are freed between others
    // stay. Unless it is told, glibc raises the size to that of the largest block it has seen freed.
    mallopt(M_MMAP_THRESHOLD, 32 << 10)
    var services = services + [self, HangUp(gateway: running, supervisor: supervisor, logger: logger)]
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
      logger.critical("cannot start", metadata: ["error": "\(error)"])
      throw ExitCode.unavailable
    }
  }
}
