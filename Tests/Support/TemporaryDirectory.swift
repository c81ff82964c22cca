import Foundation

/// A directory that goes with the object: for `ipc` endpoints and files.
public final class TemporaryDirectory: Sendable {
  public let path: String

  public init() throws {
    // Short: an ipc path has at most 107 bytes.
    path = NSTemporaryDirectory() + "zg-" + String(UInt64.random(in: .min ... .max), radix: 36)
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// An `ipc` endpoint in it.
  public func endpoint(_ name: String) -> String { "ipc://\(path)/\(name)" }

  /// Writes a file and returns its path.
  public func file(_ name: String, _ text: String) throws -> String {
    let file = "\(path)/\(name)"
    try text.write(toFile: file, atomically: true, encoding: .utf8)
    return file
  }
}
