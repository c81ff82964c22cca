import Support

/// Asks as a user does, with curl.
enum Curl {
  /// A service that nothing answers for: a push to it that may be made gets 503.
  static let jobs = "jobs: { pattern: pipeline, connect: [\"ipc:///nowhere/jobs\"] }"

  /// The status of the answer, or 0 when there is none.
  static func status(_ url: String, _ arguments: [String]) async throws -> Int {
    let output = try await TestAuthority.run(
      "curl", ["-s", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "20"] + arguments + [url]
    ).output
    return Int(output) ?? 0
  }
}
