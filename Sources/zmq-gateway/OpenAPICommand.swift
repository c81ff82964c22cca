import ArgumentParser
import Gateway

struct OpenAPICommand: AsyncParsableCommand {
  enum Format: String, CaseIterable, ExpressibleByArgument { case yaml, json }

  static let configuration = CommandConfiguration(
    commandName: "openapi", abstract: "Print the OpenAPI document that a gateway with that configuration serves.")

  @OptionGroup var choice: ConfigurationChoice

  @Option(help: "yaml or json.")
  var format = Format.yaml

  @Flag(help: "Ask the services with `describe: true` what they can be called with, as the gateway does.")
  var connect = false

  func run() async throws {
    let configuration = try ConfigurationFile(try choice.path()).load()
    let document = connect ? await OpenAPIDocument(asking: configuration) : OpenAPIDocument(configuration)
    StandardStream.output.write(format == .json ? document.json + [UInt8(ascii: "\n")] : document.yaml)
  }
}
