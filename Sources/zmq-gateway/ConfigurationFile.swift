import ArgumentParser
import ConfigurationReader
import Foundation
import Gateway
import Glibc

/// A configuration on disk. What is wrong with it goes to standard error, a line each.
struct ConfigurationFile {
  private let path: String

  /// The file at that path; `-` is standard input.
  init(_ path: String) { self.path = path }

  /// What messages call it.
  var name: String { path == "-" ? "standard input" : path }

  func load(overrides: Overrides = .init()) throws -> Configuration {
    let text: String
    do throws(TextFile.Unreadable) {
      text = try path == "-" ? TextFile.read(from: STDIN_FILENO) : TextFile.read(path)
    } catch {
      throw complain("\(name): \(error.reason); give the path of a YAML file")
    }
    do {
      return try Configuration.load(
        yaml: text, file: name, environment: ProcessInfo.processInfo.environment, overrides: overrides)
    } catch {
      throw complain(error.description)
    }
  }

  private func complain(_ text: String) -> ExitCode {
    FileHandle.standardError.write(Data((text + "\n").utf8))
    return .configuration
  }
}
