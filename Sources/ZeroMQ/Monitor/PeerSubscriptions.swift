/// The prefixes that the peers of a publishing socket have subscribed to, as an XPUB tells them: each once, until nobody has it any
/// more. A value without I/O.
struct PeerSubscriptions {
  /// How much of them is remembered, at 64 bytes and its length for each. One beyond that counts as not there.
  static let limit = 16 << 20
  private static let overhead = 64

  private var prefixes: Set<[UInt8]> = []
  private var size = 0

  /// Whether that message is a subscription or the end of one, and no message of a user.
  static func isOne(_ message: UnsafeRawBufferPointer) -> Bool { message.first == 0 || message.first == 1 }

  /// Hears of one. Returns the prefix when it is a new one.
  mutating func take(_ message: UnsafeRawBufferPointer) -> [UInt8]? {
    guard let first = message.first else { return nil }
    let prefix = Array(message.dropFirst())
    let cost = Self.overhead + prefix.count
    guard first == 1 else {
      if prefixes.remove(prefix) != nil { size -= cost }
      return nil
    }
    guard size + cost <= Self.limit, prefixes.insert(prefix).inserted else { return nil }
    size += cost
    return prefix
  }

  /// Whether somebody gets what is published under the topic.
  func match(_ topic: [UInt8]) -> Bool {
    // Most have few subscriptions, and few of them long ones.
    prefixes.count <= topic.count
      ? prefixes.contains { topic.starts(with: $0) }
      : (0...topic.count).contains { prefixes.contains(Array(topic[..<$0])) }
  }
}
