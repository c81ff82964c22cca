import Foundation
import MessagePack
import ZeroMQRPC

/// `dates.*` of `peer_server.py`: the same values, made and taken apart in Swift.
enum PeerDates {
  static let samples: [(name: String, value: any ValueEncodable & Sendable)] = [
    ("date", date(2014, 3, 25)), ("time", PythonTime(hour: 15, minute: 51)),
    ("time_us", PythonTime(hour: 23, minute: 59, second: 59, microsecond: 999_999)),
    ("time_utc", PythonTime(hour: 15, minute: 51, zone: .utc)),
    ("time_fold", PythonTime(hour: 1, minute: 30, fold: true)),
    ("datetime", moment(date(2024, 2, 29), PythonTime(hour: 12, minute: 34, second: 56, microsecond: 789_012))),
    ("datetime_utc", moment(date(2014, 3, 25), PythonTime(hour: 16, minute: 12, zone: .utc))),
    ("datetime_offset", moment(date(2014, 3, 25), PythonTime(hour: 16, minute: 12, zone: offset))),
    (
      "datetime_named",
      moment(
        date(2014, 3, 25),
        PythonTime(hour: 16, minute: 12, zone: PythonTimeZone(offset: .seconds(3_600), name: "CET")))
    ), ("datetime_zone", moment(date(2024, 7, 1), PythonTime(hour: 9, zone: paris))),
    ("datetime_fold", moment(date(2024, 10, 27), PythonTime(hour: 2, minute: 30, fold: true, zone: paris))),
    ("timedelta", PythonTimeDelta(days: 1, seconds: 7_384, microseconds: 5)),
    ("timedelta_negative", PythonTimeDelta(microseconds: -1)), ("tz_utc", PythonTimeZone.utc), ("tz_offset", offset),
    ("tz_zone", paris),
  ]

  private static let offset = PythonTimeZone(offset: .seconds(19_800))
  private static let paris = PythonTimeZone(key: "Europe/Paris")

  private static func date(_ year: Int, _ month: Int, _ day: Int) -> PythonDate? {
    PythonDate(year: year, month: month, day: day)
  }

  private static func moment(_ date: PythonDate?, _ time: PythonTime?) -> PythonDateTime? {
    guard let date, let time else { return nil }
    return PythonDateTime(date, time)
  }

  static var methods: Methods {
    var dates = Methods()
    dates.add("sample", "name") { (name: String) in try sample(name) }
    dates.add("samples") { Value.map(try samples.map { .init(.string($0.name), try $0.value.asValue()) }) }
    dates.add("now") { PythonDateTime(at: Date().timeIntervalSince1970) }
    dates.add("add", "when", "delta") { (when: Value, delta: PythonTimeDelta) in
      if let moment = try? PythonDateTime(converting: when) { return try (moment + delta).asValue() }
      let days = try PythonDate(converting: when).daysSince1970 + delta.days
      guard let day = PythonDate(daysSince1970: days) else { throw overflow }
      return day.asValue()
    }
    dates.add("iso", "value") { (value: Value) in
      if let date = try? PythonDate(converting: value) { return "\(date)" }
      if let time = try? PythonTime(converting: value) { return "\(time)" }
      return "\(try PythonDateTime(converting: value))"
    }
    dates.add("equal", "name", "value") { (name: String, value: Value) in try sample(name) == again(value) }
    return dates
  }

  fileprivate static let overflow = RemoteException("builtins.OverflowError", ["date value out of range"])

  private static func sample(_ name: String) throws -> Value {
    guard let sample = samples.first(where: { $0.name == name }) else { throw RemoteException.key(.string(name)) }
    return try sample.value.asValue()
  }

  /// The same value, read and written anew.
  static func again(_ value: Value) throws -> Value {
    switch value {
    case .ext(123, _): try PythonTimeZone(converting: value).asValue()
    case .ext(124, _): try PythonTimeDelta(converting: value).asValue()
    case .ext(125, _): try PythonTime(converting: value).asValue()
    case .ext(126, _): try PythonDateTime(converting: value).asValue()
    case .ext(127, _): try PythonDate(converting: value).asValue()
    default: value
    }
  }
}

extension PythonDateTime {
  /// A moment in UTC, in seconds from 1970-01-01.
  fileprivate init?(at seconds: Double) {
    guard let span = PythonTimeDelta(microseconds: Int(seconds * 1_000_000)) else { return nil }
    self.init(span, zone: .utc)
  }

  /// So long after the beginning of 1970.
  private init?(_ span: PythonTimeDelta, zone: PythonTimeZone?) {
    let second = span.seconds
    guard let date = PythonDate(daysSince1970: span.days),
      let time = PythonTime(
        hour: second / 3_600, minute: second / 60 % 60, second: second % 60, microsecond: span.microseconds, zone: zone)
    else { return nil }
    self.init(date, time)
  }

  /// As Python adds: the clock on the wall goes on, and the fold is gone.
  fileprivate static func + (when: PythonDateTime, delta: PythonTimeDelta) throws -> PythonDateTime {
    let time = when.time
    let span = PythonTimeDelta(
      days: when.date.daysSince1970 + delta.days,
      seconds: (time.hour * 60 + time.minute) * 60 + time.second + delta.seconds,
      microseconds: time.microsecond + delta.microseconds)
    guard let moment = span.flatMap({ PythonDateTime($0, zone: time.zone) }) else { throw PeerDates.overflow }
    return moment
  }
}
