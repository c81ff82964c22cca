import Support
import Testing

@testable import HTTPServer

@Suite("The validation of a request's head", .inTurn(minutes: 3))
struct HeadValidatorTests {
  static let sound = "POST /rpc/calc/add?x=1 HTTP/1.1\r\nHost: a\r\nX: b c\r\nContent-Length:\t5\r\nAccept: x \r\n\r\n"

  @Test("refuses what the server refuses", arguments: RefusalTests.forms.filter { $0.status != 413 })
  func refused(form: RefusalTests.Case) {
    #expect(HeadInMemory(form.request).rejection()?.status == form.status)
  }

  @Test("passes what the server serves", arguments: RefusalTests.fine)
  func fine(form: RefusalTests.Case) {
    #expect(HeadInMemory(form.request).rejection() == nil)
  }

  @Test("finds method, version, target and known headers")
  func found() {
    HeadInMemory(Self.sound).validate { rejection, head in
      #expect(rejection == nil)
      let (method, isHTTP10, length, bodyFollows) = (head.method, head.isHTTP10, head.declaredLength, head.bodyFollows)
      #expect(method == .post)
      #expect(!isHTTP10)
      #expect(length == 5)
      #expect(bodyFollows)
      let target = String(decoding: head.wholeTarget, as: UTF8.self)
      #expect(target == "/rpc/calc/add?x=1")
      #expect(head.value(.accept)?.elementsEqual("x".utf8) == true)
      #expect(head.count(.host) == 1)
      #expect(head.value(.origin) == nil)
    }
  }

  @Test(
    "a length is a number of at most 18 digits",
    arguments: [
      ("0", 0), ("5", 5), ("0005", 5), ("999999999999999999", 999_999_999_999_999_999), ("1000000000000000000", nil),
      ("", nil), ("-1", nil), ("+1", nil), ("5 5", nil), ("0x5", nil), ("5,5", nil),
    ])
  func length(text: String, expected: Int?) {
    HeadInMemory(get("/", "Content-Length: \(text)\r\n")).validate { rejection, head in
      let (length, bodyFollows) = (head.declaredLength, head.bodyFollows)
      #expect(length == expected)
      #expect((rejection == nil) == (expected != nil))
      #expect(bodyFollows == (expected != 0))
    }
  }

  @Test("the limits of target, headers and lines are exact")
  func limits() {
    let head = HeadInMemory("GET /34567890 HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n")
    #expect(head.rejection(targetLimit: 9, headersLimit: 15) == nil)
    #expect(head.rejection(targetLimit: 8, headersLimit: 15)?.code == .targetTooLong)
    #expect(head.rejection(targetLimit: 9, headersLimit: 14)?.code == .headersTooLarge)
    let most = (1..<HeadValidator.lineLimit).map { "X\($0): y\r\n" }.joined()
    #expect(HeadInMemory(get("/", most)).rejection() == nil)
    #expect(HeadInMemory(get("/", most + "Y: y\r\n")).rejection()?.code == .headersTooLarge)
  }

  /// What has no place in a sound head: each is put over each byte and before each byte.
  static let strange: [UInt8] = [0, 0x0A, 0x0D, 0x20, 0x09, 0x3A, 0x7F]

  @Test("no change of a single byte brings a head through that has another form", arguments: strange)
  func changed(byte: UInt8) {
    let sound = Array(Self.sound.utf8)
    for index in sound.indices {
      for isInserted in [false, true] {
        // A NUL in the place of CR looks as the library's own: no address tells them apart.
        if byte == 0, !isInserted, sound[index] == 0x0D { continue }
        var head = sound
        if isInserted { head.insert(byte, at: index) } else { head[index] = byte }
        guard HeadInMemory(head).rejection() == nil else { continue }
        #expect(isSound(head), "\(String(decoding: head, as: UTF8.self).debugDescription)")
      }
    }
  }

  /// The grammar of RFC 9112 by another road.
  private func isSound(_ head: [UInt8]) -> Bool {
    let line = /[!-~&&[^\/]]+ \/[!-~]* HTTP\/1\.[01]\r\n/
    let field = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t -~]*\r\n/
    // Empty lines before a request are allowed (RFC 9112, 2.2), and what follows the head is no part of it.
    var rest = String(decoding: head.drop { $0 == 0x0D || $0 == 0x0A }, as: Unicode.ASCII.self)[...]
    guard let first = rest.prefixMatch(of: line.matchingSemantics(.unicodeScalar)) else { return false }
    rest = rest[first.range.upperBound...]
    while let next = rest.prefixMatch(of: field.matchingSemantics(.unicodeScalar)) {
      rest = rest[next.range.upperBound...]
    }
    return rest.unicodeScalars.starts(with: "\r\n".unicodeScalars)
  }

  @Test("a header that does not stand where the last one ended is refused")
  func layout() {
    let head = HeadInMemory(Self.sound)
    for index in head.fields.indices {
      for shift in [-1, 1] {
        var fields = head.fields
        fields[index].name = fields[index].name.lowerBound + shift..<fields[index].name.upperBound + shift
        #expect(head.rejection(fields: fields)?.code == .badRequest)
      }
      var fields = head.fields
      fields.remove(at: index)
      #expect(head.rejection(fields: fields)?.code == .badRequest)
    }
  }

  @Test("the query is hidden behind its question mark", arguments: ["/a?b=c?d", "/a?", "/a", ""])
  func query(target: String) {
    var bytes = Array(target.utf8) + [0]
    bytes.withUnsafeMutableBytes { InPlaceLayout.hideQuery(of: .init(rebasing: $0.dropLast())) }
    let seen = String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    #expect(seen == target.prefix { $0 != "?" } + (target.contains("?") ? "?" : ""))
  }
}

