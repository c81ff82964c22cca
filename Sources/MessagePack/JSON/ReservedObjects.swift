/// The keys that say what the one member of an object stands for (`{"$bin":"<base64>"}` is binary data, for instance).
enum ReservedKey {
  case binary, `extension`, pairs, timestamp
  case date(DateText.Kind)

  /// The reserved key that `text` spells, if any.
  init?(_ text: UnsafePointer<UInt8>, _ count: Int) {
    guard count >= 4, text[0] == UInt8(ascii: "$") else { return nil }
    if ByteWord.equal(text, count, "$bin") {
      self = .binary
    } else if ByteWord.equal(text, count, "$ext") {
      self = .extension
    } else if ByteWord.equal(text, count, "$map") {
      self = .pairs
    } else if ByteWord.equal(text, count, "$timestamp") {
      self = .timestamp
    } else if ByteWord.equal(text, count, "$datetime") {
      self = .date(.datetime)
    } else if ByteWord.equal(text, count, "$date") {
      self = .date(.date)
    } else if ByteWord.equal(text, count, "$time") {
      self = .date(.time)
    } else if ByteWord.equal(text, count, "$timedelta") {
      self = .date(.timedelta)
    } else {
      return nil
    }
  }
}

/// Objects with one member whose key is reserved, turned in place into what they stand for when they close.
///
/// Every such value but a date is shorter than the map it was first written as, so the bytes only move down. A date is read to its
/// end before it is written, and there is room for it.
extension JSONParser {
  /// Converts the map at `header`, whose one key is `key` and whose value ends at `out`; nil when the key is ordinary.
  @inline(never) mutating func reserved(
    _ key: SeenKeys.Entry, _ header: UnsafeMutablePointer<UInt8>, _ out: UnsafeMutablePointer<UInt8>
  ) throws(TranscodingFault) -> UnsafeMutablePointer<UInt8>? {
    let name = output + Int(key.offset)
    let value = name + Int(key.length)
    let source = Int(key.source)
    switch ReservedKey(name, Int(key.length)) {
    case .binary?: return try binary(value, out, header, source)
    case .pairs?: return try pairs(value, out, header, source)
    case .timestamp?: return try timestamp(value, out, header, source)
    case .extension?: return try extended(value, out, header, source)
    case .date(let kind)?: return try date(kind, value, out, header, source)
    case nil: return nil
    }
  }

  private func cursor(
    _ from: UnsafeMutablePointer<UInt8>, _ to: UnsafeMutablePointer<UInt8>
  ) -> Cursor {
    Cursor(UnsafeRawBufferPointer(start: from, count: to - from), limits: .unbounded)
  }

  private func binary(
    _ value: UnsafeMutablePointer<UInt8>, _ end: UnsafeMutablePointer<UInt8>,
    _ header: UnsafeMutablePointer<UInt8>, _ source: Int
  ) throws(TranscodingFault) -> UnsafeMutablePointer<UInt8> {
    var cursor = cursor(value, end)
    guard case .string(let text) = try cursor.token(), let size = Base64.decodedCount(text) else {
      throw TranscodingFault(.badBase64, source)
    }
    let body = MessagePackWriter.binaryHeader(size, header)
    guard Base64.decode(text, body) else { throw TranscodingFault(.badBase64, source) }
    return body + size
  }

  private func timestamp(
    _ value: UnsafeMutablePointer<UInt8>, _ end: UnsafeMutablePointer<UInt8>,
    _ header: UnsafeMutablePointer<UInt8>, _ source: Int
  ) throws(TranscodingFault) -> UnsafeMutablePointer<UInt8> {
    var cursor = cursor(value, end)
    guard case .string(let text) = try cursor.token(), let time = Timestamp(text: text) else {
      throw TranscodingFault(.badTimestamp, source)
    }
    return time.write(header)
  }

