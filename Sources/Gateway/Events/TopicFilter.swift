import Glibc

/// The topics one stream asks for: a topic matches when it begins with one of the prefixes, as in ZeroMQ, or when one of the patterns
/// matches it, and the caller may see it. It never changes, and is looked up by a hash that is made once, so that to find it costs the same however many prefixes
/// it has.
final class TopicFilter: Hashable, Sendable {
  /// Matches nothing that has a topic.
  static let none = TopicFilter(prefixes: [])

  /// What is subscribed to for it, each once, in the order of the request: what was asked for, and of patterns the prefixes.
  let prefixes: [[UInt8]]
  /// Whether not all that begins with one of the prefixes matches.
  var isChoosy: Bool { !patterns.isEmpty || access != nil }
  /// What the caller may see; nil: everything.
  private let access: TopicAccess?
  private let patterns: [TopicPattern]
  /// Those prefixes asked for that no other one covers, in order of their bytes.
  private let shortest: [[UInt8]]
  private let hash: Int

  init(prefixes: [[UInt8]], patterns: [TopicPattern] = [], access: TopicAccess? = nil) {
    var seen: Set<[UInt8]> = []
    let asked = prefixes.filter { seen.insert($0).inserted }
    var shortest: [[UInt8]] = []
    for prefix in asked.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
      if let last = shortest.last, prefix.starts(with: last) { continue }
      shortest.append(prefix)
    }
    self.patterns = patterns
    self.access = access
    self.prefixes = asked + patterns.map(\.prefix).filter { seen.insert($0).inserted }
    self.shortest = shortest
    var hasher = Hasher()
    hasher.combine(self.prefixes)
    if !patterns.isEmpty { hasher.combine(patterns) }
    if let access { hasher.combine(access) }
    hash = hasher.finalize()
  }

  /// All that begins with one of these prefixes.
  convenience init(_ prefixes: [String]) { self.init(prefixes: prefixes.map { Array($0.utf8) }) }

  /// Whether a stream with this filter sends the event.
  func matches(_ event: Event) -> Bool {
    guard let topic = event.topic else { return true }
    guard beginsRight(topic) || patterns.contains(where: { $0.matches(topic) }) else { return false }
    // Of a topic that is too long to be known whole, nobody knows whether a rule denies it.
    return access.map { access in event.wholeTopic.map(access.allows) ?? false } ?? true
  }

  /// Whether all that the other one asks for begins with one of the prefixes.
  func covers(_ other: TopicFilter) -> Bool { other.prefixes.allSatisfy(beginsRight) }

  private func beginsRight(_ topic: [UInt8]) -> Bool {
    if shortest.count == 1 { return Self.begins(topic, with: shortest[0]) }
    // No prefix in `shortest` begins another one, so only the last that does not come after the topic can begin it.
    var (low, high) = (0, shortest.count)
    while low < high {
      let middle = (low + high) / 2
      if topic.lexicographicallyPrecedes(shortest[middle]) { high = middle } else { low = middle + 1 }
    }
    return low > 0 && Self.begins(topic, with: shortest[low - 1])
  }

  private static func begins(_ topic: [UInt8], with prefix: [UInt8]) -> Bool {
    guard topic.count >= prefix.count else { return false }
    return topic.withUnsafeBytes { topic in
      prefix.withUnsafeBytes { prefix in
        guard let start = topic.baseAddress, let wanted = prefix.baseAddress else { return true }
        return memcmp(start, wanted, prefix.count) == 0
      }
    }
  }

  static func == (left: TopicFilter, right: TopicFilter) -> Bool {
    left === right
      || left.hash == right.hash && left.prefixes == right.prefixes && left.shortest == right.shortest
        && left.patterns == right.patterns && left.access == right.access
  }

  func hash(into hasher: inout Hasher) { hasher.combine(hash) }
}
