/// How long a caller gives a call: `Request-Timeout: 2.5`, or `_timeout=2.5`.
enum RequestTimeout {
  /// The control parameter that carries it.
  static let parameter = "_timeout"

  /// Reads a decimal number of seconds above zero. What is longer than any service allows is cut to something that is so as well.
  static func parse(_ text: String) throws(Problem) -> Duration {
    let bytes = text.utf8.drop { $0 == 0x20 || $0 == 0x09 }
    var attoseconds: Int64 = 0
    var seconds: Int64 = 0
    var (digits, decimals, hasPoint, isPositive) = (0, 0, false, false)
    var padding = false
    for byte in bytes {
      switch byte {
      case 0x30...0x39 where !padding:
        let digit = Int64(byte - 0x30)
        digits += 1
        if digit > 0 { isPositive = true }
        if hasPoint {
          decimals += 1
          if decimals <= 18 { attoseconds += digit * scales[decimals] }
        } else if seconds < 100_000_000_000 {
          // Beyond three thousand years it matters no more what follows.
          seconds = seconds * 10 + digit
        }
      case 0x2E where !padding && !hasPoint && digits > 0: hasPoint = true
      case 0x20, 0x09: padding = true
      default: throw fault(text)
      }
    }
    guard isPositive, !hasPoint || decimals > 0 else { throw fault(text) }
    let asked = Duration(secondsComponent: seconds, attosecondsComponent: attoseconds)
    // More decimals than a duration holds are still more than nothing.
    return max(asked, .nanoseconds(1))
  }

  private static func fault(_ text: String) -> Problem {
    Problem(.badTimeout, "\"\(text)\" is no number of seconds above zero, such as 2.5.")
  }

  /// The attoseconds of a one at each decimal place.
  private static let scales: [Int64] = {
    var scales: [Int64] = [1_000_000_000_000_000_000]
    for place in 1...18 { scales.append(scales[place - 1] / 10) }
    return scales
  }()
}
