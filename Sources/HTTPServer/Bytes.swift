import CLinux
import Reactor

/// What an exchange keeps in memory for its client: the body on its way in, and the answer on its way out. Both count in the
/// server's budget.
final class ExchangeBytes {
  private let content = ReusedBytes()
  private let answer = ReusedBytes()
  /// Who keeps the bytes of the answer, when they are not copied.
  private var answerOwner: AnyObject?
  /// What is left of a piece of a stream that the kernel did not take whole.
  private(set) var rest = UnsafeRawBufferPointer(start: nil, count: 0)
  private let share: MemoryShare

  init(in budget: MemoryBudget) { share = MemoryShare(of: budget) }

  /// The body as far as it has arrived.
  var body: UnsafeRawBufferPointer { content.bytes }

  /// Appends a piece of the body. What the request is refused for, with nothing changed, when the body or the chunk that begins with the
  /// piece is longer than the limit, or there is no memory.
  func append(_ piece: UnsafeRawBufferPointer, of head: RequestHead, upTo limit: Int) -> Rejection? {
    let chunk = head.count(.transferEncoding) > 0 ? ChunkLine.size(before: piece) ?? 0 : 0
    guard max(UInt64(piece.count), chunk) <= UInt64(limit - body.count) else { return .bodyTooLarge(limit) }
    let length = head.declaredLength
    guard share.hold(content.capacity(appending: piece.count, atMost: length)) else { return .memory }
    content.append(piece, atMost: length)
    return nil
  }

  /// Whether the body stays until this is false again, or all is forgotten.
  var isBodyHeld = false {
    didSet { if oldValue, !isBodyHeld { clearBody() } }
  }

  /// Forgets the body, unless it is held.
  func clearBody() {
    if isBodyHeld { return }
    content.clear()
    share.force(answer.capacity)
  }

  /// Copies an answer, or holds the owner that keeps it, and counts it in the memory: it stays where it is until `clear()`.
  func keep(_ body: UnsafeRawBufferPointer, by owner: AnyObject?) -> UnsafeRawBufferPointer {
    answer.clear()
    if let owner {
      answerOwner = owner
      share.force(content.capacity)
      return body
    }
    answer.append(body)
    share.force(content.capacity + answer.capacity)
    return answer.bytes
  }

  /// Copies what is left of a piece of a stream.
  func keepRest(_ rest: UnsafeRawBufferPointer) { self.rest = keep(rest, by: nil) }

  /// So many bytes of the rest were taken.
  func restTaken(_ count: Int) {
    rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
    guard rest.isEmpty else { return }
    answer.clear(keeping: 0)
    share.force(content.capacity)
  }

  /// Forgets all.
  func clear() {
    isBodyHeld = false
    content.clear()
    answer.clear()
    answerOwner = nil
    rest = UnsafeRawBufferPointer(start: nil, count: 0)
    share.force(0)
  }
}

/// Where libmicrohttpd keeps the head of a connection's request, and what it has read of the next.
///
/// Nothing that the library tells says where that is. But the line of the first request stands at the start, when no empty lines come
/// before it. When a request has ended, the library moves to the start what it holds, and fills the rest with zeros. It frees
/// the memory when it closes the connection (`Daemon.Connection.isClosed`), and may tell that later.
struct ConnectionMemory {
  private let size: Int
  private let beginsWithLine: Bool
  private var start: UnsafeRawPointer?

  /// The memory of a connection that is opened: it has that many bytes, and `beginsWithLine` says that no empty lines come first.
  init(size: Int, beginsWithLine: Bool) {
    self.size = size
    self.beginsWithLine = beginsWithLine
  }

  /// A request's line is there.
  mutating func began(_ line: RequestHead.Line) {
    guard let place = line.method.baseAddress else { return }
    start = start.map { min($0, place) } ?? place
  }

  /// Gives whole pages back to the system, which has zeros for whoever touches them again. False, with nothing done, when the memory
  /// holds bytes of a request whose line is not complete, other than empty lines. Only between requests.
  func giveBack() -> Bool {
    guard let start else { return true }
    guard UnsafeRawBufferPointer(start: start, count: 16).allSatisfy({ $0 <= UInt8(ascii: "\r") }) else { return false }
    if beginsWithLine { clinux_give_back_zeros(start, size) }
    return true
  }
}

