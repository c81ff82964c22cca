public import Foundation
public import MessagePack

/// Microseconds between 1970 and 2001, where Foundation's dates begin.
private let microsecondsTo2001 = 978_307_200_000_000

extension Date {
  /// The moment. To the microsecond from 1729 to 2273; outside of that a `Date` has not the digits for it, and it is off by up to 31 µs.
  /// The zone is lost, and with it the fold, once it has told which of two equal local times this is.
  ///
  /// A moment without a zone is one only in `zone`, and without that throws. So does a key that Foundation does not know. A local time that
  /// was skipped when clocks went forward is the one that Python's `timestamp` gives.
  public init(_ moment: PythonDateTime, withoutZoneIn zone: TimeZone? = nil) throws(ConversionError) {
    let local = moment.localMicroseconds
    let offset: Int
    if let fixed = moment.time.zone?.offset {
      offset = Int(fixed.components.seconds) * 1_000_000 + Int(fixed.components.attoseconds / 1_000_000_000_000)
    } else if let zone = try moment.time.zone.map(TimeZone.init(python:)) ?? zone {
      let second = local.quotientAndFloorRemainder(dividingBy: 1_000_000).quotient
      offset = zone.offset(ofLocal: second, fold: moment.time.fold) * 1_000_000
    } else {
      throw ConversionError(code: .value, message: "\(moment) has no zone: say which one is meant")
    }
    self.init(timeIntervalSinceReferenceDate: Double(local - offset - microsecondsTo2001) / 1_000_000)
  }
}

extension PythonDateTime {
  /// The local time of that moment in the zone, with the fold of a time that occurs twice. To the nearest microsecond: what is finer is
  /// lost.
  ///
  /// Throws for moments outside the years 1 to 9999, and for a key that Foundation does not know.
  public init(_ date: Date, in zone: PythonTimeZone = .utc) throws(ConversionError) {
    let interval = (date.timeIntervalSinceReferenceDate * 1_000_000).rounded()
    // No year from 1 to 9999 is beyond this, and no sum overflows within it.
    guard abs(interval) < 1e18 else { throw .beyondYears("\(date.timeIntervalSinceReferenceDate) s from 2001") }
    let moment = Int(interval) + microsecondsTo2001
    if let fixed = zone.offset {
      let offset = Int(fixed.components.seconds) * 1_000_000 + Int(fixed.components.attoseconds / 1_000_000_000_000)
      try self.init(localMicroseconds: moment + offset, fold: false, zone)
    } else {
      let second = moment.quotientAndFloorRemainder(dividingBy: 1_000_000).quotient
      let there = try TimeZone(python: zone)
      let offset = there.offset(at: second)
      try self.init(
        localMicroseconds: moment + offset * 1_000_000, fold: there.isSecond(at: second, offset: offset), zone)
    }
  }

  /// From 1970-01-01T00:00:00, as if there were no zones.
  fileprivate var localMicroseconds: Int {
    let seconds = date.daysSince1970 * 86_400 + time.hour * 3_600 + time.minute * 60 + time.second
    return seconds * 1_000_000 + time.microsecond
  }

  private init(localMicroseconds: Int, fold: Bool, _ zone: PythonTimeZone) throws(ConversionError) {
    let (seconds, microsecond) = localMicroseconds.quotientAndFloorRemainder(dividingBy: 1_000_000)
    let (days, second) = seconds.quotientAndFloorRemainder(dividingBy: 86_400)
    guard let date = PythonDate(daysSince1970: days),
      let time = PythonTime(
        hour: second / 3_600, minute: second / 60 % 60, second: second % 60, microsecond: microsecond, fold: fold,
        zone: zone)
    else { throw .beyondYears("\(days) days from 1970") }
    self.init(date, time)
  }
}

extension TimeZone {
  /// Seconds, at a second from 1970.
  fileprivate func offset(at second: Int) -> Int {
    secondsFromGMT(for: Date(timeIntervalSince1970: Double(second)))
  }

  /// Seconds, at a local time, as PEP 495 has it: of two offsets the fold picks the later one, in a gap too.
  fileprivate func offset(ofLocal second: Int, fold: Bool) -> Int {
    // No zone is a day from UTC, and none changes twice within two days.
    let (before, after) = (offset(at: second - 86_400), offset(at: second + 86_400))
    let (isBefore, isAfter) = (offset(at: second - before) == before, offset(at: second - after) == after)
    if isBefore == isAfter { return fold ? after : before }
    return isBefore ? before : after
  }

  /// Whether the local time of that second was there before, an offset ago.
  fileprivate func isSecond(at second: Int, offset: Int) -> Bool {
    let before = self.offset(at: second - 86_400)
    return before > offset && self.offset(at: second + offset - before) == before
  }
}

extension ConversionError {
  fileprivate static func beyondYears(_ what: String) -> ConversionError {
    ConversionError(code: .value, message: "\(what) is outside the years 1 to 9999 of Python's dates")
  }
}
