import ArgumentParser
import Gateway

struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Serve the services of a configuration.")

  @OptionGroup var choice: ConfigurationChoice

  @OptionGroup var serving: ServingOptions

  func run() async throws {
    let (file, overrides) = (ConfigurationFile(try choice.path()), try serving.overrides())
    let configuration = try file.load(overrides: overrides)
    let logger = try serving.logger(configuration.log)
    let service = GatewayService(
      start: {
        try await Gateway.start(configuration, source: file.source(overrides: overrides), logger: logger)
      }, logger: logger)
    try await service.run(behind: [])
  }
}
