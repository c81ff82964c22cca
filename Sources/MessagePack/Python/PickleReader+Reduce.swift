/// The calls that a payload may make, each with exactly the arguments that Python's own pickles give it.
extension PickleReader {
  static func reduce(_ function: Token, _ arguments: [Item]) -> Item? {
    switch function {
    case .encode: encode(arguments)
    case .getattr: getattr(arguments)
    case .zoneInfo, .unpickleZone: zone(function, arguments)
    case .timedelta: timedelta(arguments)
    case .timezone: timezone(arguments)
    case .date: state(arguments, 4, zones: false).flatMap { bytes, _ in date(bytes).map { .value(.date($0)) } }
    case .time:
      state(arguments, 6, zones: true).flatMap { bytes, zone in
        clock(bytes, fold: bytes[0] & 0x80 != 0).map { .value(.time($0, zone)) }
      }
    case .datetime:
      state(arguments, 10, zones: true).flatMap { bytes, zone in
        // The month's high bit is the fold.
        guard let date = date([bytes[0], bytes[1], bytes[2] & 0x7f, bytes[3]]),
          let clock = clock(Array(bytes[4...]), fold: bytes[2] & 0x80 != 0, hourIsPlain: true)
        else { return nil }
        return .value(.datetime(date, clock, zone))
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
    guard case .text(let key)? = arguments.first, isZoneKey(key) else { return nil }
    if case .zoneInfo = function { return arguments.count == 1 ? .value(.zone(.named(key))) : nil }
    guard arguments.count == 2 else { return nil }
    switch arguments[1] {
    case .bool, .int(0), .int(1): return .value(.zone(.named(key)))
    default: return nil
    }
  }

  /// Letters, digits and `_ + - .` in parts between slashes, no part empty or hidden, so that no path escapes from a
  /// directory of zones.
  private static func isZoneKey(_ key: String) -> Bool {
    guard (1...64).contains(key.utf8.count) else { return false }
    return key.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).allSatisfy { part in
      guard let first = part.first, first != UInt8(ascii: ".") else { return false }
      return part.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "+"), UInt8(ascii: "-"),
          UInt8(ascii: "."):
          true
        default: false
        }
      }
    }
  }

  private static func timedelta(_ arguments: [Item]) -> Item? {
    guard arguments.count == 3, case .int(let days) = arguments[0], case .int(let seconds) = arguments[1],
      case .int(let microseconds) = arguments[2], abs(days) <= 999_999_999, (0..<86_400).contains(seconds),
      (0..<1_000_000).contains(microseconds)
    else { return nil }
    return .value(.timedelta(days: days, seconds: seconds, microseconds: microseconds))
  }

  private static func timezone(_ arguments: [Item]) -> Item? {
    guard (1...2).contains(arguments.count),
      case .value(.timedelta(let days, let seconds, let microseconds)) = arguments[0], (-1...0).contains(days)
    else { return nil }
    let offset = (days * 86_400 + seconds) * 1_000_000 + microseconds
    guard abs(offset) < 86_400_000_000 else { return nil }
    guard arguments.count == 2 else { return .value(.zone(.offset(offset, name: nil))) }
    guard case .text(let name) = arguments[1], name.unicodeScalars.count <= 64 else { return nil }
    return .value(.zone(.offset(offset, name: name)))
  }

  /// The byte string that a date or time is made of, and its zone.
  private static func state(_ arguments: [Item], _ size: Int, zones: Bool) -> ([UInt8], PickledDate.Zone?)? {
    guard (1...(zones ? 2 : 1)).contains(arguments.count), case .bytes(let bytes) = arguments[0], bytes.count == size
    else { return nil }
    guard arguments.count == 2 else { return (bytes, nil) }
    switch arguments[1] {
    case .none: return (bytes, nil)
    case .value(.zone(let zone)): return (bytes, zone)
    default: return nil
    }
  }

  private static func date(_ bytes: [UInt8]) -> CivilDate? {
    CivilDate(year: Int(bytes[0]) << 8 | Int(bytes[1]), month: Int(bytes[2]), day: Int(bytes[3]))
  }

  /// Hour, minute, second and three bytes of microseconds; a plain time carries its fold in the hour's high bit.
  private static func clock(_ bytes: [UInt8], fold: Bool, hourIsPlain: Bool = false) -> PickledDate.Clock? {
    let clock = PickledDate.Clock(
      hour: Int(hourIsPlain ? bytes[0] : bytes[0] & 0x7f), minute: Int(bytes[1]), second: Int(bytes[2]),
      microsecond: Int(bytes[3]) << 16 | Int(bytes[4]) << 8 | Int(bytes[5]), fold: fold)
    guard clock.hour < 24, clock.minute < 60, clock.second < 60, clock.microsecond < 1_000_000 else { return nil }
    return clock
  }
}
