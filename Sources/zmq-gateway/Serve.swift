import ArgumentParser
import Gateway
import Logging

struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Serve the services of a configuration.")

  @OptionGroup var choice: ConfigurationChoice

  @OptionGroup var serving: ServingOptions

  func run() async throws {
    let given = try GivenSockets()
    var overrides = try serving.overrides()
    overrides.listen = given.listen ?? overrides.listen
    overrides.admin = given.admin
    let (file, settled) = (ConfigurationFile(try choice.path()), overrides)
    let configuration = try file.load(overrides: settled)
    let logger = try serving.logger(configuration.log)
    for note in configuration.notes {
      logger.warning("what is configured may not be what is meant", metadata: ["note": "\(note)"])
    }
    let service = GatewayService(
      start: {
        try await Gateway.start(
          configuration, source: file.source(overrides: settled), given: given.listeners, logger: logger)
      }, logger: logger)
    try await service.run(behind: [])
  }
}
