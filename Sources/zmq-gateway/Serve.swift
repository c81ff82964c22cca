import ArgumentParser
import Gateway

struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Serve the services of a configuration.")

  @OptionGroup var choice: ConfigurationChoice

  @OptionGroup var serving: ServingOptions

  func run() async throws {
    let configuration = try ConfigurationFile(try choice.path()).load(overrides: serving.overrides())
    let logger = try serving.logger()
    let service = GatewayService(start: { try await Gateway.start(configuration, logger: logger) }, logger: logger)
    try await GatewayService.run([service], logger: logger)
  }
}
