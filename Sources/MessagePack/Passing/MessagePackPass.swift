/// One pass over MessagePack that is copied as it is, but for what may not pass: that is refused or written anew.
///
/// Bytes are copied in runs: all at once when nothing is written anew.
struct MessagePackPass: ~Copyable {
  enum Direction {
    /// From a client, by these rules.
    case toService(ExtensionRules)
    /// From a service.
    case toClient
  }

  /// An open container. A map's `left` counts keys and values, so that an even number left means a key comes next.
  private struct Frame: BitwiseCopyable {
    var left: UInt32
    var count: UInt32
    var isMap: Bool
    /// Where the latest key stands in the source.
    var key: UInt32 = 0
    var firstKey: UInt32 = 0
  }

  /// Memory lent to a pass, and how much of it is for the frames; the keys have the rest. Small documents need no more.
  private static let lentBytes = 1_024
  private static let lentToFrames = 320

  private let start: UnsafePointer<UInt8>
  private let end: UnsafePointer<UInt8>
  private let direction: Direction
  private let limits: TranscodingLimits
  private let isToService: Bool

  private var frames: BorrowedStack<Frame>
  private var keys: SeenKeys
  private var frame = Frame(left: 1, count: 1, isMap: false)
  /// How much of the source is in the buffer.
  private var copied = 0
  private var hasBinaryKeys = false

  /// Appends the one value that fills `bytes`; tells whether a key in it is binary. Throws with the buffer as it was before.
  static func run(
    _ bytes: UnsafeRawBufferPointer, _ direction: Direction, _ limits: TranscodingLimits, _ buffer: inout ByteBuffer
  ) throws(TranscodingError) -> Bool {
    guard bytes.count <= TranscodingLimits.largestDocument else { throw TranscodingFault(.tooLarge, 0).error() }
    return try withUnsafeTemporaryAllocation(byteCount: lentBytes, alignment: 8) { memory throws(TranscodingError) in
      var pass = MessagePackPass(
        bytes, direction, limits, frames: UnsafeMutableRawBufferPointer(rebasing: memory[..<lentToFrames]),
        keys: UnsafeMutableRawBufferPointer(rebasing: memory[lentToFrames...]))
      let before = buffer.count
      do throws(TranscodingFault) {
        try pass.read(&buffer)
        return pass.hasBinaryKeys
      } catch {
        buffer.truncate(to: before)
        throw error.error { pass.pointer(error) }
      }
    }
  }

