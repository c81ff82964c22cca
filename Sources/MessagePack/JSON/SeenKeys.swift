/// The keys of all open maps, to find one that occurs twice in the same map.
///
/// Small maps compare each new key with those before it. Large maps are checked once, when they close, through a hash
/// table whose hash has a random seed, so that chosen keys cannot make it slow.
struct SeenKeys: ~Copyable {
  /// Where a key's text stands in the output and in the source, and a digest that tells most keys apart.
  struct Entry: BitwiseCopyable {
    var tag: UInt64
    var offset: UInt32
    var length: UInt32
    var source: UInt32

    /// The text's place in the output.
    var place: Range<UInt32> { Range(uncheckedBounds: (offset, offset &+ length)) }
  }

  /// Maps with more keys than this are checked at their end.
  static let linear = 24

  var entries: BorrowedStack<Entry>

  init(in memory: UnsafeMutableRawBufferPointer) { entries = BorrowedStack(in: memory) }

  /// Adds a key to the map whose keys begin at `first`; false when that map has it already and is small.
  ///
  /// Eight bytes behind the key's first must be readable: both writers keep that much slack in their output.
  @inline(__always) mutating func add(
    _ output: UnsafeMutablePointer<UInt8>, offset: Int, length: Int, source: Int, first: Int
  ) -> Bool {
    let text = UnsafePointer(output + offset)
    return add(output, text, ByteWord.load(text), offset: offset, length: length, source: source, first: first)
  }

  /// Sets binary keys apart from strings of the same bytes, which are other keys: the tags of the two always differ.
  private static let binary: UInt64 = 0x5bd1_e995_97f4_a7c1

  /// Adds a key in memory that is not the pass's own, of which nothing at or behind `end` may be read.
  mutating func add(
    _ key: UnsafeRawBufferPointer, isBinary: Bool, from start: UnsafePointer<UInt8>, until end: UnsafePointer<UInt8>,
    source: Int,
    first: Int
  ) -> Bool {
    let text = key.baseAddress?.assumingMemoryBound(to: UInt8.self) ?? start
    var word: UInt64 = 0
    if end - text >= 8 {
      word = ByteWord.load(text)
    } else {
      for (index, byte) in key.enumerated() { word |= UInt64(byte) << UInt64(8 * index) }
    }
    // Nothing is written through it.
    return add(
      UnsafeMutablePointer(mutating: start), text, word, offset: text - start, length: key.count, source: source,
      first: first, apart: isBinary ? Self.binary : 0)
  }

  /// `word` is the first eight bytes at `text`; those behind the key may be anything.
  @inline(__always) private mutating func add(
    _ output: UnsafeMutablePointer<UInt8>, _ text: UnsafePointer<UInt8>, _ word: UInt64, offset: Int, length: Int,
    source: Int, first: Int, apart: UInt64 = 0
  ) -> Bool {
    var tag: UInt64
    if length >= 8 {
      tag = (word ^ (ByteWord.load(text + length - 8) &* 0x9e37_79b9_7f4a_7c15)) &+ UInt64(truncatingIfNeeded: length)
    } else {
      tag = ByteWord.low(word, length) ^ UInt64(truncatingIfNeeded: length) << 56
    }
    tag ^= apart
    let count = entries.count
    entries.append(
      Entry(
        tag: tag, offset: UInt32(truncatingIfNeeded: offset), length: UInt32(truncatingIfNeeded: length),
        source: UInt32(truncatingIfNeeded: source)))
    guard count &- first <= Self.linear else { return true }
    let base = entries.base
    var index = first
    while index < count {
      if base[index].tag == tag, same(index, count, output) { return false }
      index &+= 1
    }
    return true
  }

  /// The index of a key that repeats an earlier one of the map whose keys begin at `first`; maps that `add` has
  /// checked already give nil at once.
  @inline(__always) func duplicate(from first: Int, _ output: UnsafeMutablePointer<UInt8>) -> Int? {
    entries.count &- first <= Self.linear &+ 1 ? nil : search(from: first, output)
  }

  @inline(never) private func search(from first: Int, _ output: UnsafeMutablePointer<UInt8>) -> Int? {
    let size = (1 << (Int.bitWidth - (entries.count - first).leadingZeroBitCount)) * 2
    return withUnsafeTemporaryAllocation(of: UInt32.self, capacity: size) { table in
      table.initialize(repeating: 0)
      for index in first..<entries.count {
        let entry = entries[index]
        var hasher = Hasher()
        hasher.combine(
          bytes: UnsafeRawBufferPointer(start: output + Int(entry.offset), count: Int(entry.length)))
        var slot = hasher.finalize() & (size - 1)
        while table[slot] != 0 {
          let other = first + Int(table[slot]) - 1
          if entries[other].tag == entry.tag, same(other, index, output) { return index }
          slot = (slot + 1) & (size - 1)
        }
        table[slot] = UInt32(index - first + 1)
      }
      return nil
    }
  }

  @inline(never) private func same(_ a: Int, _ b: Int, _ output: UnsafeMutablePointer<UInt8>) -> Bool {
    let (a, b) = (entries[a], entries[b])
    return a.length == b.length && ByteWord.same(output + Int(a.offset), output + Int(b.offset), Int(a.length))
  }
}
