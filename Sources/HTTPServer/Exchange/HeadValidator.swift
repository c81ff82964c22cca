import Glibc

/// Checks a request's head: that it is, byte for byte, what a lenient libmicrohttpd made of it, that it keeps HTTP's grammar and
/// the server's limits, and that it cannot be read in two ways.
struct HeadValidator {
  static let lineLimit = 100

  /// What a server holds every head to.
  struct Rules {
    /// How much the library has checked already.
    var strictness: ParserStrictness
    var acceptsChunked: Bool
    var targetLimit: Int
    var headersLimit: Int
  }

  private let head: RequestHead
  private let rules: Rules
  /// Nil where the library is strict: it leaves nothing to compare, and moves bytes around.
  private var layout: InPlaceLayout?
  private var lines = 0
  private var rejection: Rejection?
  private var isCodingPadded = false

  private init(_ head: RequestHead, _ layout: InPlaceLayout?, _ rules: Rules) {
    self.head = head
    self.layout = layout
    self.rules = rules
  }

  /// The reason to refuse the request, if there is one. `walk` hands each header line to `take`, in order; known headers are
  /// entered into the head.
  static func rejection(
    of head: RequestHead, _ line: RequestHead.Line, size: Int, rules: Rules,
    walk: (inout HeadValidator) -> Void
  ) -> Rejection? {
    if head.wholeTarget.count > rules.targetLimit { return .targetTooLong(rules.targetLimit) }
    let layout: InPlaceLayout?
    switch rules.strictness {
    case .strict: layout = nil
    case .lenient:
      layout = InPlaceLayout(line, targetLength: head.wholeTarget.count, headSize: size)
      if layout == nil { return .bad("the request line is not 'method SP target SP version'") }
    }
    guard line.method.isToken else { return .bad("the method is not a token") }
    guard line.isHTTP11 || line.isHTTP10 else { return .version }
    // Two blanks and a CR LF in the request line, and the empty line at the end.
    let headers = size - line.method.count - head.wholeTarget.count - line.version.count - 6
    guard 0...rules.headersLimit ~= headers else { return .headersTooLarge(rules.headersLimit) }
    var validator = HeadValidator(head, layout, rules)
    walk(&validator)
    if let rejection = validator.rejection { return rejection }
    guard validator.layout?.isAtEnd ?? true else {
      return .bad("the head of the request does not end with an empty line")
    }
    return inspectTarget(head) ?? inspectHost(head) ?? validator.inspectFraming()
  }

  /// Takes the next header line; false ends the walk.
  mutating func take(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool {
    guard layout?.isNext(name) ?? true else { return fail(.layout) }
    lines += 1
    guard lines <= Self.lineLimit else { return fail(.headersTooLarge(rules.headersLimit)) }
    guard name.isToken else { return fail(.bad("a header name is not a token")) }
    guard layout?.take(name, value) ?? true else { return fail(.layout) }
    guard !value.holdsControl else { return fail(.bad("a header value holds a control character")) }
    guard let header = KnownHeader(name) else { return true }
    if !header.mayRepeat, head.count(header) > 0 {
      // The walk goes on: what names the request in the answer may still come.
      rejection = rejection ?? .bad("there is more than one \(header.name) header")
    }
    let trimmed = value.trimmed
    head.enter(header, trimmed)
    if header == .transferEncoding, trimmed.count != value.count { isCodingPadded = true }
    return true
  }

  private mutating func fail(_ rejection: Rejection) -> Bool {
    self.rejection = self.rejection ?? rejection
    return false
  }

  private static func inspectTarget(_ head: RequestHead) -> Rejection? {
    let target = head.wholeTarget
    guard let first = target.first else { return .bad("the request has no target") }
    if first == UInt8(ascii: "*"), target.count == 1, head.method == .options { return nil }
    guard head.path.first == UInt8(ascii: "/") else {
      return .bad("the request target is neither a path nor http:// with a host")
    }
    for byte in target where byte <= 0x20 || byte == 0x7F || byte == UInt8(ascii: "#") {
      return .bad("the request target holds a blank, a control character or a '#'")
    }
    return nil
  }

  private static func inspectHost(_ head: RequestHead) -> Rejection? {
    if head.count(.host) == 0, !head.isHTTP10 { return .bad("the Host header is missing") }
    guard head.value(.host)?.isHost != false else {
      return .bad("the Host header is no host with an optional port")
    }
    guard !head.lacksAuthority, head.targetHost?.isHost != false else {
      return .bad("the target's host is no host with an optional port")
    }
    return nil
  }

  private func inspectFraming() -> Rejection? {
    let lengths = head.count(.contentLength)
    let codings = head.count(.transferEncoding)
    if codings > 0 {
      if lengths > 0 { return .bad("both Content-Length and Transfer-Encoding are given") }
      if head.isHTTP10 { return .bad("Transfer-Encoding is not part of HTTP/1.0") }
      guard codings == 1, head.value(.transferEncoding)?.isCaseless("chunked") == true else {
        return .transferCoding
      }
      // libmicrohttpd compares the untrimmed value, and waits for ever when it does not match.
      guard !isCodingPadded else { return .transferCoding }
      guard rules.acceptsChunked else { return .lengthRequired }
    }
    if lengths == 1, head.declaredLength == nil { return .bad("the Content-Length header is not a number") }
    let encodings = head.count(.contentEncoding)
    if encodings > 1 || encodings == 1 && head.value(.contentEncoding)?.isCaseless("identity") != true {
      return .encoding
    }
    return nil
  }
}

/// How a lenient libmicrohttpd, release 0.9.75, leaves a request's head in memory, and all that depends on it. The self-test
/// finds out whether the linked one leaves it so.
///
/// The library parses in place, so method, target, version and every header point into one buffer. When nothing but the
/// separators HTTP asks for lies between them, then nothing was folded, cut at a NUL, or ended by a bare LF, and no other
/// HTTP implementation in the path can read the same bytes differently.
struct InPlaceLayout {
  /// Ends the target behind the question mark. libmicrohttpd would enter each query argument into the connection's memory,
  /// and drop the client without an answer when there is no more. The target is in the library's buffer, which is about to
  /// be taken apart, and may be written to.
  static func hideQuery(of target: UnsafeRawBufferPointer) {
    guard let start = target.baseAddress, let mark = memchr(start, 0x3F, target.count) else { return }
    mark.storeBytes(of: 0, toByteOffset: 1, as: UInt8.self)
  }

