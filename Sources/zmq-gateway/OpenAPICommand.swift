import ArgumentParser
import Foundation
import Gateway

struct OpenAPICommand: ParsableCommand {
  enum Format: String, CaseIterable, ExpressibleByArgument { case yaml, json }

  static let configuration = CommandConfiguration(
    commandName: "openapi", abstract: "Print the OpenAPI document that a gateway with that configuration serves.")

  @OptionGroup var choice: ConfigurationChoice

  @Option(help: "yaml or json.")
  var format = Format.yaml

  func run() throws {
    let document = OpenAPIDocument(try ConfigurationFile(try choice.path()).load())
    FileHandle.standardOutput.write(Data(format == .json ? document.json + [UInt8(ascii: "\n")] : document.yaml))
  }
}
