/// A bounded reader of MessagePack: one token at a time, no recursion, no allocation.
///
/// A declared length is checked against the bytes that are left, and the number of tokens against the limit, before the
/// token is handed out; so what a caller allocates for it is bounded by the bytes at hand. Depth is the caller's to
/// watch: ``Unpacker`` does.
public struct Cursor {
  /// One token; containers are followed by the tokens of their members. Pointers live as long as the bytes read.
  public enum Token {
    /// Nil.
    case `nil`
    /// True or false.
    case bool(Bool)
    /// An integer that fits 64 bits with sign.
    case int(Int64)
    /// An integer above `Int64.max`.
    case uint(UInt64)
    /// A float64, or a float32 widened without loss.
    case double(Double)
    /// A string; not checked to be UTF-8.
    case string(UnsafeRawBufferPointer)
    /// Binary data.
    case binary(UnsafeRawBufferPointer)
    /// An array, by its number of members.
    case array(Int)
    /// A map, by its number of pairs.
    case map(Int)
    /// An extension value.
    case `extension`(code: Int8, UnsafeRawBufferPointer)
  }

  private let start: UnsafePointer<UInt8>
  private let end: UnsafePointer<UInt8>
  private var p: UnsafePointer<UInt8>
  private var left: Int

  /// Reads `bytes`, which must outlive the cursor.
  public init(_ bytes: UnsafeRawBufferPointer, limits: TranscodingLimits = .init()) {
    // An empty buffer has no address; any pointer that is never read will do.
    start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) ?? Self.nowhere
    p = start
    end = start + bytes.count
    left = limits.elements
  }

  /// Goes on at `at` within a document, so that faults carry its offsets.
  @inline(__always) init(
    start: UnsafePointer<UInt8>, end: UnsafePointer<UInt8>, at: UnsafePointer<UInt8>, left: Int
  ) {
    self.start = start
    self.end = end
    self.left = left
    p = at
  }

  /// The next byte to read.
  @inline(__always) var position: UnsafePointer<UInt8> { p }

  /// How many bytes have been read.
  public var offset: Int { p - start }

  /// Whether every byte has been read.
  public var isAtEnd: Bool { p == end }

  /// Reads the next token. Throws `badMessagePack` or `tooManyElements`.
  public mutating func next() throws(TranscodingError) -> Token {
    do throws(TranscodingFault) { return try token() } catch { throw error.error() }
  }

  /// Steps over one whole value with all it contains. Throws `badMessagePack` or `tooManyElements`.
  public mutating func skipValue() throws(TranscodingError) {
    do throws(TranscodingFault) { try skip() } catch { throw error.error { "" } }
  }

  @inline(__always) mutating func token() throws(TranscodingFault) -> Token {
    guard p < end else { throw TranscodingFault(.truncated, offset) }
    guard left > 0 else { throw TranscodingFault(.tooManyElements, offset) }
    left -= 1
    let head = p.pointee
    let at = offset
    p += 1
    switch head {
    case ...0x7f: return .int(Int64(head))
    case 0x80...0x8f: return .map(try members(Int(head & 0x0f), 2, at))
    case 0x90...0x9f: return .array(try members(Int(head & 0x0f), 1, at))
    case 0xa0...0xbf: return .string(try body(Int(head & 0x1f), at))
    case 0xc0: return .nil
    case 0xc1: throw TranscodingFault(.reservedByte, at)
    case 0xc2: return .bool(false)
    case 0xc3: return .bool(true)
    case 0xc4: return .binary(try body(Int(try number(UInt8.self, at)), at))
    case 0xc5: return .binary(try body(Int(try number(UInt16.self, at)), at))
    case 0xc6: return .binary(try body(Int(try number(UInt32.self, at)), at))
    case 0xc7: return try extended(Int(try number(UInt8.self, at)), at)
    case 0xc8: return try extended(Int(try number(UInt16.self, at)), at)
    case 0xc9: return try extended(Int(try number(UInt32.self, at)), at)
    case 0xca: return .double(Double(Float(bitPattern: try number(UInt32.self, at))))
    case 0xcb: return .double(Double(bitPattern: try number(UInt64.self, at)))
    case 0xcc: return .int(Int64(try number(UInt8.self, at)))
    case 0xcd: return .int(Int64(try number(UInt16.self, at)))
    case 0xce: return .int(Int64(try number(UInt32.self, at)))
    case 0xcf:
      let value = try number(UInt64.self, at)
      return value > UInt64(Int64.max) ? .uint(value) : .int(Int64(value))
    case 0xd0: return .int(Int64(Int8(bitPattern: try number(UInt8.self, at))))
    case 0xd1: return .int(Int64(Int16(bitPattern: try number(UInt16.self, at))))
    case 0xd2: return .int(Int64(Int32(bitPattern: try number(UInt32.self, at))))
    case 0xd3: return .int(Int64(bitPattern: try number(UInt64.self, at)))
    case 0xd4...0xd8: return try extended(1 << Int(head - 0xd4), at)
    case 0xd9: return .string(try body(Int(try number(UInt8.self, at)), at))
    case 0xda: return .string(try body(Int(try number(UInt16.self, at)), at))
    case 0xdb: return .string(try body(Int(try number(UInt32.self, at)), at))
    case 0xdc: return .array(try members(Int(try number(UInt16.self, at)), 1, at))
    case 0xdd: return .array(try members(Int(try number(UInt32.self, at)), 1, at))
    case 0xde: return .map(try members(Int(try number(UInt16.self, at)), 2, at))
    case 0xdf: return .map(try members(Int(try number(UInt32.self, at)), 2, at))
    default: return .int(Int64(Int8(bitPattern: head)))
    }
  }

  /// Steps over one whole value with all it contains.
  mutating func skip() throws(TranscodingFault) {
    var pending = 1
    while pending > 0 {
      pending -= 1
      switch try token() {
      case .array(let count): pending += count
      case .map(let count): pending += 2 * count
      default: break
      }
    }
  }

  /// Each member takes at least one byte, so a header that declares more than is left lies.
  private func members(_ count: Int, _ each: Int, _ at: Int) throws(TranscodingFault) -> Int {
    guard count * each <= end - p else { throw TranscodingFault(.truncated, at) }
    guard count * each <= left else { throw TranscodingFault(.tooManyElements, at) }
    return count
  }

  private mutating func number<T: FixedWidthInteger & BitwiseCopyable>(
    _ type: T.Type, _ at: Int
  ) throws(TranscodingFault) -> T {
    guard end - p >= MemoryLayout<T>.size else { throw TranscodingFault(.truncated, at) }
    defer { p += MemoryLayout<T>.size }
    return T(bigEndian: UnsafeRawPointer(p).loadUnaligned(as: T.self))
  }

  private mutating func body(_ count: Int, _ at: Int) throws(TranscodingFault) -> UnsafeRawBufferPointer {
    guard count <= end - p else { throw TranscodingFault(.longString, at) }
    defer { p += count }
    return UnsafeRawBufferPointer(start: p, count: count)
  }

  private mutating func extended(_ count: Int, _ at: Int) throws(TranscodingFault) -> Token {
    let code = Int8(bitPattern: try number(UInt8.self, at))
    return .extension(code: code, try body(count, at))
  }

  /// An address that is never read.
  static var nowhere: UnsafePointer<UInt8> { ("" as StaticString).utf8Start }
}
