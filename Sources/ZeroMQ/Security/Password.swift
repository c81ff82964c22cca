/// A password of PLAIN. Printing, interpolating and dumping it shows that there is one, and no more; how long a comparison takes tells
/// how long the two are, and nothing else.
public struct Password: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible,
  CustomDebugStringConvertible, CustomReflectable
{
  /// The password itself.
  public let text: String

  /// A password; PLAIN takes 1 to 255 bytes of UTF-8.
  public init(_ text: String) { self.text = text }
  public init(stringLiteral text: String) { self.text = text }

  public static func == (a: Password, b: Password) -> Bool {
    guard a.text.utf8.count == b.text.utf8.count else { return false }
    return zip(a.text.utf8, b.text.utf8).reduce(into: UInt8(0)) { $0 |= $1.0 ^ $1.1 } == 0
  }

  public func hash(into hasher: inout Hasher) { for byte in text.utf8 { hasher.combine(byte) } }

  public var description: String { "password (not shown)" }
  public var debugDescription: String { description }
  public var customMirror: Mirror { Mirror(self, children: []) }
}