  /// The address at which the next header line has to begin.
  private var next: UInt
  /// The address behind the head.
  private let end: UInt

  /// Nil when the request line is not method, blank, target, blank, version. `targetLength` is the target's before
  /// `hideQuery`.
  init?(_ line: RequestHead.Line, targetLength: Int, headSize: Int) {
    let start = UInt(bitPattern: line.method.baseAddress)
    let target = start + UInt(line.method.count) + 1
    let version = target + UInt(targetLength) + 1
    guard UInt(bitPattern: line.target) == target, UInt(bitPattern: line.version.baseAddress) == version else {
      return nil
    }
    next = version + UInt(line.version.count) + 2
    end = start + UInt(headSize)
  }

  /// Whether the next header line begins with that name.
  func isNext(_ name: UnsafeRawBufferPointer) -> Bool { UInt(bitPattern: name.baseAddress) == next }

  /// Takes the next header line; false when there is more between name and value than a colon and blanks.
  mutating func take(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool {
    guard let start = name.baseAddress, let text = value.baseAddress else { return false }
    // The library has put a NUL over the colon, and skipped any blanks.
    let blanks = start + name.count + 1
    let gap = UInt(bitPattern: text) &- UInt(bitPattern: blanks)
    guard gap < 1 << 16, UnsafeRawBufferPointer(start: blanks, count: Int(gap)).allSatisfy(\.isBlank) else {
      return false
    }
    next = UInt(bitPattern: text) + UInt(value.count) + 2
    return true
  }

  /// Whether only the empty line is left of the head. The library has put NULs over both line ends there: anything else came from
  /// the client, behind a NUL of its own.
  var isAtEnd: Bool {
    guard next + 2 == end, let ends = UnsafeRawPointer(bitPattern: end - 4) else { return false }
    return ends.loadUnaligned(as: UInt32.self) == 0
  }
}

extension Rejection {
  fileprivate static var layout: Rejection { .bad("a header line is folded, holds a NUL, or does not end with CR LF") }
}

extension UnsafeRawBufferPointer {
  /// RFC 9110, 5.6.2: letters, digits and !#$%&'*+-.^_`|~
  fileprivate var isToken: Bool {
    guard !isEmpty else { return false }
    for byte in self {
      let set: UInt64 = byte < 64 ? 0x03FF_6CFA_0000_0000 : 0x57FF_FFFF_C7FF_FFFE
      if byte > 127 || set >> UInt64(byte & 63) & 1 == 0 { return false }
    }
    return true
  }

  /// RFC 3986, 3.2.2 and 3.2.3: a name, an IPv4 address or an IPv6 one in brackets, and a port behind a colon, which may be empty.
  fileprivate var isHost: Bool {
    var index = 0
    if first == UInt8(ascii: "[") {
      guard let end = firstIndex(of: UInt8(ascii: "]")) else { return false }
      let address = self[1..<end]
      guard address.count > 1, address.allSatisfy({ $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".") || $0.isHex }),
        address.contains(UInt8(ascii: ":"))
      else { return false }
      index = end + 1
    } else {
      while index < count, self[index] != UInt8(ascii: ":") {
        if self[index] == UInt8(ascii: "%") {
          guard index + 2 < count, self[index + 1].isHex, self[index + 2].isHex else { return false }
        } else if !self[index].isInHost {
          return false
        }
        index += 1
      }
    }
    guard index < count else { return true }
    return self[index] == UInt8(ascii: ":") && self[(index + 1)...].allSatisfy { 0x30...0x39 ~= $0 }
  }

  /// Any byte below a blank but the tabulator, or DEL. Eight bytes at a time: most values hold none.
  var holdsControl: Bool {
    var index = 0
    while index + 8 <= count {
      let word = loadUnaligned(fromByteOffset: index, as: UInt64.self)
      let low = (word &- 0x2020_2020_2020_2020) & ~word
      let delete = word ^ 0x7F7F_7F7F_7F7F_7F7F
      let high = (delete &- 0x0101_0101_0101_0101) & ~delete
      if (low | high) & 0x8080_8080_8080_8080 != 0 { break }
      index += 8
    }
    while index < count {
      let byte = self[index]
      if byte < 0x20 && byte != 0x09 || byte == 0x7F { return true }
      index += 1
    }
    return false
  }
}

extension UInt8 {
  fileprivate var isHex: Bool { 0x30...0x39 ~= self || 0x41...0x46 ~= self & 0xDF }

  /// Unreserved bytes and delimiters within a part (RFC 3986, 2.2 and 2.3): letters, digits and -._~!$&'()*+,;=
  fileprivate var isInHost: Bool {
    let set: UInt64 = self < 64 ? 0x2BFF_7FD2_0000_0000 : 0x47FF_FFFE_87FF_FFFE
    return self < 128 && set >> UInt64(self & 63) & 1 == 1
  }
}
