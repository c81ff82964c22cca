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
    let bytes: [UInt8]
    do throws(FileError) { bytes = try Self.read(path) } catch {
      throw complain("\(name): cannot be read: \(error.reason); give the path of a YAML file")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else { throw complain("\(name): is not UTF-8") }
    do {
      return try Configuration.load(
        yaml: text, file: name, environment: ProcessInfo.processInfo.environment, overrides: overrides)
    } catch {
      throw complain(error.description)
    }
  }

  /// Why a file cannot be read, in the system's words.
  private struct FileError: Error {
    let reason: String

    /// The failure of the call that just returned.
    static func last() -> FileError { .init(reason: String(cString: strerror(errno)).lowercased()) }
  }

  private static func read(_ path: String) throws(FileError) -> [UInt8] {
    let file = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw .last() }
    defer { if file != STDIN_FILENO { close(file) } }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = Glibc.read(file, &piece, piece.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw .last() }
      if count == 0 { return bytes }
      bytes += piece[..<count]
    }
  }

  private func complain(_ text: String) -> ExitCode {
    FileHandle.standardError.write(Data((text + "\n").utf8))
    return .configuration
  }
}
