import ArgumentParser
import ConfigurationReader
import Foundation
import Gateway

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
