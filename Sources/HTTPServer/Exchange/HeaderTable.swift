/// Where the known headers of one request stand in libmicrohttpd's buffer, and how often each came. A value with one
/// owner, emptied for each request.
struct HeaderTable: ~Copyable {
  struct Slot {
    var value: UnsafePointer<CChar>?
    var length = 0
    var count = 0
  }

  let slots: UnsafeMutablePointer<Slot>

  init() {
    slots = .allocate(capacity: Self.size)
    slots.initialize(repeating: Slot(), count: Self.size)
  }

  deinit { slots.deallocate() }

  func clear() { slots.update(repeating: Slot(), count: Self.size) }

  func value(_ header: KnownHeader) -> UnsafeRawBufferPointer? {
    let slot = slots[Int(header.rawValue)]
    return slot.count == 0 ? nil : UnsafeRawBufferPointer(start: slot.value, count: slot.length)
  }

  func count(_ header: KnownHeader) -> Int { slots[Int(header.rawValue)].count }

  private static let size = KnownHeader.allCases.count
}
