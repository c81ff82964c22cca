/// One pass from MessagePack bytes to JSON text: its positions, the open containers and their keys.
///
/// The hot loop keeps its positions in local variables, as `JSONParser` does and for the same reason. A map is begun as
/// an object; when a key turns up that an object cannot show truly (a second one with the same text, for instance), the
/// pass goes back to the map's first byte and writes it as `{"$map":[[key,value],...]}`. Each map does that at most
/// once, so the work stays within depth × size.
struct JSONPrinter: ~Copyable {
  enum Kind: UInt8 { case root, array, object, pairs }

  /// An open container. A map's `left` counts keys and values, so that an even number left means a key comes next.
  struct Frame: BitwiseCopyable {
    var left: UInt32
    var count: UInt32
    /// Where its header is in the source, and how many values came before it: what a second try starts from.
    var source: UInt32 = 0
    var elements: UInt32 = 0
    /// Where its text begins, and where that of its latest key does.
    var output: UInt32 = 0
    var mark: UInt32 = 0
    var firstKey: UInt32 = 0
    var kind: Kind
    /// Whether this stands within a map's key. Keys in there are never stringified: escaping an escaped text
    /// again and again would double it with every level.
    var isInKey = false
  }

  /// `null` and `true` as they lie in memory, to be stored at once.
  private static let null: UInt32 = 0x6c6c_756e
  private static let `true`: UInt32 = 0x6575_7274

  /// Room that one token and what follows it may take without asking.
  static let slack = 64
  /// Memory lent to a pass, and how much of it is for the frames; the keys have the rest. Small documents need no more.
  static let lentBytes = 1_024
  static let lentToFrames = 320

  let start: UnsafePointer<UInt8>
  let end: UnsafePointer<UInt8>
  let options: MessagePackToJSON
  /// The buffer's count before the call: all output positions count from there.
  let before: Int

  var frames: BorrowedStack<Frame>
  var keys: SeenKeys
  var frame = Frame(left: 1, count: 1, kind: .root)
  /// The maps, by their place in the source, that must be written as pairs.
  var asPairs: Set<UInt32> = []

  mutating func run(_ buffer: inout ByteBuffer) throws(TranscodingFault) {
    var current = frame
    do throws(TranscodingFault) {
      try write(&current, &buffer)
    } catch {
      frame = current
      throw error
    }
  }

