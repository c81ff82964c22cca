/// The calls that wait for their replies, by number. A value without I/O.
///
/// Numbers count up from 1 and wrap, as aiozmq's do, but skip those still in use. The low bits of a number are its
/// place, so that finding a call is one look.
struct PendingCalls<Call> {
  private struct Slot {
    var number: UInt32
    var call: Call
  }

  private(set) var count = 0
  private var slots: [Slot?]
  private var last: UInt32

  /// An empty table. Tests begin elsewhere than at 0 to see numbers wrap.
  init(last: UInt32 = 0) {
    slots = .init(repeating: nil, count: 64)
    self.last = last
  }

  /// Keeps a call made for the number it gets.
  mutating func insert(_ make: (UInt32) -> Call) -> UInt32 {
    if count * 2 >= slots.count { grow() }
    repeat { last &+= 1 } while slots[place(last)] != nil
    slots[place(last)] = Slot(number: last, call: make(last))
    count += 1
    return last
  }

  /// Takes a call out; nil when its reply came already, or it was given up.
  mutating func remove(_ number: UInt32) -> Call? {
    let place = place(number)
    guard let slot = slots[place], slot.number == number else { return nil }
    slots[place] = nil
    count -= 1
    return slot.call
  }

  /// Changes a call in place; false when it is not there.
  @discardableResult
  mutating func update(_ number: UInt32, _ change: (inout Call) -> Void) -> Bool {
    let place = place(number)
    guard var slot = slots[place], slot.number == number else { return false }
    change(&slot.call)
    slots[place] = slot
    return true
  }

  /// Asks something of a call where it stands; nil when it is not there.
  func check(_ number: UInt32, _ condition: (borrowing Call) -> Bool) -> Bool? {
    guard let slot = slots[place(number)], slot.number == number else { return nil }
    return condition(slot.call)
  }

  subscript(number: UInt32) -> Call? {
    guard let slot = slots[place(number)], slot.number == number else { return nil }
    return slot.call
  }

  /// The numbers of the calls that satisfy the condition.
  func numbers(where holds: (Call) -> Bool) -> [UInt32] {
    slots.compactMap { slot in slot.flatMap { holds($0.call) ? $0.number : nil } }
  }

  private func place(_ number: UInt32) -> Int { Int(number) & (slots.count - 1) }

  private mutating func grow() {
    let old = slots
    slots = .init(repeating: nil, count: old.count * 2)
    // Two numbers that differ in few low bits differ in more: no collisions.
    for case let slot? in old { slots[place(slot.number)] = slot }
  }
}
