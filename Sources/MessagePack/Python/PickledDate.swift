/// A value of Python's datetime family, as aiozmq sends it in extensions 123 to 127.
///
/// Made only from checked parts, by a reader that knows these classes and nothing else: it can run no code and look up
/// no name.
enum PickledDate: Hashable {
  /// A time of day in whole microseconds.
  struct Clock: Hashable {
    var hour: Int
    var minute: Int
    var second: Int
    var microsecond: Int
    /// Python's mark for the second of two equal local times, when clocks go back. Its ISO text does not show it.
    var fold: Bool
  }

  /// What a local time is measured against.
  enum Zone: Hashable {
    /// A fixed offset from UTC in microseconds, below 24 hours either way.
    case offset(Int, name: String?)
    /// A zone of the time zone database, by its key.
    case named(String)
  }

  case date(CivilDate)
  case time(Clock, Zone?)
  case datetime(CivilDate, Clock, Zone?)
  /// Python's normal form: 0 ..< 86,400 seconds and 0 ..< 10^6 microseconds, so that only the days can be negative.
  case timedelta(days: Int, seconds: Int, microseconds: Int)
  case zone(Zone)

  /// Reads an extension's payload; nil when it is anything but a value of the class that belongs to `code`.
  init?(code: Int8, payload: UnsafeRawBufferPointer) {
    guard let value = PickleReader.read(payload), value.code == code else { return nil }
    self = value
  }

  /// The extension code of the value's class.
  var code: Int8 {
    switch self {
    case .zone: 123
    case .timedelta: 124
    case .time: 125
    case .datetime: 126
    case .date: 127
    }
  }
}

extension PickledDate {
  /// ISO 8601 text: what Python's `isoformat` gives; a duration such as `P1DT2H3M4.000005S`; an offset; a zone's key. A
  /// time in a named zone is the local time with the key in brackets (RFC 9557).
  var text: String {
    switch self {
    case .date(let date): date.text
    case .time(let clock, let zone): clock.text + Self.suffix(zone)
    case .datetime(let date, let clock, let zone): "\(date.text)T\(clock.text)\(Self.suffix(zone))"
    case .timedelta(let days, let seconds, let microseconds): Self.duration(days, seconds, microseconds)
    case .zone(let zone): zone.text
    }
  }

  private static func suffix(_ zone: Zone?) -> String {
    switch zone {
    case nil: ""
    case .offset?: zone?.text ?? ""
    case .named(let key)?: "[\(key)]"
    }
  }

  private static func duration(_ days: Int, _ seconds: Int, _ microseconds: Int) -> String {
    var (days, seconds, microseconds) = (days, seconds, microseconds)
    let negative = days < 0
    if negative {
      // -(d, s, us), brought back into the ranges that are not negative.
      (days, seconds, microseconds) = (-days, -seconds, -microseconds)
      if microseconds < 0 { (seconds, microseconds) = (seconds - 1, microseconds + 1_000_000) }
      if seconds < 0 { (days, seconds) = (days - 1, seconds + 86_400) }
    }
    var text = negative ? "-P" : "P"
    if days != 0 { text += "\(days)D" }
    var clock = ""
    if seconds >= 3600 { clock += "\(seconds / 3600)H" }
    if seconds / 60 % 60 != 0 { clock += "\(seconds / 60 % 60)M" }
    if seconds % 60 != 0 || microseconds != 0 {
      clock += "\(seconds % 60)"
      if microseconds != 0 {
        var fraction = CivilDate.padded(microseconds, 6)
        while fraction.last == "0" { fraction.removeLast() }
        clock += ".\(fraction)"
      }
      clock += "S"
    }
    if clock.isEmpty, days == 0 { clock = "0S" }
    return clock.isEmpty ? text : "\(text)T\(clock)"
  }
}

extension PickledDate.Clock {
  /// `HH:MM:SS`, with six decimals unless they are all zero.
  var text: String {
    CivilDate.clock(hour, minute, second) + (microsecond == 0 ? "" : ".\(CivilDate.padded(microsecond, 6))")
  }
}

extension PickledDate.Zone {
  /// `+HH:MM`, with seconds and microseconds when it has them, or the zone's key.
  var text: String {
    switch self {
    case .named(let key): return key
    case .offset(let offset, _):
      let (seconds, fraction) = abs(offset).quotientAndRemainder(dividingBy: 1_000_000)
      var text = offset < 0 ? "-" : "+"
      text += "\(CivilDate.padded(seconds / 3600, 2)):\(CivilDate.padded(seconds / 60 % 60, 2))"
      if seconds % 60 != 0 || fraction != 0 { text += ":\(CivilDate.padded(seconds % 60, 2))" }
      if fraction != 0 { text += ".\(CivilDate.padded(fraction, 6))" }
      return text
    }
  }
}