  @inline(__always) private mutating func write(_ frame: inout Frame, _ buffer: inout ByteBuffer)
    throws(TranscodingFault)
  {
    var p = start
    buffer.reserve(end - start + Self.slack)
    var out = buffer.base + buffer.count
    var limit = buffer.base + buffer.capacity
    var elements = 0
    let (maximumDepth, maximumElements) = (options.limits.depth, options.limits.elements)

    value: while true {
      if limit - out < Self.slack { reserve(Self.slack, &out, &limit, &buffer) }
      if p == end { throw TranscodingFault(.truncated, p - start) }
      if elements == maximumElements { throw TranscodingFault(.tooManyElements, p - start) }
      elements &+= 1
      let head = p.pointee
      let source = p - start
      var opened = -1
      var isMap = false
      switch head {
      case ...0x7f:
        out = JSONNumber.write(UInt64(head), out)
        p += 1
      case 0xa0...0xbf:
        p += 1
        try string(&p, Int(head & 0x1f), &out, &limit, &buffer)
      case 0x80...0x8f:
        p += 1
        (opened, isMap) = (Int(head & 0x0f), true)
      case 0x90...0x9f:
        p += 1
        opened = Int(head & 0x0f)
      case 0xc0:
        p += 1
        ByteWord.store(JSONPrinter.null, out)
        out += 4
      case 0xc3:
        p += 1
        ByteWord.store(JSONPrinter.true, out)
        out += 4
      default:
        var cursor = Cursor(start: start, end: end, at: p, left: 1 + maximumElements - elements)
        switch try cursor.token() {
        case .nil: break
        case .bool: out = JSONPrinter.word("false", out)
        case .int(let value): out = integer(value, out)
        case .uint(let value): out = integer(value, out)
        case .double(let value): out = try double(value, out, source)
        case .string(let text):
          // Back to the first byte of the text: the string writer steps over it.
          p = cursor.position - text.count
          try string(&p, text.count, &out, &limit, &buffer)
        case .binary(let bytes):
          binary(bytes, &out, &limit, &buffer)
        case .array(let count): opened = count
        case .map(let count): (opened, isMap) = (count, true)
        case .extension(let code, let payload):
          try extended(code, payload, &out, &limit, &buffer)
        }
        p = cursor.position
      }

      if opened >= 0 {
        let members = isMap ? 2 * opened : opened
        guard members <= end - p else { throw TranscodingFault(.truncated, source) }
        guard members <= maximumElements - elements else { throw TranscodingFault(.tooManyElements, source) }
        if frames.count == maximumDepth { throw TranscodingFault(.tooDeep, source) }
        if opened > 0 {
          let isInKey = frame.isInKey || frame.kind == .object && frame.left & 1 == 0
          frames.append(frame)
          frame = Frame(
            left: UInt32(truncatingIfNeeded: members), count: UInt32(truncatingIfNeeded: members),
            source: UInt32(truncatingIfNeeded: source), elements: UInt32(truncatingIfNeeded: elements &- 1),
            output: UInt32(truncatingIfNeeded: out - buffer.base - before),
            firstKey: UInt32(truncatingIfNeeded: keys.entries.count), kind: .array, isInKey: isInKey)
          if !isMap {
            out.pointee = UInt8(ascii: "[")
            out += 1
          } else if (opened == 1 || !asPairs.isEmpty) && (asPairs.contains(frame.source) || isReserved(p, opened)) {
            frame.kind = .pairs
            out = JSONPrinter.word("{\"$map\":[[", out)
          } else {
            frame.kind = .object
            out.pointee = UInt8(ascii: "{")
            out += 1
            frame.mark = frame.output &+ 1
          }
          continue value
        }
        out.pointee = isMap ? UInt8(ascii: "{") : UInt8(ascii: "[")
        out[1] = isMap ? UInt8(ascii: "}") : UInt8(ascii: "]")
        out += 2
      }

      after: while true {
        frame.left &-= 1
        switch frame.kind {
        case .array:
          if frame.left != 0 {
            out.pointee = UInt8(ascii: ",")
            out += 1
            continue value
          }
          out.pointee = UInt8(ascii: "]")
          out += 1
        case .object:
          if frame.left & 1 != 0 {
            if limit - out < Self.slack { reserve(Self.slack, &out, &limit, &buffer) }
            guard finishKey(frame, head, &out, &limit, &buffer) else {
              again(&frame, &p, &out, &elements, buffer.base)
              continue value
            }
            out.pointee = UInt8(ascii: ":")
            out += 1
            continue value
          }
          if frame.left != 0 {
            out.pointee = UInt8(ascii: ",")
            out += 1
            frame.mark = UInt32(truncatingIfNeeded: out - buffer.base - before)
            continue value
          }
          if keys.duplicate(from: Int(frame.firstKey), buffer.base + before) != nil {
            again(&frame, &p, &out, &elements, buffer.base)
            continue value
          }
          keys.entries.truncate(to: Int(frame.firstKey))
          out.pointee = UInt8(ascii: "}")
          out += 1
        case .pairs:
          if frame.left & 1 != 0 {
            out.pointee = UInt8(ascii: ",")
            out += 1
            continue value
          }
          if frame.left != 0 {
            out = JSONPrinter.word("],[", out)
            continue value
          }
          out = JSONPrinter.word("]]}", out)
        case .root:
          break value
        }
        frame = frames.removeLast()
        if limit - out < Self.slack { reserve(Self.slack, &out, &limit, &buffer) }
      }
    }
    if p != end { throw TranscodingFault(.trailingBytes, p - start) }
    buffer.count = out - buffer.base
  }
}
