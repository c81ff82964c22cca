import CMicroHTTPD

/// Checks that a request's head is, byte for byte, what libmicrohttpd made of it.
///
/// The library parses in place, so method, target, version and every header point into one buffer. When nothing but
/// the separators HTTP asks for lies between them, then nothing was folded, cut at a NUL, or ended by a bare LF, and no
/// other HTTP implementation in the path can read the same bytes differently.
struct HeadValidator {
  static let lineLimit = 100

  /// What libmicrohttpd reports of a request line.
  struct RequestLine {
    let method: UnsafePointer<CChar>
    let methodLength: Int
    let target: UnsafePointer<CChar>
    let version: UnsafePointer<CChar>
  }

  private let slots: UnsafeMutablePointer<HeaderTable.Slot>
  /// The address at which the next header line has to begin.
  private var next: UInt = 0
  private var lines = 0
  private var fault: Fault?

  private enum Fault { case layout, name, value, tooMany }

  /// The headers found are entered into the table.
  init(into table: borrowing HeaderTable) { slots = table.slots }

  /// The reason to refuse the request, if there is one. `rawLength` is the target's length before parsing.
  mutating func check(
    _ line: RequestLine, rawLength: Int, headSize: Int, connection: OpaquePointer, headersLimit: Int
  ) -> Rejection? {
    let start = UInt(bitPattern: line.method)
    let target = start + UInt(line.methodLength) + 1
    let version = target + UInt(rawLength) + 1
    guard UInt(bitPattern: line.target) == target, UInt(bitPattern: line.version) == version else {
      return .bad("the request line is not 'method SP target SP version'")
    }
    guard Self.isToken(line.method, line.methodLength) else { return .bad("the method is not a token") }
    // Exactly eight bytes are there: the library closes anything that is not HTTP/d.d.
    guard memcmp(line.version, "HTTP/1.", 7) == 0, line.version[7] == 0x30 || line.version[7] == 0x31 else {
      return .version
    }
    next = version + 8 + 2
    let end = start + UInt(headSize)
    guard end &- next <= UInt(headersLimit) + 2 else { return .headersTooLarge(headersLimit) }
    _ = withUnsafeMutablePointer(to: &self) { cmhd_headers(connection, checkHeader, $0) }
    switch fault {
    case .layout: return .bad("a header line is folded, holds a NUL, or does not end with CR LF")
    case .name: return .bad("a header name is not a token")
    case .value: return .bad("a header value holds a control character")
    case .tooMany: return .headersTooLarge(headersLimit)
    case nil: break
    }
    guard next + 2 == end else { return .bad("the head of the request does not end with an empty line") }
    return nil
  }

  /// Takes the next header line; false ends the walk.
  fileprivate mutating func take(
    _ name: UnsafePointer<CChar>?, _ nameLength: Int, _ value: UnsafePointer<CChar>?, _ length: Int
  ) -> Bool {
    guard let name, let value, UInt(bitPattern: name) == next else { return fail(.layout) }
    lines += 1
    guard lines <= Self.lineLimit else { return fail(.tooMany) }
    guard Self.isToken(name, nameLength) else { return fail(.name) }
    // After the name stands the colon, now a NUL, and then any blanks the library skipped.
    let gap = UInt(bitPattern: value) &- (next + UInt(nameLength) + 1)
    guard gap < 1 << 16 else { return fail(.layout) }
    for index in 0..<Int(gap) where !Self.isBlank(name[nameLength + 1 + index]) { return fail(.layout) }
    guard !Self.holdsControl(value, length) else { return fail(.value) }
    next = UInt(bitPattern: value) + UInt(length) + 2
    guard let header = KnownHeader(name, length: nameLength) else { return true }
    let slot = slots + Int(header.rawValue)
    slot.pointee.count += 1
    if slot.pointee.count == 1 {
      var trimmed = length
      while trimmed > 0, Self.isBlank(value[trimmed - 1]) { trimmed -= 1 }
      slot.pointee.value = value
      slot.pointee.length = trimmed
    }
    return true
  }

  private mutating func fail(_ fault: Fault) -> Bool {
    self.fault = fault
    return false
  }

  private static func isBlank(_ byte: CChar) -> Bool { byte == 0x20 || byte == 0x09 }

  /// RFC 9110, 5.6.2: letters, digits and !#$%&'*+-.^_`|~
  static func isToken(_ text: UnsafePointer<CChar>, _ length: Int) -> Bool {
    guard length > 0 else { return false }
    for index in 0..<length {
      let byte = UInt8(bitPattern: text[index])
      let set: UInt64 = byte < 64 ? 0x03FF_6CFA_0000_0000 : 0x57FF_FFFF_C7FF_FFFE
      if byte > 127 || set >> UInt64(byte & 63) & 1 == 0 { return false }
    }
    return true
  }

  /// Any byte below a blank but the tabulator, or DEL. Eight bytes at a time: most values hold none.
  static func holdsControl(_ text: UnsafePointer<CChar>, _ length: Int) -> Bool {
    let raw = UnsafeRawPointer(text)
    var index = 0
    while index + 8 <= length {
      let word = raw.loadUnaligned(fromByteOffset: index, as: UInt64.self)
      let low = (word &- 0x2020_2020_2020_2020) & ~word
      let delete = word ^ 0x7F7F_7F7F_7F7F_7F7F
      let high = (delete &- 0x0101_0101_0101_0101) & ~delete
      if (low | high) & 0x8080_8080_8080_8080 != 0 { break }
      index += 8
    }
    while index < length {
      let byte = raw.load(fromByteOffset: index, as: UInt8.self)
      if byte < 0x20 && byte != 0x09 || byte == 0x7F { return true }
      index += 1
    }
    return false
  }
}

private func checkHeader(
  _ owner: UnsafeMutableRawPointer?, _ kind: MHD_ValueKind, _ name: UnsafePointer<CChar>?, _ nameLength: Int,
  _ value: UnsafePointer<CChar>?, _ length: Int
) -> MHD_Result {
  guard let gate = owner?.assumingMemoryBound(to: HeadValidator.self) else { return .NO }
  return gate.pointee.take(name, nameLength, value, length) ? .YES : .NO
}