  private init(
    _ bytes: UnsafeRawBufferPointer, _ direction: Direction, _ limits: TranscodingLimits,
    frames: UnsafeMutableRawBufferPointer, keys: UnsafeMutableRawBufferPointer
  ) {
    start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) ?? Cursor.nowhere
    end = start + bytes.count
    self.direction = direction
    self.limits = limits
    isToService = if case .toService = direction { true } else { false }
    self.frames = BorrowedStack(in: frames)
    self.keys = SeenKeys(in: keys)
  }

  private mutating func read(_ buffer: inout ByteBuffer) throws(TranscodingFault) {
    var cursor = Cursor(start: start, end: end, at: start, left: limits.elements)
    repeat {
      let at = cursor.offset
      let isKey = frame.isMap && frame.left & 1 == 0
      if isKey { frame.key = UInt32(truncatingIfNeeded: at) }
      switch try cursor.token() {
      case .array(let count):
        if isKey, isToService { throw TranscodingFault(.keyType, at) }
        try open(count, isMap: false, at)
      case .map(let count):
        if isKey, isToService { throw TranscodingFault(.keyType, at) }
        try open(count, isMap: true, at)
      case .string(let text):
        if isToService {
          guard UTF8Sequence.isValid(text) else { throw TranscodingFault(.textNotUTF8, at) }
          if isKey { try add(key: text, isBinary: false, at) }
        }
        frame.left &-= 1
      case .binary(let bytes):
        if isKey, isToService {
          hasBinaryKeys = true
          try add(key: bytes, isBinary: true, at)
        }
        frame.left &-= 1
      case .extension(let code, let payload):
        if isKey, isToService { throw TranscodingFault(.keyType, at) }
        try extended(code, payload, at..<cursor.offset, &buffer)
        frame.left &-= 1
      default:
        if isKey, isToService { throw TranscodingFault(.keyType, at) }
        frame.left &-= 1
      }
      while frame.left == 0, frames.count > 0 { try close() }
    } while frame.left > 0
    guard cursor.isAtEnd else { throw TranscodingFault(.trailingBytes, cursor.offset) }
    copy(to: cursor.offset, &buffer)
  }

  private mutating func open(_ count: Int, isMap: Bool, _ at: Int) throws(TranscodingFault) {
    if frames.count == limits.depth { throw TranscodingFault(.tooDeep, at) }
    let members = UInt32(truncatingIfNeeded: isMap ? 2 * count : count)
    frames.append(frame)
    frame = Frame(
      left: members, count: members, isMap: isMap, firstKey: UInt32(truncatingIfNeeded: keys.entries.count))
  }

  /// Ends the innermost container, which is then a member of the next.
  private mutating func close() throws(TranscodingFault) {
    if isToService, frame.isMap {
      let first = Int(frame.firstKey)
      if let index = keys.duplicate(from: first, UnsafeMutablePointer(mutating: start)) {
        // The pointer names it as the latest key.
        frame.key = keys.entries[index].source
        throw TranscodingFault(.repeatedKey, Int(frame.key))
      }
      keys.entries.truncate(to: first)
    }
    frame = frames.removeLast()
    frame.left &-= 1
  }

  private mutating func add(key: UnsafeRawBufferPointer, isBinary: Bool, _ at: Int) throws(TranscodingFault) {
    let fresh = keys.add(
      key, isBinary: isBinary, from: start, until: end, source: at, first: Int(frame.firstKey))
    if !fresh { throw TranscodingFault(.repeatedKey, at) }
  }

  /// Lets an extension pass, refuses it, or writes what stands for it.
  private mutating func extended(
    _ code: Int8, _ payload: UnsafeRawBufferPointer, _ place: Range<Int>, _ buffer: inout ByteBuffer
  ) throws(TranscodingFault) {
    switch direction {
    case .toService(let rules):
      switch code {
      case 123...:
        guard rules.picklesDates, let date = PickledDate(code: code, payload: payload) else {
          throw TranscodingFault(.pickledExtension, place.lowerBound)
        }
        skip(place, &buffer)
        date.pickle.withUnsafeBytes { buffer.appendExtension(code, $0) }
      case -1: if Timestamp(payload: payload) == nil { throw TranscodingFault(.badMoment, place.lowerBound) }
      default: if !rules.lists(code) { throw TranscodingFault(.unlistedExtension, place.lowerBound) }
      }
    case .toClient:
      guard code >= 123 else { return }
      skip(place, &buffer)
      if let date = PickledDate(code: code, payload: payload) {
        buffer.appendString(date.text)
      } else {
        buffer.appendMapHeader(1)
        buffer.appendString("$ext")
        buffer.appendArrayHeader(2)
        // As an integer, each of these codes is one byte.
        buffer.append(UInt8(code))
        buffer.appendBinary(payload)
      }
    }
  }

  /// Copies what comes before a place, and goes on behind it.
  private mutating func skip(_ place: Range<Int>, _ buffer: inout ByteBuffer) {
    copy(to: place.lowerBound, &buffer)
    copied = place.upperBound
  }

  private mutating func copy(to offset: Int, _ buffer: inout ByteBuffer) {
    buffer.append(UnsafeRawBufferPointer(start: start + copied, count: offset - copied))
    copied = offset
  }

  /// The RFC 6901 pointer, into the JSON form of the document, to the value that `fault` belongs to; of a key that is refused, but for
  /// one that comes twice, to its map.
  private func pointer(_ fault: TranscodingFault) -> String {
    var pointer = ""
    // The stack holds the parents of the innermost frame, the root (which has no members to name) first.
    for level in 0..<frames.count {
      let inner = level + 1 < frames.count ? frames[level + 1] : frame
      if !inner.isMap {
        pointer += "/\(inner.count - inner.left)"
      } else if inner.left & 1 != 0 || fault.kind == .repeatedKey {
        append(key: start + Int(inner.key), &pointer)
      }
    }
    return pointer
  }

  /// Adds the key at `at`; one that is no string is named by its JSON text.
  private func append(key at: UnsafePointer<UInt8>, _ pointer: inout String) {
    var cursor = Cursor(start: at, end: end, at: at, left: limits.elements)
    if case .string(let text)? = try? cursor.token() { return JSONPointer.append(text, &pointer) }
    cursor = Cursor(start: at, end: end, at: at, left: limits.elements)
    guard (try? cursor.skip()) != nil else { return }
    var text = ByteBuffer()
    let key = UnsafeRawBufferPointer(start: at, count: cursor.offset)
    guard (try? MessagePackToJSON(limits: limits).transcode(key, into: &text)) != nil else { return }
    text.withUnsafeBytes { JSONPointer.append($0, &pointer) }
  }
}
