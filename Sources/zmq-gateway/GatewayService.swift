import ArgumentParser
import CLinux
import Gateway
import HTTPServer
import Logging
import ServiceLifecycle

/// Runs a gateway until SIGTERM or SIGINT, then drains it.
struct GatewayService: Service {
  let start: @Sendable () async throws -> Gateway
  let logger: Logger
  /// What to tell of the gateway when it listens; nothing for most.
  var hint: @Sendable (Gateway) -> String? = { _ in nil }

  func run() async throws {
    let gateway = try await start()
    logger.info("listening", metadata: ["addresses": "\(gateway.addresses.map(\.description).joined(separator: " "))"])
    if let hint = hint(gateway) { logger.notice("\(hint)") }
    // It throws when the task is cancelled: the gateway is drained then too.
    try? await gracefulShutdown()
    await gateway.stop()
  }

  /// Runs services, in order of their start, until SIGTERM or SIGINT; the last one stops first.
  static func run(_ services: [any Service], logger: Logger) async throws {
    // Blocks of this size and above are mapped, and go back to the system when they are freed: the memory of a connection is one
    // (unless its limits are made smaller), and so are parts of long bodies and replies. Smaller ones that are freed between others
    // stay. Unless it is told, glibc raises the size to that of the largest block it has seen freed.
    mallopt(M_MMAP_THRESHOLD, 32 << 10)
    let services = services + [HangUp(logger: logger)]
    let group = ServiceGroup(configuration: .init(services: services, logger: logger))
    let signals = StopSignals { name in
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
