/// A pattern for names: `*` is any run of bytes, dots included, `?` is one byte.
struct Glob: Hashable, Sendable {
  private let pattern: [UInt8]

  init(_ pattern: String) { self.pattern = Array(pattern.utf8) }

  /// Every name: none is empty.
  static let anyName = Glob("?*")

  /// Whether every name matches.
  var matchesEverything: Bool { matchesAll(prefix: []) }

  /// Whether a name matches.
  func matches(_ name: Span<UInt8>) -> Bool { matches(name, isPattern: false) }

  /// Whether whatever the other one matches matches this one too, as far as that shows sign by sign.
  func covers(_ other: Glob) -> Bool { matches(other.pattern.span, isPattern: true) }

  /// Whether it matches whatever begins so, as far as that shows sign by sign.
  func matchesAll(prefix: [UInt8]) -> Bool { matches((prefix + [Self.star]).span, isPattern: true) }

  /// Takes time in proportion to both lengths at worst: after a mismatch only the last star grows.
  /// In a pattern a star stands for more than one sign, so that only a star matches it.
  private func matches(_ name: Span<UInt8>, isPattern: Bool) -> Bool {
    var (at, position) = (0, 0)
    var retry: (at: Int, position: Int)?
    while position < name.count {
      if at < pattern.count, pattern[at] == Self.star {
        at += 1
        retry = (at, position)
      } else if at < pattern.count,
        pattern[at] == name[position] || pattern[at] == Self.question && !(isPattern && name[position] == Self.star)
      {
        at += 1
        position += 1
      } else if let (star, start) = retry {
        at = star
        position = start + 1
        retry = (star, position)
      } else {
        return false
      }
    }
    while at < pattern.count, pattern[at] == Self.star { at += 1 }
    return at == pattern.count
  }

  /// Whether it matches something that begins so.
  func mayMatch(prefix: [UInt8]) -> Bool {
    for (index, byte) in prefix.enumerated() {
      guard index < pattern.count else { return false }
      if pattern[index] == Self.star { return true }
      guard pattern[index] == byte || pattern[index] == Self.question else { return false }
    }
    return true
  }

  /// Whether it may match the name of a service or a method: other signs than these stand in none.
  static func mayMatchName(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy { $0.isNameByte || $0 == star || $0 == question }
  }

  /// Whether the text matches more than itself.
  static func isGlob(_ text: String) -> Bool { text.utf8.contains { $0 == star || $0 == question } }

  /// Any run of bytes.
  static let star = UInt8(ascii: "*")
  /// Any byte.
  static let question = UInt8(ascii: "?")
}
