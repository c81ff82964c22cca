/// What `id` of an event says: `epoch-number`.
struct EventID: Hashable, Sendable, CustomStringConvertible {
  /// A word that the hub of a service draws when it starts: another run of the gateway counts from 1 again, and its ids shall not be
  /// taken for these.
  let epoch: String
  /// The number of the event among all of the service in that epoch; 0 stands for what was before the first.
  let number: UInt64

  init(epoch: String, number: UInt64) {
    self.epoch = epoch
    self.number = number
  }

  /// Reads an id as a client sends it; nil when no gateway can have given it.
  init?(_ text: String) {
    let parts = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
    guard parts.count == 2, Self.isEpoch(parts[0]), let digits = String(parts[1]), let number = UInt64(digits),
      "\(number)" == digits
    else { return nil }
    self.init(epoch: String(Substring(parts[0])), number: number)
  }

  private static func isEpoch(_ word: Substring.UTF8View) -> Bool {
    1...longestEpoch ~= word.count
      && word.allSatisfy { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 }
  }

  /// Digits of the largest number of 64 bits with 36 of them.
  private static let longestEpoch = 13

  var description: String { "\(epoch)-\(number)" }

  /// A word for a new epoch.
  static func newEpoch() -> String { String(UInt64.random(in: .min ... .max), radix: 36) }
}
