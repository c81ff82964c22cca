import Glibc

/// The head of one request: its line, and where the known headers stand in libmicrohttpd's buffer. There is one object for a
/// connection, emptied after each request.
final class RequestHead {
  /// A request line as libmicrohttpd reports it, each part ended by a NUL.
  struct Line {
    let method: UnsafeRawBufferPointer
    let target: UnsafeRawPointer
    static let versionLength = 8
    /// Always eight bytes: libmicrohttpd closes on anything that is not `HTTP/d.d`.
    let version: UnsafeRawBufferPointer

    var isHTTP10: Bool { version.isEqual(to: "HTTP/1.0") }
    /// Also for later minor versions, which are to be read as 1.1 (RFC 9110, 2.5).
    var isHTTP11: Bool {
      version.isEqual(to: "HTTP/1.1")
        || version.count == 8 && version.starts(with: "HTTP/1.".utf8) && 0x32...0x39 ~= version[7]
    }
  }

  private struct Slot {
    var value = UnsafeRawBufferPointer(start: nil, count: 0)
    var count = 0
  }

  private(set) var method = HTTPMethod.other
  private(set) var isHTTP10 = false
  /// The value of Content-Length; nil when there is none, or when it is not a number.
  private(set) var declaredLength: Int?
  /// The request's name, once it was asked for.
  private var id: String?
  /// The request target as the client wrote it, with its query.
  private let target = ReusedBytes()
  /// Where the authority of a target in absolute form stands: `http://here/path` (RFC 9112, 3.2.2); nil for another form.
  private var authority: Range<Int>?
  /// What stands for the path and the query of a target in absolute form that has no path: the root (RFC 9110, 4.2.3).
  private var root: ReusedBytes?
  /// The first value of each known header, and how often it came.
  private let slots: UnsafeMutableBufferPointer<Slot>
  /// The values of further lines, in their order. There are few, if any.
  private var more: [(header: KnownHeader, value: UnsafeRawBufferPointer)] = []

  init() {
    slots = .allocate(capacity: KnownHeader.allCases.count)
    slots.initialize(repeating: Slot())
  }

  deinit { slots.deallocate() }

  /// Copies the target, which libmicrohttpd is about to take apart in place.
  func begin(target text: UnsafeRawBufferPointer) {
    target.append(text)
    guard text.first != UInt8(ascii: "/") else { return }
    for scheme: StaticString in ["http://", "https://"] {
      let start = scheme.utf8CodeUnitCount
      guard text.count > start, UnsafeRawBufferPointer(rebasing: text[..<start]).isCaseless(scheme) else { continue }
      let rest = text[start...]
      let end = rest.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? text.count
      authority = start..<end
      guard end == text.count || text[end] == UInt8(ascii: "?") else { continue }
      root = ReusedBytes()
      root?.append("/")
      root?.append(UnsafeRawBufferPointer(rebasing: text[end...]))
    }
  }

  /// Takes method and version.
  func read(_ line: Line) {
    method = HTTPMethod(line.method)
    isHTTP10 = line.isHTTP10
  }

  /// Enters one header line; the value is trimmed.
  func enter(_ header: KnownHeader, _ value: UnsafeRawBufferPointer) {
    let index = Int(header.rawValue)
    slots[index].count += 1
    guard slots[index].count == 1 else { return more.append((header, value)) }
    slots[index].value = value
    if header == .contentLength { declaredLength = value.decimal }
  }

  func clear() {
    method = .other
    declaredLength = nil
    id = nil
    target.clear()
    authority = nil
    root = nil
    slots.update(repeating: Slot())
    if !more.isEmpty { more = [] }
  }

  /// The first value of a header.
  func value(_ header: KnownHeader) -> UnsafeRawBufferPointer? {
    let slot = slots[Int(header.rawValue)]
    return slot.count == 0 ? nil : slot.value
  }

  /// The values of all lines of that name, which are one list (RFC 9110, 5.3).
  func values(_ header: KnownHeader) -> [UnsafeRawBufferPointer] {
    guard let first = value(header) else { return [] }
    return [first] + more.filter { $0.header == header }.map(\.value)
  }

  /// How many lines of that name there are.
  func count(_ header: KnownHeader) -> Int { slots[Int(header.rawValue)].count }

  /// The request target as the client wrote it, with its query.
  var wholeTarget: UnsafeRawBufferPointer { target.bytes }

  /// The target without scheme and authority: the path and the query.
  var path: UnsafeRawBufferPointer {
    guard let authority else { return target.bytes }
    return root?.bytes ?? UnsafeRawBufferPointer(rebasing: target.bytes[authority.upperBound...])
  }

  /// Whether the target is in absolute form and names nobody.
  var lacksAuthority: Bool { authority?.isEmpty == true }

  /// The host and port that a target in absolute form names.
  var targetHost: UnsafeRawBufferPointer? { authority.map { UnsafeRawBufferPointer(rebasing: target.bytes[$0]) } }

