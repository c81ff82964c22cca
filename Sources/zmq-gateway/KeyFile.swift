import ArgumentParser
import ConfigurationReader
import FoundationEssentials
import Gateway
import Glibc

/// The file of `auth.keys`: a key on each line.
struct KeyFile {
  private let path: String

  init(_ path: String) { self.path = path }

  /// Adds the line of a key. The file is made when it is not there. Throws, with the reason told and the file as it was, when it is not one of
  /// keys with the line.
  func add(_ line: String) throws {
    let descriptor = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw cannotWrite(errno) }
    defer { close(descriptor) }
    let text = try text(of: descriptor)
    let keys: [Configuration.Key]?
    do throws(ConfigurationErrors) { keys = try self.keys(in: text) } catch { throw fail("\(error)", .configuration) }
    let lines = text.split(whereSeparator: \.isNewline)
    let comments = lines.filter { $0.first { !$0.isWhitespace } == "#" }
    if keys?.isEmpty ?? true, comments.count < lines.count {
      // No line may stand behind `{}`, which takes all keys back.
      return try replace(descriptor, with: comments.map { $0 + "\n" }.joined() + line)
    }
    let added = (text.isEmpty || text.hasSuffix("\n") ? "" : "\n") + line
    guard let after = try? self.keys(in: text + added), after.count == (keys?.count ?? 0) + 1 else {
      throw fail(
        "\(path): its keys do not stand one on each line, so none can be added; bring it into that form", .configuration
      )
    }
    // In one call, so that two commands at one time do not mix their lines.
    guard write(descriptor, Array(added.utf8), added.utf8.count) == added.utf8.count else { throw cannotWrite(errno) }
  }

  /// What it has; empty for what is no file, such as a pipe.
  private func text(of descriptor: CInt) throws -> String {
    guard lseek(descriptor, 0, SEEK_END) > 0, lseek(descriptor, 0, SEEK_SET) == 0 else { return "" }
    do throws(TextFile.Unreadable) { return try TextFile.read(from: descriptor) } catch {
      throw fail("\(path): \(error.reason)", .configuration)
    }
  }

  /// Nil when there is nothing but comments.
  private func keys(in text: String) throws(ConfigurationErrors) -> [Configuration.Key]? {
    let diagnostics = Diagnostics(file: path, environment: ProcessInfo.processInfo.environment)
    let keys = Configuration.Auth.keys(of: text, diagnostics)
    try diagnostics.finish()
    return keys
  }

  private func replace(_ descriptor: CInt, with text: String) throws {
    // Else it could be written to at its end only.
    _ = fcntl(descriptor, F_SETFL, 0)
    let bytes = Array(text.utf8)
    guard pwrite(descriptor, bytes, bytes.count, 0) == bytes.count, ftruncate(descriptor, bytes.count) == 0 else {
      throw cannotWrite(errno)
    }
  }

  private func cannotWrite(_ number: CInt) -> ExitCode {
    fail("\(path): cannot be written: \(String(cString: strerror(number)).lowercased())", .cannotCreate)
  }
}
