/// One pass from JSON text to MessagePack bytes: its positions, the open containers and their keys.
///
/// Output never passes `3 × input + slack` (a float such as `1e9` grows most; where dates are pickled it is 4, for
/// `{"$time":"00:00:00Z"}`), so room for all of it is made beforehand and nothing is checked while writing. The hot loop keeps its positions in local variables: a store through a byte
/// pointer may alias a field, so fields would be read again after each.
struct JSONParser: ~Copyable {
  /// An open container: where its header byte stands in the output, how many members are complete, its first key.
  struct Frame: BitwiseCopyable {
    var header: UInt32
    var count: UInt32
    var firstKey: UInt32
    var isObject: Bool
  }

  /// Bytes of output that writing eight at a time may touch beyond the exact bound.
  static let slack = 32
  /// Memory lent to a pass, and how much of it is for the frames; the keys have the rest. Small documents need no more.
  static let lentBytes = 1_024
  static let lentToFrames = 256

  let start: UnsafePointer<UInt8>
  let end: UnsafePointer<UInt8>
  let output: UnsafeMutablePointer<UInt8>
  let limits: TranscodingLimits
  let extensions: ExtensionRules

  var frames: BorrowedStack<Frame>
  var keys: SeenKeys
  /// The innermost frame when the pass ends; the root frame, of depth 0, after success.
  var frame = Frame(header: 0, count: 0, firstKey: 0, isObject: false)

  /// Where in the output the first key and the last of the outermost object lie, noted when it closes; empty for other values.
  private(set) var firstKey: Range<UInt32> = 0..<0
  private(set) var lastKey: Range<UInt32> = 0..<0

  /// Reads the whole text; gives the number of bytes written.
  mutating func run() throws(TranscodingFault) -> Int {
    var current = frame
    do throws(TranscodingFault) {
      return try read(&current)
    } catch {
      frame = current
      throw error
    }
  }

