import Foundation
import Support
import Testing

/// A program of `Examples`, which was built beside these tests.
struct Example {
  let name: String

  /// The lines that it prints until it ends by itself, without a failure. Its log is left out.
  func lines() async throws -> [String] {
    let folder = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    // A program built with ThreadSanitizer would sleep a second at its end.
    setenv("TSAN_OPTIONS", "atexit_sleep_ms=0", 0)
    let process = try Subprocess(folder.appendingPathComponent(name).path, [])
    let output = try await process.rest()
    #expect(try await process.ended() == 0, "\(name): \(output)")
    return output.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
  }
}