  /// Whom the request is for, with the port: the authority of the target, else `Host` (RFC 9112, 3.2.2); nil when there is neither.
  var host: UnsafeRawBufferPointer? { targetHost ?? value(.host) }

  /// Whether the request has a body that is not empty, or is chunked.
  var announcesBody: Bool {
    count(.transferEncoding) > 0 || count(.contentLength) > 0 && declaredLength != 0
  }

  /// The name of the request: its own `X-Request-Id` when that is fit to be repeated, else the next of these.
  func requestID(orElse names: inout RequestIDs) -> String {
    if let id { return id }
    let name =
      if let given = value(.requestID), 1...128 ~= given.count, given.allSatisfy({ 0x21...0x7E ~= $0 }) {
        String(decoding: given, as: UTF8.self)
      } else {
        names.next()
      }
    id = name
    return name
  }

  /// Whether a body follows without being asked for: a client that waits for 100 Continue has sent none yet, and must not be
  /// told to go on.
  var bodyFollows: Bool { announcesBody && count(.expect) == 0 }
}

/// The method of a request.
public enum HTTPMethod: UInt8, CaseIterable, Hashable, Sendable {
  /// As its name says.
  case get, head, post, put, delete, options, patch
  /// Any other token.
  case other

  /// The method of that name, all its bytes and no more. Methods are case-sensitive (RFC 9110, 9.1).
  public init(_ name: UnsafeRawBufferPointer) {
    let candidates: (HTTPMethod, HTTPMethod)
    switch name.count {
    case 3: candidates = (.get, .put)
    case 4: candidates = (.post, .head)
    case 5: candidates = (.patch, .patch)
    case 6: candidates = (.delete, .delete)
    case 7: candidates = (.options, .options)
    default: candidates = (.other, .other)
    }
    self =
      name.isEqual(to: candidates.0.name) ? candidates.0 : name.isEqual(to: candidates.1.name) ? candidates.1 : .other
  }

  /// The name on the wire; empty for any other method.
  public var name: StaticString {
    switch self {
    case .get: "GET"
    case .head: "HEAD"
    case .post: "POST"
    case .put: "PUT"
    case .delete: "DELETE"
    case .options: "OPTIONS"
    case .patch: "PATCH"
    case .other: ""
    }
  }

  /// Some methods, such as those a resource takes: `[.get, .head]`. It never holds `other`.
  public struct Set: ExpressibleByArrayLiteral, Hashable, Sendable {
    @usableFromInline let bits: UInt8

    /// The set of these methods; `other` is left out.
    @inlinable
    public init(arrayLiteral methods: HTTPMethod...) {
      bits = methods.reduce(0) { $1 == .other ? $0 : $0 | 1 << $1.rawValue }
    }

    /// The set of these methods; `other` is left out.
    public init(_ methods: [HTTPMethod]) { bits = methods.reduce(0) { $0 | Set(arrayLiteral: $1).bits } }

    /// Whether the method is one of these.
    @inlinable
    public func contains(_ method: HTTPMethod) -> Bool { bits >> method.rawValue & 1 == 1 }

    /// The value of an `Allow` header (RFC 9110, 10.2.1).
    public var allow: String {
      HTTPMethod.allCases.filter(contains).map { "\($0.name)" }.joined(separator: ", ")
    }
  }
}

extension UnsafeRawBufferPointer {
  /// Whether the bytes are exactly that text.
  fileprivate func isEqual(to text: StaticString) -> Bool {
    guard let baseAddress else { return false }
    return count == text.utf8CodeUnitCount && count > 0 && memcmp(baseAddress, text.utf8Start, count) == 0
  }

  /// A number of one to eighteen digits.
  fileprivate var decimal: Int? {
    guard 1...18 ~= count else { return nil }
    var number = 0
    for digit in self {
      guard 0x30...0x39 ~= digit else { return nil }
      number = number * 10 + Int(digit - 0x30)
    }
    return number
  }
}

/// Makes names for requests: short enough for a `String` to hold in itself, so a name costs no allocation.
struct RequestIDs {
  /// Eight digits of it are different for each server, thread and run; seven count the requests.
  private var name: [UInt8]

  init() {
    name =
      (0..<8).map { _ in "0123456789abcdefghijklmnopqrstuvwxyz".utf8.randomElement() ?? 0x30 } + Array("0000000".utf8)
  }

  /// The next one, small letters and digits. After 78 billion requests the first is used again.
  mutating func next() -> String {
    var place = name.count - 1
    while place >= 8, name[place] == UInt8(ascii: "z") {
      name[place] = UInt8(ascii: "0")
      place -= 1
    }
    if place >= 8 { name[place] = name[place] == UInt8(ascii: "9") ? UInt8(ascii: "a") : name[place] + 1 }
    return name.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
  }
}
