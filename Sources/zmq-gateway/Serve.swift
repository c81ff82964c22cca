import ArgumentParser
import Foundation
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

struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check a configuration; exit 78 and tell every line that is wrong.")

  @Argument(help: "The configuration, a YAML file.")
  var file: String

  func run() throws {
    let configuration = try ConfigurationFile(file).load()
    let count = configuration.services.count
    print("\(file): valid, \(count) \(count == 1 ? "service" : "services")")
  }
}

/// A configuration on disk. What is wrong with it goes to standard error, a line each.
struct ConfigurationFile {
  let path: String

  init(_ path: String) { self.path = path }

  func load(overrides: Overrides = .init()) throws -> Configuration {
    guard let bytes = FileManager.default.contents(atPath: path) else {
      throw complain("\(path): cannot be read; give the path of a YAML file")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else { throw complain("\(path): is not UTF-8") }
    do {
      return try Configuration.load(
        yaml: text, file: path, environment: ProcessInfo.processInfo.environment, overrides: overrides)
    } catch {
      throw complain(error.description)
    }
  }

  private func complain(_ text: String) -> ExitCode {
    FileHandle.standardError.write(Data((text + "\n").utf8))
    return .configuration
  }
}
