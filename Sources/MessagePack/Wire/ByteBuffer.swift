import Glibc

/// Growable bytes with one owner; keeps its capacity when emptied.
///
/// The transcoders append to it, so one buffer that lives as long as a connection makes a call allocate nothing.
// Sendable although it holds a pointer: a noncopyable value has one owner, and no other reference to its memory exists.
public struct ByteBuffer: ~Copyable, @unchecked Sendable {
  @usableFromInline var base: UnsafeMutablePointer<UInt8>
  private(set) var capacity: Int

  /// How many bytes the buffer holds.
  public internal(set) var count: Int

  /// An empty buffer with room for `capacity` bytes (at least 16).
  public init(capacity: Int = 256) {
    self.capacity = max(capacity, 16)
    base = Self.allocate(self.capacity)
    count = 0
  }

  deinit { free(base) }

  /// Forgets the bytes and keeps the memory.
  public mutating func removeAll() { count = 0 }

  /// Forgets the bytes from the one at `count` on.
  mutating func truncate(to count: Int) { self.count = count }

  /// Forgets the bytes, and the memory too when it is more than `limit` bytes: after one huge document a buffer that
  /// is used again and again should not hold on to its size.
  public mutating func removeAll(keepingUpTo limit: Int) {
    count = 0
    guard capacity > max(limit, 16) else { return }
    free(base)
    capacity = max(limit, 16)
    base = Self.allocate(capacity)
  }

  /// Adds one byte.
  public mutating func append(_ byte: UInt8) {
    reserve(1)
    base[count] = byte
    count += 1
  }

  /// Adds an integer in MessagePack.
  mutating func append(integer number: Int64) {
    reserve(9)
    count = MessagePackWriter.integer(number, base + count) - base
  }

  /// Adds a copy of `bytes`, which must not lie in this buffer.
  public mutating func append(_ bytes: UnsafeRawBufferPointer) {
    guard let source = bytes.baseAddress, !bytes.isEmpty else { return }
    reserve(bytes.count)
    UnsafeMutableRawPointer(base + count).copyMemory(from: source, byteCount: bytes.count)
    count += bytes.count
  }

  /// Adds the UTF-8 bytes of a literal.
  public mutating func append(_ text: StaticString) {
    text.withUTF8Buffer { append(UnsafeRawBufferPointer($0)) }
  }

  /// Adds the UTF-8 bytes of `text`.
  public mutating func append(utf8 text: String) {
    var text = text
    text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
  }

  /// Lends all bytes; the pointer is valid only inside `body`.
  @inlinable public borrowing func withUnsafeBytes<R, E: Error>(
    _ body: (UnsafeRawBufferPointer) throws(E) -> R
  ) throws(E) -> R {
    try body(UnsafeRawBufferPointer(start: base, count: count))
  }

  /// Lends the bytes of `range`, which must lie within `0..<count`; the pointer is valid only inside `body`.
  @inlinable public borrowing func withUnsafeBytes<R, E: Error>(
    _ range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws(E) -> R
  ) throws(E) -> R {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "range outside the buffer")
    return try body(UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count))
  }

  /// Makes room for `extra` bytes behind `count`.
  @inline(__always) mutating func reserve(_ extra: Int) {
    if capacity - count < extra { grow(extra) }
  }

  /// Makes room for `extra` bytes behind `end`, a position of a writer that has not set `count` yet, and gives the
  /// position back, because the memory may move.
  @inline(never) mutating func reserve(
    _ extra: Int, after end: UnsafeMutablePointer<UInt8>
  ) -> UnsafeMutablePointer<UInt8> {
    let before = count
    count = end - base
    reserve(extra)
    defer { count = before }
    return base + count
  }

  @inline(never) private mutating func grow(_ extra: Int) {
    capacity = max(capacity * 2, count + extra)
    // Out of memory there is nothing left to do: Swift's own arrays trap as well.
    guard let moved = realloc(base, capacity) else { fatalError("out of memory: \(capacity) bytes") }
    base = moved.assumingMemoryBound(to: UInt8.self)
  }

  private static func allocate(_ capacity: Int) -> UnsafeMutablePointer<UInt8> {
    // As in `grow`.
    guard let memory = malloc(capacity) else { fatalError("out of memory: \(capacity) bytes") }
    return memory.assumingMemoryBound(to: UInt8.self)
  }
}
