/// A growable stack of plain values that starts in memory lent by its maker, so that small documents allocate nothing.
struct BorrowedStack<Element: BitwiseCopyable>: ~Copyable {
  private(set) var base: UnsafeMutablePointer<Element>
  private(set) var count = 0
  private var capacity: Int
  private var owned = false

  /// `memory` must outlive the stack; it is only a first place to store into.
  init(in memory: UnsafeMutableRawBufferPointer) {
    let typed = memory.bindMemory(to: Element.self)
    capacity = typed.count
    if let start = typed.baseAddress, capacity > 0 {
      base = start
    } else {
      capacity = 8
      base = .allocate(capacity: 8)
      owned = true
    }
  }

  deinit { if owned { base.deallocate() } }

  @inline(__always) mutating func append(_ element: Element) {
    if count == capacity { grow() }
    base[count] = element
    count += 1
  }

  @inline(__always) mutating func removeLast() -> Element {
    count -= 1
    return base[count]
  }

  /// Drops all above `count`.
  @inline(__always) mutating func truncate(to count: Int) { self.count = count }

  @inline(__always) subscript(index: Int) -> Element {
    get { base[index] }
    set { base[index] = newValue }
  }

  @inline(never) private mutating func grow() {
    let larger = UnsafeMutablePointer<Element>.allocate(capacity: capacity * 2)
    larger.update(from: base, count: count)
    if owned { base.deallocate() }
    base = larger
    capacity *= 2
    owned = true
  }
}
