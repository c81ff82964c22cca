/// A tiny pickle machine that can only ever produce values of the datetime family.
///
/// Nothing is imported or called by name: each of the nine globals is a fixed token that this file and
/// `PickleReader+Reduce.swift` interpret themselves. Anything else, above all BUILD, NEWOBJ and the like, is refused.
struct PickleReader {
  /// The longest payload read; real ones are below 200 bytes.
  static let longest = 512

  /// The only callables there are.
  enum Token {
    case date, time, datetime, timedelta, timezone, zoneInfo, getattr, encode
    /// The bound `ZoneInfo._unpickle`.
    case unpickleZone
  }

  /// What the stack can hold.
  enum Item {
    case value(PickledDate)
    case token(Token)
    case text(String)
    case bytes([UInt8])
    case int(Int)
    case bool(Bool)
    case none
    case tuple([Item])
  }

  private let bytes: UnsafeRawBufferPointer
  private var at = 0
  private var stack: [Item] = []
  private var memo: [Int: Item] = [:]
  private var marks: [Int] = []

  /// The one value of `payload`, or nil when it is anything else.
  static func read(_ payload: UnsafeRawBufferPointer) -> PickledDate? {
    guard payload.count <= longest else { return nil }
    var reader = PickleReader(bytes: payload)
    while true {
      let first = reader.at == 0
      guard let opcode = reader.byte() else { return nil }
      if opcode == UInt8(ascii: ".") { return reader.result() }
      guard reader.step(opcode, isFirst: first) != nil else { return nil }
      guard reader.stack.count <= 16, reader.memo.count <= 64, reader.marks.count <= 4 else { return nil }
    }
  }

  private init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  private func result() -> PickledDate? {
    guard stack.count == 1, marks.isEmpty, at == bytes.count, case .value(let value) = stack[0] else { return nil }
    return value
  }

  /// Does what one opcode says; nil refuses the payload.
  private mutating func step(_ opcode: UInt8, isFirst: Bool) -> Void? {
    switch opcode {
    case 0x80:  // PROTO
      guard isFirst, let version = byte(), (2...5).contains(version) else { return nil }
      return ()
    case 0x95:  // FRAME: the length must fit, there is nothing else to do
      guard let length = number(8), length >= 0, length <= bytes.count - at else { return nil }
      return ()
    case UInt8(ascii: "c"):  // GLOBAL
      guard let module = line(), let name = line() else { return nil }
      return push(global: module, name)
    case 0x93:  // STACK_GLOBAL
      guard case .text(let name)? = pop(), case .text(let module)? = pop() else { return nil }
      return push(global: module, name)
    case UInt8(ascii: "C"): return push(taken(number(1)).map { .bytes(Array($0)) })
    case UInt8(ascii: "B"): return push(taken(number(4)).map { .bytes(Array($0)) })
    case 0x8c: return push(text(taken(number(1))))
    case UInt8(ascii: "X"): return push(text(taken(number(4))))
    case UInt8(ascii: "K"): return push(number(1).map { .int($0) })
    case UInt8(ascii: "M"): return push(number(2).map { .int($0) })
    case UInt8(ascii: "J"): return push(number(4).map { .int(Int(Int32(truncatingIfNeeded: $0))) })
    case 0x88: return push(.bool(true))
    case 0x89: return push(.bool(false))
    case UInt8(ascii: "N"): return push(Item.none)
    case UInt8(ascii: ")"): return push(.tuple([]))
    case 0x85...0x87: return tuple(from: stack.count - Int(opcode - 0x84))
    case UInt8(ascii: "("): return marks.append(stack.count)
    case UInt8(ascii: "t"):
      guard let mark = marks.popLast() else { return nil }
      return tuple(from: mark)
    case UInt8(ascii: "R"):
      guard case .tuple(let arguments)? = pop(), case .token(let function)? = pop() else { return nil }
      return push(Self.reduce(function, arguments))
    case 0x94: return remember(memo.count)
    case UInt8(ascii: "q"): return remember(number(1))
    case UInt8(ascii: "r"): return remember(number(4))
    case UInt8(ascii: "h"): return push(number(1).flatMap { memo[$0] })
    case UInt8(ascii: "j"): return push(number(4).flatMap { memo[$0] })
    default: return nil
    }
  }

  private mutating func byte() -> UInt8? {
    guard at < bytes.count else { return nil }
    defer { at += 1 }
    return bytes[at]
  }

  /// A little-endian number of `size` bytes, without sign except at size 8.
  private mutating func number(_ size: Int) -> Int? {
    guard size <= bytes.count - at else { return nil }
    defer { at += size }
    return (0..<size).reduce(0) { $0 | Int(bytes[at + $1]) << (8 * $1) }
  }

  private mutating func taken(_ count: Int?) -> UnsafeRawBufferPointer? {
    guard let count, count <= bytes.count - at else { return nil }
    defer { at += count }
    return UnsafeRawBufferPointer(rebasing: bytes[at..<(at + count)])
  }

  private func text(_ bytes: UnsafeRawBufferPointer?) -> Item? {
    guard let bytes, UTF8Sequence.isValid(bytes) else { return nil }
    return .text(String(decoding: bytes, as: UTF8.self))
  }

  private mutating func line() -> String? {
    guard let end = bytes[at...].firstIndex(of: UInt8(ascii: "\n")), let line = taken(end - at) else { return nil }
    at += 1
    guard case .text(let text)? = text(line) else { return nil }
    return text
  }

  private mutating func pop() -> Item? {
    stack.count > (marks.last ?? 0) ? stack.removeLast() : nil
  }

  private mutating func push(_ item: Item?) -> Void? {
    item.map { stack.append($0) }
  }

  private mutating func push(global module: String, _ name: String) -> Void? {
    switch (module, name) {
    case ("datetime", "date"): push(.token(.date))
    case ("datetime", "time"): push(.token(.time))
    case ("datetime", "datetime"): push(.token(.datetime))
    case ("datetime", "timedelta"): push(.token(.timedelta))
    case ("datetime", "timezone"): push(.token(.timezone))
    case ("zoneinfo", "ZoneInfo"): push(.token(.zoneInfo))
    case ("builtins", "getattr"), ("__builtin__", "getattr"): push(.token(.getattr))
    case ("_codecs", "encode"): push(.token(.encode))
    default: nil
    }
  }

  private mutating func tuple(from index: Int) -> Void? {
    guard index >= marks.last ?? 0, index <= stack.count else { return nil }
    let items = Array(stack[index...])
    stack.removeSubrange(index...)
    return push(.tuple(items))
  }

  private mutating func remember(_ slot: Int?) -> Void? {
    guard let slot, let top = stack.last else { return nil }
    return memo[slot] = top
  }
}