/// Bytes that grow by doubling; the memory is kept from request to request.
final class ReusedBytes {
  private var base: UnsafeMutableRawPointer?
  private(set) var capacity = 0
  private(set) var count = 0

  deinit { base?.deallocate() }

  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

  /// The capacity after that many bytes more. It doubles, but not beyond `limit` while that is enough.
  func capacity(appending bytes: Int, atMost limit: Int? = nil) -> Int {
    let needed = count + bytes
    return needed <= capacity ? capacity : max(needed, min(max(2 * capacity, 256), limit ?? .max))
  }

  func append(_ source: UnsafeRawBufferPointer, atMost limit: Int? = nil) {
    guard let start = source.baseAddress else { return }
    let wanted = capacity(appending: source.count, atMost: limit)
    if wanted > capacity { grow(to: wanted) }
    base?.advanced(by: count).copyMemory(from: start, byteCount: source.count)
    count += source.count
  }

  func append(_ text: StaticString) { append(text.bytes) }

  func append(text: String) { text.utf8.span.withUnsafeBytes { append($0) } }

  /// Empties it, and gives the memory back when it is more than that.
  func clear(keeping limit: Int = 4 << 10) {
    count = 0
    guard capacity > limit else { return }
    base?.deallocate()
    base = nil
    capacity = 0
  }

  private func grow(to wanted: Int) {
    let larger = UnsafeMutableRawPointer.allocate(byteCount: wanted, alignment: 16)
    if let base {
      larger.copyMemory(from: base, byteCount: count)
      base.deallocate()
    }
    base = larger
    capacity = wanted
  }
}

extension ReusedBytes {
  /// Appends a header line, with its end.
  func appendLine(_ name: StaticString, _ value: StaticString) {
    append(name)
    append(": ")
    append(value)
    append("\r\n")
  }

  /// Appends a header line, with its end.
  func appendLine(_ name: StaticString, _ value: String) {
    append(name)
    append(": ")
    append(text: value)
    append("\r\n")
  }
}

/// The bytes of a header's value, compared and trimmed as HTTP wants it.
extension UnsafeRawBufferPointer {
  /// Whether the bytes are that text, its letters in any case. The text is in small letters.
  package func isCaseless(_ text: StaticString) -> Bool {
    isCaseless(text.bytes)
  }

  /// Whether the bytes are those, their letters in any case. Those are in small letters.
  package func isCaseless(_ text: UnsafeRawBufferPointer) -> Bool {
    guard count == text.count else { return false }
    for index in 0..<count {
      let byte = self[index]
      if (0x41...0x5A ~= byte ? byte | 0x20 : byte) != text[index] { return false }
    }
    return true
  }

  /// Whether the bytes begin with that text, its letters in any case. The text is in small letters.
  package func hasCaselessPrefix(_ text: StaticString) -> Bool {
    count >= text.utf8CodeUnitCount
      && UnsafeRawBufferPointer(rebasing: prefix(text.utf8CodeUnitCount)).isCaseless(text)
  }

  /// Whether the bytes end with that text, its letters in any case. The text is in small letters.
  package func hasCaselessSuffix(_ text: StaticString) -> Bool {
    count >= text.utf8CodeUnitCount
      && UnsafeRawBufferPointer(rebasing: suffix(text.utf8CodeUnitCount)).isCaseless(text)
  }

  /// The bytes without the blanks and tabulators around them.
  package var trimmed: UnsafeRawBufferPointer {
    var (start, end) = (0, count)
    while start < end, self[start].isBlank { start += 1 }
    while end > start, self[end - 1].isBlank { end -= 1 }
    return UnsafeRawBufferPointer(rebasing: self[start..<end])
  }
}

extension UInt8 {
  /// Whether it is a blank or a tabulator, the optional white space of HTTP (RFC 9110, 5.6.3).
  var isBlank: Bool { self == 0x20 || self == 0x09 }
}

extension StaticString {
  /// Its bytes, which live as long as the process.
  package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: utf8Start, count: utf8CodeUnitCount) }
}
