public import ArgumentParser
import FoundationEssentials
import Gateway
import HTTPServer
public import Logging

/// What the commands that serve have in common.
struct ServingOptions: ParsableArguments {
  @Option(help: "Address to listen on, host:port; can be given several times. Beats the configuration.")
  var listen: [String] = []

  @Option(help: "Threads, 0 for one per core. Beats the configuration.")
  var threads: Int?

  @Option(
    help:
      "trace, debug, info, notice, warning, error or critical. Default: what ZMQ_GATEWAY_LOG_LEVEL says, else log.level of the configuration, else info."
  )
  var logLevel: Logger.Level?

  func validate() throws {
    if let threads, !Configuration.HTTP.threadRange.contains(threads) {
      throw ValidationError("--threads: \(threads) is not between 0 and \(Configuration.HTTP.threadRange.upperBound)")
    }
  }

  func overrides() throws -> Overrides {
    do {
      return Overrides(listen: listen.isEmpty ? nil : try listen.map { try ListenAddress($0) }, threads: threads)
    } catch let error as ListenAddress.Invalid {
      throw ValidationError("--listen: \(error)")
    }
  }

  /// The program's logger, as flags, environment and configuration want it.
  func logger(_ settings: Configuration.Log = .init()) throws -> Logger {
    let level = try logLevel ?? Self.levelOfEnvironment() ?? settings.level ?? .info
    switch settings.format {
    case .text: LoggingSystem.bootstrap { TextLogHandler(label: $0) }
    case .json: LoggingSystem.bootstrap { _ in JSONLogHandler() }
    }
    var logger = Logger(label: "zmq-gateway")
    logger.logLevel = level
    return logger
  }

  private static func levelOfEnvironment() throws -> Logger.Level? {
    guard let text = ProcessInfo.processInfo.environment["ZMQ_GATEWAY_LOG_LEVEL"], !text.isEmpty else { return nil }
    guard let level = Logger.Level(rawValue: text.lowercased()) else {
      throw ValidationError(
        "ZMQ_GATEWAY_LOG_LEVEL: \"\(text)\" is no level; it is one of "
          + Logger.Level.allCases.map(\.rawValue).joined(separator: ", "))
    }
    return level
  }
}

extension Logger.Level: @retroactive ExpressibleByArgument {}
