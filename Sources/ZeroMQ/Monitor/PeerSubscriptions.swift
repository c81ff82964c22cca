/// The prefixes that the peers of a publishing socket have subscribed to, as an XPUB tells them: each once, until nobody has it any
/// more; or, where it tells of each end, as often as it is subscribed to. A value without I/O.
struct PeerSubscriptions {
  /// How much of them is remembered, at 64 bytes and its length for each. One beyond that counts as not there.
  static let limit = 16 << 20
  private static let overhead = 64

  /// How often each is subscribed to, as far as that is told.
  private var prefixes: [[UInt8]: Int] = [:]
  private var size = 0

  /// Whether that message is a subscription or the end of one, and no message of a user.
  static func isOne(_ message: UnsafeRawBufferPointer) -> Bool { message.first == 0 || message.first == 1 }

  /// Hears of one, from an XPUB that tells of each end or of the last one only. Returns the prefix when it is a new one.
  mutating func take(_ message: UnsafeRawBufferPointer, tellsEachEnd: Bool = false) -> [UInt8]? {
    guard let first = message.first, first < 2 else { return nil }
    let prefix = Array(message.dropFirst())
    let cost = Self.overhead + prefix.count
    let count = prefixes[prefix] ?? 0
    if first == 0 {
      guard count > 0 else { return nil }
      prefixes[prefix] = tellsEachEnd && count > 1 ? count - 1 : nil
      if prefixes[prefix] == nil { size -= cost }
      return nil
    }
    guard count == 0 else {
      if tellsEachEnd { prefixes[prefix] = count + 1 }
      return nil
    }
    guard size + cost <= Self.limit else { return nil }
    prefixes[prefix] = 1
    size += cost
    return prefix
  }

  /// Whether somebody gets what is published under the topic.
  func match(_ topic: [UInt8]) -> Bool {
    // Most have few subscriptions, and few of them long ones.
    prefixes.count <= topic.count
      ? prefixes.keys.contains { topic.starts(with: $0) }
      : (0...topic.count).contains { prefixes[Array(topic[..<$0])] != nil }
  }
}