  private func date(
    _ kind: DateText.Kind, _ value: UnsafeMutablePointer<UInt8>, _ end: UnsafeMutablePointer<UInt8>,
    _ header: UnsafeMutablePointer<UInt8>, _ source: Int
  ) throws(TranscodingFault) -> UnsafeMutablePointer<UInt8> {
    guard extensions.picklesDates else { throw TranscodingFault(.dateTypes, source) }
    var cursor = cursor(value, end)
    guard case .string(let text) = try cursor.token(), let date = DateText.read(text, as: kind) else {
      throw TranscodingFault(.badDate, source)
    }
    let pickle = date.pickle
    let body = MessagePackWriter.extensionHeader(date.code, pickle.count, header)
    pickle.withUnsafeBytes { UnsafeMutableRawBufferPointer(start: body, count: $0.count).copyMemory(from: $0) }
    return body + pickle.count
  }

  /// `[code, "<base64>"]`, or `[code, {"text":"..."}]` for a payload that is text.
  private func extended(
    _ value: UnsafeMutablePointer<UInt8>, _ end: UnsafeMutablePointer<UInt8>,
    _ header: UnsafeMutablePointer<UInt8>, _ source: Int
  ) throws(TranscodingFault) -> UnsafeMutablePointer<UInt8> {
    var cursor = cursor(value, end)
    guard case .array(2) = try cursor.token(), case .int(let number) = try cursor.token(),
      let code = Int8(exactly: number)
    else { throw TranscodingFault(.badExtension, source) }
    if code >= 123 { throw TranscodingFault(.pickledExtension, source) }
    if code == -1 { throw TranscodingFault(.timestampExtension, source) }
    if !extensions.lists(code) { throw TranscodingFault(.unlistedExtension, source) }
    switch try cursor.token() {
    case .string(let text):
      guard let size = Base64.decodedCount(text) else { throw TranscodingFault(.badExtension, source) }
      let body = MessagePackWriter.extensionHeader(code, size, header)
      guard Base64.decode(text, body) else { throw TranscodingFault(.badExtension, source) }
      return body + size
    case .map(1):
      guard case .string(let key) = try cursor.token(), key.elementsEqual("text".utf8),
        case .string(let text) = try cursor.token()
      else { throw TranscodingFault(.badExtension, source) }
      let body = MessagePackWriter.extensionHeader(code, text.count, header)
      UnsafeMutableRawBufferPointer(start: body, count: text.count).copyMemory(from: text)
      return body + text.count
    default: throw TranscodingFault(.badExtension, source)
    }
  }

  /// `[[key, value], ...]` to a map: each pair loses its array header.
  private mutating func pairs(
    _ value: UnsafeMutablePointer<UInt8>, _ end: UnsafeMutablePointer<UInt8>,
    _ header: UnsafeMutablePointer<UInt8>, _ source: Int
  ) throws(TranscodingFault) -> UnsafeMutablePointer<UInt8> {
    var cursor = cursor(value, end)
    guard case .array(let count) = try cursor.token() else { throw TranscodingFault(.badPairs, source) }
    var out = MessagePackWriter.mapHeader(count, header)
    let first = keys.entries.count
    for pair in 0..<count {
      guard case .array(2) = try cursor.token() else { throw TranscodingFault(.badPairs, source, pair: pair) }
      let from = cursor.offset
      guard case .string(let text) = try cursor.token() else { throw TranscodingFault(.badPairKey, source, pair: pair) }
      let headerSize = cursor.offset - from - text.count
      try cursor.skip()
      let size = cursor.offset - from
      // The source lies behind the target, by one byte at least for each pair already moved.
      UnsafeMutableRawPointer(out).copyMemory(from: value + from, byteCount: size)
      let fresh = keys.add(
        output, offset: out - output + headerSize, length: text.count, source: source, first: first)
      if !fresh { throw TranscodingFault(.duplicatePairKey, source, pair: pair) }
      out += size
    }
    if let index = keys.duplicate(from: first, output) {
      throw TranscodingFault(.duplicatePairKey, source, pair: index - first)
    }
    keys.entries.truncate(to: first)
    return out
  }
}
