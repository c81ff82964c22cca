public import Foundation
public import MessagePack

extension DateComponents {
  /// Year, month and day. Python counts days by today's calendar at all times; `Calendar` has another one before October 1582, and makes
  /// other moments of these.
  public init(_ date: PythonDate) { self.init(year: date.year, month: date.month, day: date.day) }

  /// Hour, minute, second and nanosecond, and the zone if there is one. The fold and the name of a fixed offset are lost. Throws for a zone
  /// that Foundation does not have, as `TimeZone(python:)`.
  public init(_ time: PythonTime) throws(ConversionError) {
    var zone: TimeZone?
    if let given = time.zone { zone = try TimeZone(python: given) }
    self.init(
      timeZone: zone, hour: time.hour, minute: time.minute, second: time.second, nanosecond: time.microsecond * 1_000)
  }

  /// Those of the day and of the time.
  public init(_ moment: PythonDateTime) throws(ConversionError) {
    try self.init(moment.time)
    (year, month, day) = (moment.date.year, moment.date.month, moment.date.day)
  }
}

extension PythonDate {
  /// The day of year, month and day, all of which have to be there. Throws for what is no day of the years 1 to 9999; what else the
  /// components say is left out.
  public init(_ components: DateComponents) throws(ConversionError) {
    guard let year = components.year, let month = components.month, let day = components.day,
      let date = PythonDate(year: year, month: month, day: day)
    else { throw ConversionError(code: .value, message: "\(components) is no day of the years 1 to 9999") }
    self = date
  }
}

extension PythonTime {
  /// The time of hour, which has to be there, minute, second and nanosecond, which are 0 if not, and of the zone. Parts of a microsecond are
  /// cut off; `fold` says whether it is the second of two equal times, which components cannot. Throws for what is no time, and for a zone
  /// whose identifier can be no key.
  public init(_ components: DateComponents, fold: Bool = false) throws(ConversionError) {
    var zone: PythonTimeZone?
    if let given = components.timeZone { zone = try PythonTimeZone(given) }
    guard components.hour != nil,
      let time = PythonTime(
        hour: components.hour ?? 0, minute: components.minute ?? 0, second: components.second ?? 0,
        microsecond: (components.nanosecond ?? 0) / 1_000, fold: fold, zone: zone)
    else { throw ConversionError(code: .value, message: "\(components) is no time of day") }
    self = time
  }
}

extension PythonDateTime {
  /// The day and the time of the components. Throws as those do.
  public init(_ components: DateComponents, fold: Bool = false) throws(ConversionError) {
    self.init(try PythonDate(components), try PythonTime(components, fold: fold))
  }
}
