/// Origins of web pages as `http.cors` lists them: one in full (`https://app.example`), those of all hosts below a name
/// (`https://*.app.example`), or all (`*`).
public struct OriginPattern: Hashable, Sendable, CustomStringConvertible {
  /// What is wrong with a text that is none.
  public struct Invalid: Error, Hashable, CustomStringConvertible {
    /// The mistake, and what to write instead.
    public let description: String
  }

  /// As a browser writes it: in small letters, without the usual port of its scheme.
  let text: String
  /// What stands before and behind the star; nil for one in full, and for all.
  private let ends: (start: Int, end: Int)?

  /// Reads `scheme://host`, with a port or without; throws what is wrong with it.
  public init(_ text: String) throws(Invalid) {
    if text == "*" {
      (self.text, ends) = (text, nil)
      return
    }
    if text == "null" {
      throw Invalid(
        description: "\"null\" is the origin of every page in a sandbox or a file; none of them can be listed")
    }
    guard let mark = text.firstRange(of: "://") else { throw Self.malformed(text) }
    let scheme = text[..<mark.lowerBound].lowercased()
    var host = text[mark.upperBound...].lowercased()[...]
    for usual in ["http": ":80", "https": ":443"] where usual.key == scheme && host.hasSuffix(usual.value) {
      host = host.dropLast(usual.value.utf8.count)
    }
    let isBelow = host.hasPrefix("*.")
    guard Self.isScheme(scheme), Self.isHost(isBelow ? host.dropFirst(2) : host) else { throw Self.malformed(text) }
    self.text = "\(scheme)://\(host)"
    ends = isBelow ? (scheme.utf8.count + 3, host.utf8.count - 1) : nil
  }

  public var description: String { text }

  /// Whether it stands for all.
  var isAny: Bool { text == "*" }
  /// Whether it stands for one.
  var isOne: Bool { ends == nil && !isAny }

  /// Whether it stands for that one, as a browser writes it.
  func matches(_ origin: UnsafeRawBufferPointer) -> Bool {
    guard let ends else { return isAny || origin.elementsEqual(text.utf8) }
    guard origin.count > ends.start + ends.end, origin.prefix(ends.start).elementsEqual(text.utf8.prefix(ends.start)),
      origin.suffix(ends.end).elementsEqual(text.utf8.suffix(ends.end))
    else { return false }
    return Self.isName(origin.dropFirst(ends.start).dropLast(ends.end))
  }

  public static func == (left: OriginPattern, right: OriginPattern) -> Bool { left.text == right.text }

  public func hash(into hasher: inout Hasher) { hasher.combine(text) }

  private static func malformed(_ text: String) -> Invalid {
    Invalid(
      description: "\"\(text)\" is no origin; write scheme and host, and a port if need be, without a path:"
        + " https://app.example, https://*.app.example, or * for all")
  }

  private static func isScheme(_ text: String) -> Bool {
    guard let first = text.utf8.first, 0x61...0x7A ~= first else { return false }
    return text.utf8.allSatisfy { $0.isNameByte && $0 != UInt8(ascii: "_") || $0 == UInt8(ascii: "+") }
  }

  /// A name or an address, with or without a port.
  private static func isHost(_ text: Substring) -> Bool {
    let bytes = Array(text.utf8)
    let colon = bytes.lastIndex(of: UInt8(ascii: ":")).flatMap { bytes.last == UInt8(ascii: "]") ? nil : $0 }
    let port = bytes[(colon.map { $0 + 1 } ?? bytes.count)...]
    if colon != nil, UInt16(String(decoding: port, as: UTF8.self)) == nil { return false }
    let name = bytes[..<(colon ?? bytes.count)]
    if name.first == UInt8(ascii: "["), name.last == UInt8(ascii: "]") {
      return Array(name).withUnsafeBytes { Authority($0).isAddress }
    }
    return isName(name)
  }

  /// Labels of letters, digits, `-` and `_`, with dots between them.
  private static func isName(_ bytes: some Collection<UInt8>) -> Bool {
    bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { label in
      !label.isEmpty && label.allSatisfy(\.isNameByte)
    }
  }
}
