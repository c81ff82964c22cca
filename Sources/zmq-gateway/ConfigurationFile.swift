import ArgumentParser
import ConfigurationReader
import FoundationEssentials
import Gateway
import Glibc

/// A configuration on disk. What is wrong with it goes to standard error, a line each.
struct ConfigurationFile: Sendable {
  /// What is wrong with it, a line each.
  struct Fault: Error, CustomStringConvertible {
    let description: String
  }

  private let path: String

  /// The file at that path; `-` is standard input.
  init(_ path: String) { self.path = path }

  /// What messages call it.
  var name: String { path == "-" ? "standard input" : path }

  /// Reads it; prints what is wrong with it, and throws the exit code of that.
  func load(overrides: Overrides = .init()) throws -> Configuration {
    do {
      return try read(overrides: overrides)
    } catch {
      StandardStream.error.write(error.description + "\n")
      throw ExitCode.configuration
    }
  }

  /// What reads it again; nil for standard input, which can be read once.
  func source(overrides: Overrides) -> ConfigurationSource? {
    if path == "-" { return nil }
    return { try read(overrides: overrides) }
  }

  /// Reads it.
  func read(overrides: Overrides = .init()) throws(Fault) -> Configuration {
    let text: String
    do throws(TextFile.Unreadable) {
      text = try path == "-" ? TextFile.read(from: STDIN_FILENO) : TextFile.read(path)
    } catch {
      throw Fault(description: "\(name): \(error.reason); give the path of a YAML file in UTF-8")
    }
    do throws(ConfigurationErrors) {
      return try Configuration.load(
        yaml: text, file: name, environment: ProcessInfo.processInfo.environment, overrides: overrides)
    } catch {
      throw Fault(description: error.description)
    }
  }
}
