/// Bytes that grow by doubling; the memory is kept from request to request. A value with one owner.
struct ReusedBytes: ~Copyable {
  private var base: UnsafeMutableRawPointer?
  private var capacity = 0
  private(set) var count = 0

  deinit { base?.deallocate() }

  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

  mutating func append(_ source: UnsafeRawBufferPointer) {
    guard let start = source.baseAddress else { return }
    if count + source.count > capacity { grow(to: count + source.count) }
    base?.advanced(by: count).copyMemory(from: start, byteCount: source.count)
    count += source.count
  }

  mutating func append(_ text: StaticString) { append(text.bytes) }

  mutating func append(_ text: String) {
    var text = text
    text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
  }

  /// Empties it, and gives the memory back when it is more than that.
  mutating func clear(keeping limit: Int = 16 << 10) {
    count = 0
    guard capacity > limit else { return }
    base?.deallocate()
    base = nil
    capacity = 0
  }

  private mutating func grow(to minimum: Int) {
    let wanted = max(minimum, 2 * capacity, 256)
    let larger = UnsafeMutableRawPointer.allocate(byteCount: wanted, alignment: 16)
    if let base {
      larger.copyMemory(from: base, byteCount: count)
      base.deallocate()
    }
    base = larger
    capacity = wanted
  }
}
