/// The members of a JSON array or object, cut apart and not read: the text of each.
///
/// What stands between them is checked: brackets, commas, colons. When each text is one JSON value, and each key a string, the whole is
/// JSON (RFC 8259). So a document whose parts concern different readers is cut with this, and each part read by its own.
///
///     var members = JSONMembers(body)
///     while let member = try members?.next() { ... }
public struct JSONMembers {
  /// A member's text, without the white space around it.
  public struct Member {
    /// The key with its quotes; nil in an array.
    public let key: UnsafeRawBufferPointer?
    /// The value. Its brackets and quotes are closed; nothing else of it is known.
    public let value: UnsafeRawBufferPointer
  }

  /// Whether it is an object, not an array.
  public let isObject: Bool
  private let bytes: UnsafeRawBufferPointer
  private var position: Int
  private var isFirst = true
  private var isAtEnd = false

  /// Cuts a text, which must outlive this value; nil when it is neither an array nor an object.
  public init?(_ json: UnsafeRawBufferPointer) {
    bytes = json
    position = Self.skipSpace(json, 0)
    guard position < json.count, json[position] == UInt8(ascii: "[") || json[position] == UInt8(ascii: "{") else {
      return nil
    }
    isObject = json[position] == UInt8(ascii: "{")
    position += 1
  }

  /// The next member; nil behind the last, when nothing but white space follows the container. Throws `badJSON`.
  public mutating func next() throws(TranscodingError) -> Member? {
    do throws(TranscodingFault) { return try cut() } catch { throw error.error() }
  }

  private mutating func cut() throws(TranscodingFault) -> Member? {
    if isAtEnd { return nil }
    skipSpace()
    if try byte() == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")), isFirst { return try end() }
    var key: UnsafeRawBufferPointer?
    if isObject {
      guard try byte() == UInt8(ascii: "\"") else { throw TranscodingFault(.missingKey, position) }
      let start = position
      try skipString()
      key = UnsafeRawBufferPointer(rebasing: bytes[start..<position])
      skipSpace()
      guard try byte() == UInt8(ascii: ":") else { throw TranscodingFault(.missingColon, position) }
      position += 1
      skipSpace()
    }
    let start = position
    try skipValue()
    let member = Member(key: key, value: UnsafeRawBufferPointer(rebasing: bytes[start..<position]))
    skipSpace()
    switch try byte() {
    case UInt8(ascii: ","):
      position += 1
      isFirst = false
    case isObject ? UInt8(ascii: "}") : UInt8(ascii: "]"): _ = try end()
    default: throw TranscodingFault(.unexpectedByte, position)
    }
    return member
  }

  /// The container is closed here.
  private mutating func end() throws(TranscodingFault) -> Member? {
    isAtEnd = true
    position = Self.skipSpace(bytes, position + 1)
    guard position == bytes.count else { throw TranscodingFault(.trailingText, position) }
    return nil
  }

  private func byte() throws(TranscodingFault) -> UInt8 {
    guard position < bytes.count else { throw TranscodingFault(.unexpectedEnd, position) }
    return bytes[position]
  }

  private mutating func skipString() throws(TranscodingFault) {
    position += 1
    while try byte() != UInt8(ascii: "\"") { position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1 }
    position += 1
  }

  private mutating func skipValue() throws(TranscodingFault) {
    var depth = 0
    repeat {
      switch try byte() {
      case UInt8(ascii: "\""): try skipString()
      case UInt8(ascii: "["), UInt8(ascii: "{"):
        depth += 1
        position += 1
      case UInt8(ascii: "]"), UInt8(ascii: "}"):
        guard depth > 0 else { throw TranscodingFault(.unexpectedByte, position) }
        depth -= 1
        position += 1
      case UInt8(ascii: ","), UInt8(ascii: ":"):
        guard depth > 0 else { throw TranscodingFault(.unexpectedByte, position) }
        position += 1
      case let first:
        if Self.isSpace(first) { position += 1 } else { skipWord() }
      }
    } while depth > 0
  }

  /// A number, a literal, or what takes the place of one.
  private mutating func skipWord() {
    while position < bytes.count, !Self.isSpace(bytes[position]), !Self.ends(bytes[position]) { position += 1 }
  }

  private static func ends(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: "\""), UInt8(ascii: "["), UInt8(ascii: "]"),
      UInt8(ascii: "{"), UInt8(ascii: "}"):
      true
    default: false
    }
  }

  private mutating func skipSpace() { position = Self.skipSpace(bytes, position) }

  private static func skipSpace(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int {
    var position = start
    while position < bytes.count, isSpace(bytes[position]) { position += 1 }
    return position
  }

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09
  }
}
