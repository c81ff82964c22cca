import Foundation

/// The open descriptors of this process.
enum Descriptors {
  static func count() throws -> Int { try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count }
}
