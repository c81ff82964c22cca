import Glibc

/// How one release of libmicrohttpd leaves a request's head in memory, and all that depends on it.
///
/// The library parses in place, so method, target, version and every header point into one buffer. When nothing but the
/// separators HTTP asks for lies between them, then nothing was folded, cut at a NUL, or ended by a bare LF, and no other
/// HTTP implementation in the path can read the same bytes differently.
struct InPlaceLayout {
  /// The release whose parser this was measured against.
  static let release = "0.9.75"

  /// Throws when another release is linked.
  static func check(release linked: String) throws(HTTPServerError) {
    guard linked != release else { return }
    throw HTTPServerError(
      call: "libmicrohttpd", message: "version \(linked) is linked, but requests are checked for \(release)")
  }

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

  /// Bytes from here to the end of the head.
  var remaining: Int { Int(bitPattern: end &- next) }

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

  /// Whether only the empty line is left of the head.
  var isAtEnd: Bool { next + 2 == end }
}
