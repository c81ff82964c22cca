import ArgumentParser
import CLinux
import Gateway

struct HealthCheck: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "healthcheck", abstract: "Ask a running gateway whether it is alive; exit 0 or 69.")

  @Option(help: "Where it listens, host:port.")
  var http = "127.0.0.1:8080"

  func run() throws { throw ExitCode.unavailable }
}

struct Demo: AsyncParsableCommand {
  @OptionGroup var serving: ServingOptions
  func run() async throws {}
}
