/// A tiny pickle machine that can only ever produce values of the datetime family.
///
/// Nothing is imported or called by name: each of the nine globals is a fixed token that this file interprets itself.
/// Anything else, above all BUILD, NEWOBJ and the like, is refused.
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

  /// The payload is something else, or something more.
  private struct Refused: Error {}

  /// The deepest stack, the largest memo and the most marks; Python's own pickles of these classes stay far below.
  private static let deepestStack = 16
  private static let largestMemo = 64
  private static let mostMarks = 4

  private let bytes: UnsafeRawBufferPointer
  private var at = 0
  private var stack: [Item] = []
  private var memo: [Int: Item] = [:]
  private var marks: [Int] = []

  private init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  /// The one value of `payload`, or nil when it is anything else.
  static func read(_ payload: UnsafeRawBufferPointer) -> PickledDate? {
    guard payload.count <= longest else { return nil }
    var reader = PickleReader(bytes: payload)
    do throws(Refused) {
      return try reader.run()
    } catch {
      return nil
    }
  }

  private mutating func run() throws(Refused) -> PickledDate {
    while true {
      let isFirst = at == 0
      let opcode = try byte()
      if opcode == UInt8(ascii: ".") { break }
      try step(opcode, isFirst: isFirst)
      guard stack.count <= Self.deepestStack, memo.count <= Self.largestMemo, marks.count <= Self.mostMarks else {
        throw Refused()
      }
    }
    guard stack.count == 1, marks.isEmpty, at == bytes.count, case .value(let value) = stack[0] else { throw Refused() }
    return value
  }

  /// Does what one opcode says.
  private mutating func step(_ opcode: UInt8, isFirst: Bool) throws(Refused) {
    switch opcode {
    case 0x80:  // PROTO
      guard isFirst, (2...5).contains(try byte()) else { throw Refused() }
    case 0x95:  // FRAME: the length must fit, there is nothing else to do
      let length = try number(8)
      guard length >= 0, length <= bytes.count - at else { throw Refused() }
    case UInt8(ascii: "c"):  // GLOBAL
      let module = try line()
      stack.append(try Self.global(module, try line()))
    case 0x93:  // STACK_GLOBAL
      guard case .text(let name) = try pop(), case .text(let module) = try pop() else { throw Refused() }
      stack.append(try Self.global(module, name))
    case UInt8(ascii: "C"): stack.append(.bytes(Array(try taken(try number(1)))))
    case UInt8(ascii: "B"): stack.append(.bytes(Array(try taken(try number(4)))))
    case 0x8c: stack.append(.text(try text(try number(1))))
    case UInt8(ascii: "X"): stack.append(.text(try text(try number(4))))
    case UInt8(ascii: "K"): stack.append(.int(try number(1)))
    case UInt8(ascii: "M"): stack.append(.int(try number(2)))
    case UInt8(ascii: "J"): stack.append(.int(Int(Int32(truncatingIfNeeded: try number(4)))))
    case 0x88: stack.append(.bool(true))
    case 0x89: stack.append(.bool(false))
    case UInt8(ascii: "N"): stack.append(.none)
    case UInt8(ascii: ")"): stack.append(.tuple([]))
    case 0x85...0x87: try tuple(from: stack.count - Int(opcode - 0x84))
    case UInt8(ascii: "("): marks.append(stack.count)
    case UInt8(ascii: "t"):
      guard let mark = marks.popLast() else { throw Refused() }
      try tuple(from: mark)
    case UInt8(ascii: "R"):
      guard case .tuple(let arguments) = try pop(), case .token(let function) = try pop(),
        let result = Self.reduce(function, arguments)
      else { throw Refused() }
      stack.append(result)
    case 0x94: try remember(memo.count)
    case UInt8(ascii: "q"): try remember(try number(1))
    case UInt8(ascii: "r"): try remember(try number(4))
    case UInt8(ascii: "h"): try recall(try number(1))
    case UInt8(ascii: "j"): try recall(try number(4))
    default: throw Refused()
    }
  }

  private mutating func byte() throws(Refused) -> UInt8 { UInt8(truncatingIfNeeded: try number(1)) }

  /// A little-endian number of `size` bytes, without sign except at size 8.
  private mutating func number(_ size: Int) throws(Refused) -> Int {
    try taken(size).reversed().reduce(0) { $0 << 8 | Int($1) }
  }

  private mutating func taken(_ count: Int) throws(Refused) -> UnsafeRawBufferPointer {
    guard count <= bytes.count - at else { throw Refused() }
    defer { at += count }
    return UnsafeRawBufferPointer(rebasing: bytes[at..<(at + count)])
  }

  private mutating func text(_ count: Int) throws(Refused) -> String {
    let bytes = try taken(count)
    guard UTF8Sequence.isValid(bytes) else { throw Refused() }
    return String(decoding: bytes, as: UTF8.self)
  }

  private mutating func line() throws(Refused) -> String {
    guard let end = bytes[at...].firstIndex(of: UInt8(ascii: "\n")) else { throw Refused() }
    defer { at += 1 }
    return try text(end - at)
  }

  private mutating func pop() throws(Refused) -> Item {
    guard stack.count > (marks.last ?? 0) else { throw Refused() }
    return stack.removeLast()
  }

  private static func global(_ module: String, _ name: String) throws(Refused) -> Item {
    switch (module, name) {
    case ("datetime", "date"): .token(.date)
    case ("datetime", "time"): .token(.time)
    case ("datetime", "datetime"): .token(.datetime)
    case ("datetime", "timedelta"): .token(.timedelta)
    case ("datetime", "timezone"): .token(.timezone)
    case ("zoneinfo", "ZoneInfo"): .token(.zoneInfo)
    case ("builtins", "getattr"), ("__builtin__", "getattr"): .token(.getattr)
    case ("_codecs", "encode"): .token(.encode)
    default: throw Refused()
    }
  }

  private mutating func tuple(from index: Int) throws(Refused) {
    guard index >= marks.last ?? 0, index <= stack.count else { throw Refused() }
    let items = Array(stack[index...])
    stack.removeSubrange(index...)
    stack.append(.tuple(items))
  }

  private mutating func remember(_ slot: Int) throws(Refused) {
    guard let top = stack.last else { throw Refused() }
    memo[slot] = top
  }

  private mutating func recall(_ slot: Int) throws(Refused) {
    guard let item = memo[slot] else { throw Refused() }
    stack.append(item)
  }
}

