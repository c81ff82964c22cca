extension PickledDate {
  /// The pickle that Python reads this value from: protocol 3, without a memo. It names the five classes of `datetime` and `ZoneInfo`,
  /// and nothing that came from a client but checked numbers, a zone's key and a zone's name.
  var pickle: [UInt8] { [0x80, 3] + parts + [UInt8(ascii: ".")] }

  private var parts: [UInt8] {
    switch self {
    case .date(let date): Self.made("date", state: date.state, nil)
    case .time(let clock, let zone): Self.made("time", state: clock.state(foldInHour: true), zone)
    case .datetime(let date, let clock, let zone):
      Self.made("datetime", state: date.state(fold: clock.fold) + clock.state(foldInHour: false), zone)
    case .timedelta(let days, let seconds, let microseconds):
      Self.global("datetime", "timedelta") + [days, seconds, microseconds].flatMap(Self.integer) + [0x87, Self.reduce]
    case .zone(let zone): Self.parts(zone)
    }
  }

  private static func parts(_ zone: Zone) -> [UInt8] {
    switch zone {
    case .named(let key): return global("zoneinfo", "ZoneInfo") + text(key) + [0x85, reduce]
    case .offset(let offset, let name):
      let (seconds, microseconds) = offset.quotientAndFloorRemainder(dividingBy: 1_000_000)
      let (days, rest) = seconds.quotientAndFloorRemainder(dividingBy: 86_400)
      let delta = timedelta(days: days, seconds: rest, microseconds: microseconds).parts
      return global("datetime", "timezone") + delta + (name.map { text($0) + [0x86] } ?? [0x85]) + [reduce]
    }
  }

  /// A call of the class with the bytes it is made of, and its zone if it has one.
  private static func made(_ name: StaticString, state: [UInt8], _ zone: Zone?) -> [UInt8] {
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

extension CivilDate {
  fileprivate var state: [UInt8] { state(fold: false) }

  /// The four bytes of Python's state; a datetime carries its fold in the month's high bit.
  fileprivate func state(fold: Bool) -> [UInt8] {
    [UInt8(year >> 8), UInt8(year & 0xff), UInt8(month) | (fold ? 0x80 : 0), UInt8(day)]
  }
}

extension PickledDate.Clock {
  /// The six bytes of Python's state; a plain time carries its fold in the hour's high bit.
  fileprivate func state(foldInHour: Bool) -> [UInt8] {
    [
      UInt8(hour) | (foldInHour && fold ? 0x80 : 0), UInt8(minute), UInt8(second), UInt8(microsecond >> 16),
      UInt8(microsecond >> 8 & 0xff), UInt8(microsecond & 0xff),
    ]
  }
}
