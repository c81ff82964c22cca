extension PickledDate {
  /// The pickle that Python reads this value from: protocol 3, without a memo. It names the five classes of `datetime` and `ZoneInfo`,
  /// and nothing that came from a client but checked numbers, a zone's key and a zone's name.
  var pickle: [UInt8] { [0x80, 3] + parts + [UInt8(ascii: ".")] }

  private var parts: [UInt8] {
    switch self {
    case .date(let date): Self.made("date", state: date.state, nil)
    case .time(let time): Self.made("time", state: time.state(foldInHour: true), time.zone)
    case .datetime(let moment):
      Self.made(
        "datetime", state: moment.date.state(fold: moment.time.fold) + moment.time.state(foldInHour: false),
        moment.time.zone)
    case .timedelta(let delta): Self.parts(delta)
    case .zone(let zone): Self.parts(zone)
    }
  }

  private static func parts(_ delta: PythonTimeDelta) -> [UInt8] {
    let numbers = [delta.days, delta.seconds, delta.microseconds].flatMap(integer)
    return global("datetime", "timedelta") + numbers + [0x87, reduce]
  }

  private static func parts(_ zone: PythonTimeZone) -> [UInt8] {
    if let key = zone.key { return global("zoneinfo", "ZoneInfo") + text(key) + [0x85, reduce] }
    // An offset of less than a day is a delta.
    let delta = zone.microseconds.flatMap { PythonTimeDelta(microseconds: $0) }.map(parts) ?? []
    return global("datetime", "timezone") + delta + (zone.name.map { text($0) + [0x86] } ?? [0x85]) + [reduce]
  }

  /// A call of the class with the bytes it is made of, and its zone if it has one.
  private static func made(_ name: StaticString, state: [UInt8], _ zone: PythonTimeZone?) -> [UInt8] {
    let bytes = [UInt8(ascii: "C"), UInt8(state.count)] + state
    return global("datetime", name) + bytes + (zone.map { parts($0) + [0x86] } ?? [0x85]) + [reduce]
  }

  private static let reduce = UInt8(ascii: "R")

  private static func global(_ module: StaticString, _ name: StaticString) -> [UInt8] {
    Array("c\(module)\n\(name)\n".utf8)
  }

  private static func text(_ text: String) -> [UInt8] {
    [UInt8(ascii: "X")] + littleEndian(text.utf8.count, 4) + text.utf8
  }

  /// One byte or two without sign, or four with it, as Python writes integers.
  private static func integer(_ value: Int) -> [UInt8] {
    switch value {
    case 0...0xff: [UInt8(ascii: "K")] + littleEndian(value, 1)
    case 0x100...0xffff: [UInt8(ascii: "M")] + littleEndian(value, 2)
    default: [UInt8(ascii: "J")] + littleEndian(value, 4)
    }
  }

  private static func littleEndian(_ value: Int, _ size: Int) -> [UInt8] {
    (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
}

extension PythonDate {
  fileprivate var state: [UInt8] { state(fold: false) }

  /// The four bytes of Python's state; a datetime carries its fold in the month's high bit.
  fileprivate func state(fold: Bool) -> [UInt8] {
    [UInt8(year >> 8), UInt8(year & 0xff), UInt8(month) | (fold ? 0x80 : 0), UInt8(day)]
  }
}

extension PythonTime {
  /// The six bytes of Python's state; a plain time carries its fold in the hour's high bit.
  fileprivate func state(foldInHour: Bool) -> [UInt8] {
    [
      UInt8(hour) | (foldInHour && fold ? 0x80 : 0), UInt8(minute), UInt8(second), UInt8(microsecond >> 16),
      UInt8(microsecond >> 8 & 0xff), UInt8(microsecond & 0xff),
    ]
  }
}
