/// What a load came to.
struct BenchReport: Sendable {
  var latencies = LatencyRecorder()
  /// By what they were told with, such as a status.
  var failures: [String: Int] = [:]
  /// Whether anybody has answered, whatever it was.
  var isAnswered = false

  mutating func add(_ other: BenchReport) {
    latencies.add(other.latencies)
    failures.merge(other.failures) { $0 + $1 }
    isAnswered = isAnswered || other.isAnswered
  }

  mutating func fail(_ reason: String) { failures[reason, default: 0] += 1 }

  /// Lines for people: the rate, percentiles, a histogram. `noun` is what was counted, such as calls.
  func lines(of noun: String, in seconds: Double) -> [String] {
    let failed = failures.values.reduce(0, +)
    let rate = Double(latencies.count) / max(seconds, 0.001)
    var lines = [
      "\(latencies.count) \(noun) in \(Self.rounded(seconds)) s, \(Self.rounded(rate)) a second, \(failed) failed"
    ]
    lines += failures.sorted { $0.key < $1.key }.map { "  \($0.key): \($0.value)" }
    guard latencies.count > 0 else { return lines }
    let shares: [(String, Double)] = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999)]
    let percentiles = shares.map { "\($0) \(Self.time(latencies.percentile($1)))" }.joined(separator: "  ")
    lines.append("mean \(Self.time(latencies.mean))  \(percentiles)  max \(Self.time(latencies.longest))")
    let rows = latencies.rows
    let most = rows.map(\.count).max() ?? 1
    for row in rows {
      let bar = String(repeating: "#", count: row.count * 50 / max(1, most))
      lines.append(
        Self.padded(Self.time(row.bound), to: 10) + Self.padded("\(row.count)", to: 10)
          + (bar.isEmpty ? "" : "  \(bar)"))
    }
    return lines
  }

  private static func time(_ nanoseconds: Int64) -> String {
    switch nanoseconds {
    case ..<1_000_000: "\(rounded(Double(nanoseconds) / 1_000)) µs"
    case ..<1_000_000_000: "\(rounded(Double(nanoseconds) / 1_000_000)) ms"
    default: "\(rounded(Double(nanoseconds) / 1_000_000_000)) s"
    }
  }

  /// Three digits, more where there are that many before the point.
  private static func rounded(_ number: Double) -> String {
    if number >= 100 { return "\(Int(number.rounded()))" }
    let scale = number >= 10 ? 10.0 : 100.0
    return "\((number * scale).rounded() / scale)"
  }

  private static func padded(_ text: String, to width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }
}
