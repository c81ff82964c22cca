public import ArgumentParser
import Gateway
import HTTPServer
import Logging
import ServiceLifecycle
import UnixSignals

/// The command line: arguments, logging and signals; all else is the `Gateway` module's.
@main
struct ZMQGateway: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "zmq-gateway",
    abstract: "Puts ZeroMQ services that speak aiozmq.rpc on the web: REST and server-sent events.",
    version: "0.1.0",
    subcommands: [Serve.self, Demo.self, Check.self, HealthCheck.self])
}

/// Exit codes of `sysexits.h`.
extension ExitCode {
  static let unavailable = ExitCode(69)
  static let configuration = ExitCode(78)
}

/// What the commands that serve have in common.
struct ServingOptions: ParsableArguments {
  @Option(help: "Address to listen on, host:port; can be given several times. Beats the configuration.")
  var listen: [String] = []

  @Option(help: "Threads, 0 for one per core. Beats the configuration.")
  var threads: Int?

  @Option(help: "trace, debug, info, notice, warning, error or critical.")
  var logLevel: Logger.Level = .info

  func overrides() throws -> Overrides {
    do {
      return Overrides(listen: listen.isEmpty ? nil : try listen.map { try Configuration.Listen($0) }, threads: threads)
    } catch let error as Configuration.InvalidAddress {
      throw ValidationError("--listen: \(error)")
    }
  }

  func logger() -> Logger {
    LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
    var logger = Logger(label: "zmq-gateway")
    logger.logLevel = logLevel
    return logger
  }
}

extension Logger.Level: @retroactive ExpressibleByArgument {}

/// Runs a gateway until SIGTERM or SIGINT, then drains it.
struct GatewayService: Service {
  let start: @Sendable () async throws -> Gateway
  let logger: Logger

  func run() async throws {
    let gateway = try await start()
    logger.info("listening", metadata: ["addresses": "\(gateway.addresses.map(\.description).joined(separator: " "))"])
    try? await gracefulShutdown()
    await gateway.stop()
  }

  /// Runs services, in order of their start; the last one stops first.
  static func run(_ services: [any Service], logger: Logger) async throws {
    let services = services + [HangUp(logger: logger)]
    let group = ServiceGroup(
      configuration: .init(services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
    do {
      try await group.run()
    } catch {
      logger.critical("cannot start", metadata: ["error": "\(error)"])
      throw ExitCode.unavailable
    }
  }
}
