import ArgumentParser
import Gateway

struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Serve the services of a configuration.")

  @Option(help: "The configuration, a YAML file.")
  var config: String

  @OptionGroup var serving: ServingOptions

  func run() async throws {
    let configuration = try ConfigurationFile(config).load(overrides: serving.overrides())
    let logger = serving.logger()
    let service = GatewayService(start: { try await Gateway.start(configuration, logger: logger) }, logger: logger)
    try await GatewayService.run([service], logger: logger)
  }
}
