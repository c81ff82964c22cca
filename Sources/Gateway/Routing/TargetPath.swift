/// The path of a target, read segment by segment, and the place of the query behind it.
///
/// A name of up to 15 bytes without escapes allocates nothing: a `String` holds as much in itself.
struct TargetPath {
  /// How many segments there are, the prefix aside.
  let segments: Int
  /// Whether the path stands outside a prefix that is configured.
  let lacksPrefix: Bool
  let query: Range<Int>
  /// The slash before the next segment, or the end.
  private var position: Int
  private let end: Int

  init(_ target: Span<UInt8>, prefix: String) throws(Problem) {
    var end = target.count
    for index in target.indices {
      let byte = target[index]
      if byte == UInt8(ascii: "?"), end == target.count { end = index }
      guard Self.mayHold(byte) else {
        throw Self.unescaped(byte, at: index)
      }
    }
    guard end > 0, target[0] == UInt8(ascii: "/") else {
      throw Problem(.badTarget, "A request target starts with \"/\".")
    }
    let start = Self.starts(target.extracting(..<end), with: prefix) ? prefix.utf8.count : 0
    var (segments, last) = (0, start)
    for index in start...end where index == end || target[index] == UInt8(ascii: "/") {
      if Self.isDots(target.extracting(min(last + 1, index)..<index)) { throw Self.dots }
      last = index
      if index < end { segments += 1 }
    }
    self.segments = segments
    self.end = end
    lacksPrefix = start < prefix.utf8.count
    query = min(end + 1, target.count)..<target.count
    position = start
  }

  private static func unescaped(_ byte: UInt8, at index: Int) -> Problem {
    let sign = 0x21...0x7E ~= byte ? " (\"\(UnicodeScalar(byte))\")" : ""
    let code = (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
    return Problem(.badTarget, "Byte \(index) of the request target\(sign) must be percent-encoded: %\(code).")
  }

  /// What a target may hold (RFC 3986, 3.3 and 3.4): letters, digits and -._~!$&'()*+,;=:@/?% and, as browsers send them, brackets.
  private static func mayHold(_ byte: UInt8) -> Bool {
    let set: UInt64 = byte < 64 ? 0xAFFF_FFF2_0000_0000 : 0x47FF_FFFE_AFFF_FFFF
    return byte < 128 && set >> UInt64(byte & 63) & 1 == 1
  }

  private static func starts(_ path: Span<UInt8>, with prefix: String) -> Bool {
    guard prefix.utf8.count < path.count, path[prefix.utf8.count] == UInt8(ascii: "/") else { return false }
    var index = 0
    for byte in prefix.utf8 {
      if path[index] != byte { return false }
      index += 1
    }
    return true
  }

  private mutating func next(_ target: Span<UInt8>) throws(Problem) -> Range<Int> {
    guard position < end else { throw Self.noPath }
    let start = position + 1
    position = start
    while position < end, target[position] != UInt8(ascii: "/") { position += 1 }
    return start..<position
  }

  mutating func takeService(_ target: Span<UInt8>) throws(Problem) -> String {
    let name = try takeText(target)
    guard NameRules.isService(name.utf8.span) else {
      throw Problem(.noSuchService, "A service name is letters, digits, \"_\", \".\" and \"-\", at most 255 bytes.")
    }
    return name
  }

  mutating func takeMethod(_ target: Span<UInt8>) throws(Problem) -> MethodName {
    guard let name = MethodName(try takeText(target)) else {
      throw Problem(
        .notExposed,
        "A method name is letters, digits, \"_\", \".\" and \"-\", at most 255 bytes, and no part of it starts with \"_\"."
      )
    }
    return name
  }

  mutating func takeTopic(_ target: Span<UInt8>) throws(Problem) -> [UInt8] {
    let segment = try next(target)
    if segment.isEmpty { throw Problem(.badTarget, "A topic segment is not empty; \"-\" is the empty topic.") }
    if segment.count == 1, target[segment.lowerBound] == UInt8(ascii: "-") { return [] }
    guard let topic = PercentEncoding.decode(target, segment) else { throw Self.broken }
    if topic.count > NameRules.longestTopic {
      throw Problem(.badTarget, "A topic has at most \(NameRules.longestTopic) bytes, not \(topic.count).")
    }
    return topic
  }

  /// Takes a segment that is text. What its escapes stand for must pass the checks that plain text has passed: no dot segment, no slash,
  /// no control byte.
  mutating func takeText(_ target: Span<UInt8>) throws(Problem) -> String {
    let segment = try next(target)
    let raw = target.extracting(segment)
    var isEscaped = false
    for index in raw.indices where raw[index] == UInt8(ascii: "%") { isEscaped = true }
    guard isEscaped else { return raw.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) } }
    guard let decoded = PercentEncoding.decode(target, segment),
      let text = String(validating: decoded, as: UTF8.self)
    else { throw Self.broken }
    if Self.isDots(decoded.span) { throw Self.dots }
    for byte in decoded where byte < 0x20 || byte == 0x7F || byte == UInt8(ascii: "/") {
      throw Problem(.badTarget, "An escape in the path stands for a control byte or a slash.")
    }
    return text
  }

  private static func isDots(_ segment: Span<UInt8>) -> Bool {
    guard 1...2 ~= segment.count else { return false }
    for index in segment.indices where segment[index] != UInt8(ascii: ".") { return false }
    return true
  }

  private static let dots = Problem(.badTarget, "A path has no \".\" and \"..\" segments.")
  private static let broken = Problem(
    .badTarget,
    "A percent sign in the path is not followed by two hexadecimal digits, or the bytes it stands for are not UTF-8.")
  private static let noPath = Problem(.noSuchRoute, "The target of the request is no path.")
}
