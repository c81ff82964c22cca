public import ArgumentParser
import Gateway
import HTTPServer
public import Logging

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
      return Overrides(listen: listen.isEmpty ? nil : try listen.map { try ListenAddress($0) }, threads: threads)
    } catch let error as ListenAddress.Invalid {
      throw ValidationError("--listen: \(error)")
    }
  }

  func logger() -> Logger {
    LoggingSystem.bootstrap { StreamLogHandler(label: $0, stream: EscapedLines()) }
    var logger = Logger(label: "zmq-gateway")
    logger.logLevel = logLevel
    return logger
  }
}

extension Logger.Level: @retroactive ExpressibleByArgument {}
