import Foundation

/// A real Chromium that Playwright drives.
public enum Browser {
  /// The program, when this machine has one.
  static let path = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].first {
    FileManager.default.isExecutableFile(atPath: $0)
  }
  /// Why tests are left out: `make test` installs both where the distribution has Chromium.
  public static let comment = "Chromium or Playwright is missing: what browsers do was NOT tested"

  /// Whether there are both.
  public static func isThere() async throws -> Bool {
    guard path != nil, let python = Python.path else { return false }
    return try await Subprocess(python, ["-c", "import playwright"]).ended() == 0
  }

  /// Starts a script of `Tests/Interop` with the browser's path and more as its arguments.
  public static func start(_ script: String, _ arguments: String...) throws -> Subprocess {
    try Python.start(script, [path ?? ""] + arguments)
  }

  /// Runs a script of `Tests/Interop` with the browser's path and more as its arguments; returns the lines it printed.
  public static func lines(of script: String, _ arguments: String...) async throws -> [JSON] {
    try await lines(of: script, arguments)
  }

  /// The same, with the arguments in an array.
  public static func lines(of script: String, _ arguments: [String]) async throws -> [JSON] {
    try await Python.lines(of: script, [path ?? ""] + arguments)
  }
}