/// A request's head in memory as libmicrohttpd leaves it: taken apart in place, with a NUL behind each part.
private final class HeadInMemory {
  /// Where a header's name and value stand.
  struct Field {
    var name: Range<Int>
    var value: Range<Int>
  }

  private let memory: UnsafeMutableRawBufferPointer
  private var method = 0..<0
  private var target = 0..<0
  private var rawTarget: [UInt8] = []
  private var version = 0..<0
  private(set) var fields: [Field] = []
  private var size = 0
  /// The library closes the connection by itself.
  private var isClosed = false

  convenience init(_ text: String) { self.init(Array(text.utf8)) }

  init(_ bytes: [UInt8]) {
    // Empty lines before a request are skipped.
    let bytes = Array(bytes.drop { $0 == 0x0D || $0 == 0x0A })
    memory = .allocate(byteCount: bytes.count + 16, alignment: 1)
    memory.initializeMemory(as: UInt8.self, repeating: 0)
    memory.copyBytes(from: bytes)
    takeApart()
  }

  deinit { memory.deallocate() }

  private func takeApart() {
    var position = 0
    takeLine(nextLine(&position))
    while true {
      let line = nextLine(&position)
      if line.isEmpty || isClosed { break }
      guard let colon = line.first(where: { memory[$0] == 0x3A }) else { return isClosed = true }
      memory[colon] = 0
      let start = line[(colon + 1)...].first { memory[$0] != 0x20 && memory[$0] != 0x09 } ?? line.upperBound
      fields.append(Field(name: text(from: line.lowerBound), value: text(from: start)))
    }
    size = position
  }

  private func takeLine(_ line: Range<Int>) {
    guard let blank = line.first(where: { memory[$0] == 0x20 }), let last = line.last(where: { memory[$0] == 0x20 })
    else { return isClosed = true }
    memory[blank] = 0
    method = text(from: line.lowerBound)
    let start = line[(blank + 1)...].first { memory[$0] != 0x20 } ?? line.upperBound
    memory[last] = 0
    target = text(from: start)
    rawTarget = Array(memory[target])
    version = text(from: last + 1)
    if version.count != RequestHead.Line.versionLength { isClosed = true }
  }

  /// Up to CR LF or LF, which become NULs; a CR elsewhere stays.
  private func nextLine(_ position: inout Int) -> Range<Int> {
    let start = position
    guard let feed = memory[start...].firstIndex(of: 0x0A) else {
      isClosed = true
      return start..<start
    }
    position = feed
    memory[position] = 0
    var end = position
    if end > start, memory[end - 1] == 0x0D {
      end -= 1
      memory[end] = 0
    }
    position += 1
    return start..<end
  }

  private func text(from start: Int) -> Range<Int> {
    start..<(memory[start...].firstIndex(of: 0) ?? memory.count)
  }

  private func bytes(_ range: Range<Int>) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(memory)[range])
  }

  func rejection(targetLimit: Int = 8 << 10, headersLimit: Int = 16 << 10, fields: [Field]? = nil) -> Rejection? {
    if isClosed { return .bad("not understood by the library") }
    return validate(targetLimit: targetLimit, headersLimit: headersLimit, fields: fields) { rejection, _ in rejection }
  }

  /// Validates the head, and lends it with what was found.
  func validate<Result>(
    targetLimit: Int = 8 << 10, headersLimit: Int = 16 << 10, fields: [Field]? = nil,
    _ body: (Rejection?, RequestHead) -> Result
  ) -> Result {
    guard let start = memory.baseAddress else { fatalError("a request has bytes") }
    let head = RequestHead()
    rawTarget.withUnsafeBytes { head.begin(target: $0) }
    let line = RequestHead.Line(
      method: bytes(method), target: UnsafeRawPointer(start + target.lowerBound), version: bytes(version))
    head.read(line)
    let rejection = HeadValidator.rejection(
      of: head, line, size: size,
      rules: .init(strictness: .lenient, acceptsChunked: true, targetLimit: targetLimit, headersLimit: headersLimit)
    ) { validator in
      for field in fields ?? self.fields where !validator.take(bytes(field.name), bytes(field.value)) { break }
    }
    return body(rejection, head)
  }
}