  @inline(__always) private mutating func read(_ frame: inout Frame) throws(TranscodingFault) -> Int {
    var p = start
    var out = output
    var depth = 0
    var elements = 0
    let (maximumDepth, maximumElements) = (limits.depth, limits.elements)

    value: while true {
      if frame.isObject {
        elements &+= 1
        guard try next(&p) == UInt8(ascii: "\"") else { throw TranscodingFault(.missingKey, p - start) }
        let source = p - start
        p += 1
        let header = out
        try string(&p, &out)
        let size = out - header
        let headerSize = MessagePackWriter.stringHeaderSize(ofWhole: size)
        let fresh = keys.add(
          output, offset: header - output + headerSize, length: size - headerSize, source: source,
          first: Int(frame.firstKey))
        if !fresh { throw TranscodingFault(.duplicateKey, source) }
        guard try next(&p) == UInt8(ascii: ":") else { throw TranscodingFault(.missingColon, p - start) }
        p += 1
      }
      elements &+= 1
      if elements > maximumElements { throw TranscodingFault(.tooManyElements, p - start) }
      switch try next(&p) {
      case UInt8(ascii: "\""):
        p += 1
        try string(&p, &out)
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        let isObject = p.pointee == UInt8(ascii: "{")
        if depth == maximumDepth { throw TranscodingFault(.tooDeep, p - start) }
        depth &+= 1
        frames.append(frame)
        frame = Frame(
          header: UInt32(truncatingIfNeeded: out - output), count: 0,
          firstKey: UInt32(truncatingIfNeeded: keys.entries.count), isObject: isObject)
        out.pointee = isObject ? 0x80 : 0x90
        out += 1
        p += 1
        // ASCII: the closing bracket follows the opening one by two.
        guard try next(&p) == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else { continue value }
        p += 1
        depth &-= 1
        frame = frames.removeLast()
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
        try number(&p, &out)
      case UInt8(ascii: "t"):
        out.pointee = 0xc3
        try literal("true", &p, &out)
      case UInt8(ascii: "f"):
        out.pointee = 0xc2
        try literal("false", &p, &out)
      case UInt8(ascii: "n"):
        out.pointee = 0xc0
        try literal("null", &p, &out)
      default:
        throw TranscodingFault(badStart(p), p - start)
      }

      while true {
        frame.count &+= 1
        if depth == 0 { break value }
        let byte = try next(&p)
        p += 1
        if byte == UInt8(ascii: ",") { continue value }
        guard byte == (frame.isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else {
          throw TranscodingFault(.unexpectedByte, p - start - 1)
        }
        out = try close(frame, out, p - start)
        depth &-= 1
        frame = frames.removeLast()
      }
    }
    skipSpace(&p)
    if p != end { throw TranscodingFault(.trailingText, p - start) }
    return out - output
  }

  /// Ends the container of `frame` whose members end at `out`: the header, and the checks a whole object allows.
  @inline(__always) private mutating func close(
    _ frame: Frame, _ out: UnsafeMutablePointer<UInt8>, _ offset: Int
  ) throws(TranscodingFault) -> UnsafeMutablePointer<UInt8> {
    var out = out
    let header = output + Int(frame.header)
    let isObject = frame.isObject
    if isObject {
      let first = Int(frame.firstKey)
      if frame.count == 1 {
        let key = keys.entries[first]
        if key.length > 3, output[Int(key.offset)] == UInt8(ascii: "$"),
          let converted = try reserved(key, header, out)
        {
          keys.entries.truncate(to: first)
          return converted
        }
      } else if let index = keys.duplicate(from: first, output) {
        let source = Int(keys.entries[index].source)
        throw TranscodingFault(.duplicateKey, source)
      }
      if frame.header == 0 {
        firstKey = keys.entries[0].place
        lastKey = keys.entries[keys.entries.count - 1].place
      }
      keys.entries.truncate(to: first)
    }
    if frame.count <= 15 {
      header.pointee = (isObject ? 0x80 : 0x90) | UInt8(truncatingIfNeeded: frame.count)
    } else {
      out = widen(header, out, Int(frame.count), isObject)
    }
    return out
  }

  /// Moves the members up for a header of three or five bytes.
  @inline(never) private mutating func widen(
    _ header: UnsafeMutablePointer<UInt8>, _ out: UnsafeMutablePointer<UInt8>, _ count: Int, _ isObject: Bool
  ) -> UnsafeMutablePointer<UInt8> {
    let size = MessagePackWriter.containerHeaderSize(count)
    UnsafeMutableRawPointer(header + size).copyMemory(from: header + 1, byteCount: out - header - 1)
    _ = isObject ? MessagePackWriter.mapHeader(count, header) : MessagePackWriter.arrayHeader(count, header)
    return out + size - 1
  }

  /// The next byte that is not white space; `p` stays on it.
  @inline(__always) private mutating func next(_ p: inout UnsafePointer<UInt8>) throws(TranscodingFault) -> UInt8 {
    if p < end, p.pointee > 0x20 { return p.pointee }
    skipSpace(&p)
    if p == end { throw TranscodingFault(.unexpectedEnd, p - start) }
    return p.pointee
  }

  @inline(__always) private mutating func skipSpace(_ p: inout UnsafePointer<UInt8>) {
    while p < end, p.pointee == 0x20 || p.pointee == 0x0a || p.pointee == 0x0d || p.pointee == 0x09 { p += 1 }
  }

  /// The byte of output is there already; checks the word and steps over both.
  @inline(__always) private mutating func literal(
    _ word: StaticString, _ p: inout UnsafePointer<UInt8>, _ out: inout UnsafeMutablePointer<UInt8>
  ) throws(TranscodingFault) {
    let count = word.utf8CodeUnitCount
    guard end - p >= count, ByteWord.equal(p, word.utf8Start, count) else {
      throw TranscodingFault(.badLiteral, p - start)
    }
    p += count
    out += 1
  }

  @inline(never) private mutating func badStart(_ p: UnsafePointer<UInt8>) -> TranscodingFault.Kind {
    switch p.pointee {
    case 0xef where p == start && end - p >= 3 && p[1] == 0xbb && p[2] == 0xbf: .byteOrderMark
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): .badLiteral
    case UInt8(ascii: "+"), UInt8(ascii: "."): .badNumber
    default: .unexpectedByte
    }
  }
}