/// The calls that a payload may make, each with exactly the arguments that Python's own pickles give it.
extension PickleReader {
  private static func reduce(_ function: Token, _ arguments: [Item]) -> Item? {
    switch function {
    case .encode: encode(arguments)
    case .getattr: getattr(arguments)
    case .zoneInfo, .unpickleZone: zone(function, arguments)
    case .timedelta: timedelta(arguments)
    case .timezone: timezone(arguments)
    case .date: state(arguments, 4, zones: false).flatMap { bytes, _ in date(bytes).map { .value(.date($0)) } }
    case .time:
      state(arguments, 6, zones: true).flatMap { bytes, zone in
        time([bytes[0] & 0x7f] + bytes[1...], fold: bytes[0] & 0x80 != 0, zone).map { .value(.time($0)) }
      }
    case .datetime:
      state(arguments, 10, zones: true).flatMap { bytes, zone in
        // The month's high bit is the fold.
        guard let date = date([bytes[0], bytes[1], bytes[2] & 0x7f, bytes[3]]),
          let time = time(Array(bytes[4...]), fold: bytes[2] & 0x80 != 0, zone)
        else { return nil }
        return .value(.datetime(PythonDateTime(date, time)))
      }
    }
  }

  /// Protocol 2 spells bytes as text in Latin-1.
  private static func encode(_ arguments: [Item]) -> Item? {
    guard arguments.count == 2, case .text(let text) = arguments[0], case .text(let codec) = arguments[1],
      codec == "latin1" || codec == "latin-1"
    else { return nil }
    var bytes: [UInt8] = []
    for scalar in text.unicodeScalars {
      guard let byte = UInt8(exactly: scalar.value) else { return nil }
      bytes.append(byte)
    }
    return .bytes(bytes)
  }

  /// Only `getattr(ZoneInfo, "_unpickle")`.
  private static func getattr(_ arguments: [Item]) -> Item? {
    guard arguments.count == 2, case .token(.zoneInfo) = arguments[0], case .text("_unpickle") = arguments[1] else {
      return nil
    }
    return .token(.unpickleZone)
  }

  private static func zone(_ function: Token, _ arguments: [Item]) -> Item? {
    guard case .text(let key)? = arguments.first, let zone = PythonTimeZone(key: key) else { return nil }
    if case .zoneInfo = function { return arguments.count == 1 ? .value(.zone(zone)) : nil }
    guard arguments.count == 2 else { return nil }
    switch arguments[1] {
    case .bool, .int(0), .int(1): return .value(.zone(zone))
    default: return nil
    }
  }

  private static func timedelta(_ arguments: [Item]) -> Item? {
    guard arguments.count == 3, case .int(let days) = arguments[0], case .int(let seconds) = arguments[1],
      case .int(let microseconds) = arguments[2], abs(days) <= 999_999_999, (0..<86_400).contains(seconds),
      (0..<1_000_000).contains(microseconds)
    else { return nil }
    return PythonTimeDelta(days: days, seconds: seconds, microseconds: microseconds).map { .value(.timedelta($0)) }
  }

  private static func timezone(_ arguments: [Item]) -> Item? {
    guard (1...2).contains(arguments.count),
      case .value(.timedelta(let delta)) = arguments[0]
    else { return nil }
    guard arguments.count == 2 else { return PythonTimeZone(offset: delta.duration).map { .value(.zone($0)) } }
    guard case .text(let name) = arguments[1] else { return nil }
    return PythonTimeZone(offset: delta.duration, name: name).map { .value(.zone($0)) }
  }

  /// The byte string that a date or time is made of, and its zone.
  private static func state(_ arguments: [Item], _ size: Int, zones: Bool) -> ([UInt8], PythonTimeZone?)? {
    guard (1...(zones ? 2 : 1)).contains(arguments.count), case .bytes(let bytes) = arguments[0], bytes.count == size
    else { return nil }
    guard arguments.count == 2 else { return (bytes, nil) }
    switch arguments[1] {
    case .none: return (bytes, nil)
    case .value(.zone(let zone)): return (bytes, zone)
    default: return nil
    }
  }

  private static func date(_ bytes: [UInt8]) -> PythonDate? {
    PythonDate(year: Int(bytes[0]) << 8 | Int(bytes[1]), month: Int(bytes[2]), day: Int(bytes[3]))
  }

  /// Hour, minute, second and three bytes of microseconds.
  private static func time(_ bytes: [UInt8], fold: Bool, _ zone: PythonTimeZone?) -> PythonTime? {
    PythonTime(
      hour: Int(bytes[0]), minute: Int(bytes[1]), second: Int(bytes[2]),
      microsecond: Int(bytes[3]) << 16 | Int(bytes[4]) << 8 | Int(bytes[5]), fold: fold, zone: zone)
  }
}
