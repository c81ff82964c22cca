/// A topic with wildcards: tokens with dots between them, of which `*` stands for any one, and `>` at the end for the rest, which is at
/// least one. Wildcards are whole tokens; in a longer one their bytes are bytes like any other.
struct TopicPattern: Hashable, Sendable {
  /// What stands before the first wildcard: topics that match begin with it.
  let prefix: [UInt8]
  private let text: [UInt8]
  private let takesRest: Bool

  private static let dot = UInt8(ascii: ".")
  private static let any = UInt8(ascii: "*")
  private static let rest = UInt8(ascii: ">")

  /// A topic that has a `*`, and so is more than a prefix; nil for any other.
  init?(_ topic: [UInt8]) {
    guard let first = topic.indices.first(where: { Self.isWildcard(Self.any, in: topic, at: $0) }) else { return nil }
    text = topic
    prefix = Array(topic[..<first])
    takesRest = Self.takesRest(topic)
  }

  /// Whether the last token is `>`. Without a `*` that is the prefix before it.
  static func takesRest(_ topic: [UInt8]) -> Bool {
    guard let last = topic.indices.last else { return false }
    return isWildcard(rest, in: topic, at: last)
  }

  private static func isWildcard(_ wildcard: UInt8, in topic: [UInt8], at index: Int) -> Bool {
    topic[index] == wildcard && (index == 0 || topic[index - 1] == dot)
      && (index + 1 == topic.count || topic[index + 1] == dot)
  }

  /// Looks at each byte once at most.
  func matches(_ topic: [UInt8]) -> Bool {
    var (place, wanted) = (0, 0)
    while true {
      // Here a token begins in both.
      if takesRest, wanted == text.count - 1 { return true }
      if wanted < text.count, Self.isWildcard(Self.any, in: text, at: wanted) {
        wanted += 1
        while place < topic.count, topic[place] != Self.dot { place += 1 }
      } else {
        while wanted < text.count, text[wanted] != Self.dot {
          guard place < topic.count, topic[place] == text[wanted] else { return false }
          (place, wanted) = (place + 1, wanted + 1)
        }
      }
      if wanted == text.count { return place == topic.count }
      guard place < topic.count, topic[place] == Self.dot else { return false }
      (place, wanted) = (place + 1, wanted + 1)
    }
  }
}
