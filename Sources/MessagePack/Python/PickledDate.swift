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
