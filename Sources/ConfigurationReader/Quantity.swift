/// Text with a unit, as configuration files write durations and sizes.
package enum Quantity {
  /// `500ms`, `1.5s`, `2m`, `1h`: a number, at most six decimals, and a unit.
  package static func duration(_ text: String) throws(InvalidText) -> Duration {
    let (number, unit) = split(text)
    guard !number.isEmpty else {
      throw InvalidText("expected a duration such as 500ms, 5s, 2m or 1h, not \"\(text)\"")
    }
    let parts = number.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count <= 2, parts.allSatisfy({ !$0.isEmpty }), parts[0].count <= 9,
      let whole = Int64(parts[0]), parts.count == 1 || parts[1].count <= 6
    else { throw InvalidText("\"\(number)\" is no number of at most nine digits and six decimals") }
    let nanoseconds: Int64
    switch unit {
    case "ms": nanoseconds = 1_000_000
    case "s": nanoseconds = 1_000_000_000
    case "m": nanoseconds = 60_000_000_000
    case "h": nanoseconds = 3_600_000_000_000
    case "": throw InvalidText("a duration needs a unit: \(number)s or \(number)ms")
    case _ where unit.first == " " && (try? duration(text.filter { $0 != " " })) != nil: throw .blank(in: text)
    default: throw InvalidText("\"\(unit)\" is no unit of time; use ms, s, m or h")
    }
    var fraction = Duration.zero
    if parts.count == 2, let digits = Int64(parts[1]) {
      let scale = (0..<parts[1].count).reduce(Int64(1)) { scale, _ in scale * 10 }
      fraction = .nanoseconds(digits * nanoseconds / scale)
    }
    return .nanoseconds(nanoseconds) * whole + fraction
  }

  /// `512B`, `16KiB`, `1MiB`, `1GiB`, `10KB`, `1MB`, `1GB`, or bytes without a unit.
  static func bytes(_ text: String) throws(InvalidText) -> Int {
    let (number, unit) = split(text)
    guard !number.isEmpty else { throw InvalidText("expected a size such as 512B, 16KiB or 1MiB, not \"\(text)\"") }
    let scale: Int
    switch unit {
    case "", "B": scale = 1
    case "KiB": scale = 1 << 10
    case "MiB": scale = 1 << 20
    case "GiB": scale = 1 << 30
    case "KB", "kB": scale = 1_000
    case "MB": scale = 1_000_000
    case "GB": scale = 1_000_000_000
    case _ where unit.first == " " && (try? bytes(text.filter { $0 != " " })) != nil: throw .blank(in: text)
    default: throw InvalidText("\"\(unit)\" is no unit of size; use B, KiB, MiB, GiB, KB, MB or GB")
    }
    guard let count = Int(number) else { throw InvalidText("\"\(number)\" is no whole number") }
    let (bytes, overflow) = count.multipliedReportingOverflow(by: scale)
    if overflow { throw InvalidText("\(text) is too large") }
    return bytes
  }

  /// `10%`: a whole number of hundredths.
  static func percent(_ text: String) throws(InvalidText) -> Int {
    guard text.hasSuffix("%"), let number = Int(text.dropLast()) else {
      throw InvalidText("expected a share such as 10%, not \"\(text)\"")
    }
    return number
  }

  /// The shortest text from which ``duration(_:)`` reads the same: `500ms`, `1.5s`, `2m`, `1h`.
  package static func text(_ duration: Duration) -> String {
    let (seconds, attoseconds) = duration.components
    if attoseconds != 0 { return "\(duration / .milliseconds(1))ms".replacing(".0ms", with: "ms") }
    if seconds % 3_600 == 0, seconds != 0 { return "\(seconds / 3_600)h" }
    if seconds % 60 == 0, seconds != 0 { return "\(seconds / 60)m" }
    return "\(seconds)s"
  }

  private static func split(_ text: String) -> (number: Substring, unit: Substring) {
    let number = text.prefix { $0 == "." || ("0"..."9").contains($0) }
    return (number, text[number.endIndex...])
  }
}
