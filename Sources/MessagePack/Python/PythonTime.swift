/// A time of day in whole microseconds, as Python's `datetime.time`.
public struct PythonTime: Hashable, Sendable {
  /// 0 ..< 24.
  public let hour: Int
  /// 0 ..< 60.
  public let minute: Int
  /// 0 ..< 60.
  public let second: Int
  /// 0 ..< 1,000,000.
  public let microsecond: Int
  /// Python's mark for the second of two equal local times, when clocks go back.
  public let fold: Bool
  /// What it is measured against; nil for a time that does not say.
  public let zone: PythonTimeZone?

  /// Nil when there is no such time; a leap second is none.
  public init?(
    hour: Int, minute: Int = 0, second: Int = 0, microsecond: Int = 0, fold: Bool = false, zone: PythonTimeZone? = nil
  ) {
    guard (0..<24).contains(hour), (0..<60).contains(minute), (0..<60).contains(second),
      (0..<1_000_000).contains(microsecond)
    else { return nil }
    (self.hour, self.minute, self.second, self.microsecond) = (hour, minute, second, microsecond)
    (self.fold, self.zone) = (fold, zone)
  }

  /// `HH:MM:SS`, with six decimals unless they are all zero.
  var clockText: String {
    Self.clock(hour, minute, second) + (microsecond == 0 ? "" : ".\(microsecond.padded(6))")
  }

  /// `HH:MM:SS`.
  static func clock(_ hour: Int, _ minute: Int, _ second: Int) -> String {
    "\(hour.padded(2)):\(minute.padded(2)):\(second.padded(2))"
  }
}

extension PythonTime: CustomStringConvertible {
  /// What Python's `isoformat` gives, which does not show the fold; a named zone follows in brackets (RFC 9557).
  public var description: String {
    guard let zone else { return clockText }
    return zone.key == nil ? "\(clockText)\(zone)" : "\(clockText)[\(zone)]"
  }
}

extension PythonTime: ValueConvertible {
  public init(converting value: Value) throws(ConversionError) {
    guard case .time(let time)? = PickledDate(value) else { throw .needed("a time of Python", not: value) }
    self = time
  }
  public func asValue() -> Value { PickledDate.time(self).value }
}

/// A day and a time, as Python's `datetime.datetime`. The fold and the zone are the time's.
public struct PythonDateTime: Hashable, Sendable {
  /// The day.
  public let date: PythonDate
  /// The time of that day.
  public let time: PythonTime

  /// That time of that day.
  public init(_ date: PythonDate, _ time: PythonTime) { (self.date, self.time) = (date, time) }
}

extension PythonDateTime: CustomStringConvertible {
  /// What Python's `isoformat` gives, which does not show the fold; a named zone follows in brackets (RFC 9557).
  public var description: String { "\(date)T\(time)" }
}

extension PythonDateTime: ValueConvertible {
  public init(converting value: Value) throws(ConversionError) {
    guard case .datetime(let moment)? = PickledDate(value) else { throw .needed("a datetime of Python", not: value) }
    self = moment
  }
  public func asValue() -> Value { PickledDate.datetime(self).value }
}
