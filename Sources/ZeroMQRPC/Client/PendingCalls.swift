/// The calls that wait for their replies, by number. A value without I/O.
///
/// Numbers count up from 1 and wrap, as aiozmq's do, but skip those still in use. The low bits of a number are its
/// place, so that finding a call is one look.
struct PendingCalls<Call> {
  private struct Slot {
    var number: UInt32 = 0
    var call: Call?
  }

  private(set) var count = 0
  private var slots: [Slot]
  private var last: UInt32

  /// An empty table. Tests begin elsewhere than at 0 to see numbers wrap.
  init(last: UInt32 = 0) {
    slots = .init(repeating: Slot(), count: 64)
    self.last = last
  }

  /// The number for the next call, whose place is free.
  mutating func nextNumber() -> UInt32 {
    if count * 2 >= slots.count { grow() }
    repeat { last &+= 1 } while slots[place(last)].call != nil
    return last
  }

  /// Keeps a call under the number that `nextNumber` gave last.
  mutating func insert(_ number: UInt32, _ call: consuming Call) {
    slots[place(number)] = Slot(number: number, call: call)
    count += 1
  }

  /// Takes a call out; nil when its reply came already, or it was given up.
  mutating func remove(_ number: UInt32) -> Call? {
    let place = place(number)
    guard slots[place].number == number, let call = slots[place].call.take() else { return nil }
    count -= 1
    return call
  }

  /// Changes a call in place; false when it is not there.
  @discardableResult
  mutating func update(_ number: UInt32, _ change: (inout Call) -> Void) -> Bool {
    let place = place(number)
    guard slots[place].number == number, var call = slots[place].call.take() else { return false }
    change(&call)
    slots[place].call = call
    return true
  }

  /// Lends a call; nil when it is not there.
  func with<Result>(_ number: UInt32, _ body: (Call) -> Result) -> Result? {
    let place = place(number)
    guard slots[place].number == number else { return nil }
    return slots[place].call.map(body)
  }

  subscript(number: UInt32) -> Call? {
    let place = place(number)
    return slots[place].number == number ? slots[place].call : nil
  }

  /// The numbers of the calls that satisfy the condition.
  func numbers(where holds: (Call) -> Bool) -> [UInt32] {
    slots.compactMap { slot in slot.call.map(holds) == true ? slot.number : nil }
  }

  private func place(_ number: UInt32) -> Int { Int(number) & (slots.count - 1) }

  private mutating func grow() {
    let old = slots
    slots = .init(repeating: Slot(), count: old.count * 2)
    // Two numbers that differ in few low bits differ in more: no collisions.
    for slot in old where slot.call != nil { slots[place(slot.number)] = slot }
  }
}
