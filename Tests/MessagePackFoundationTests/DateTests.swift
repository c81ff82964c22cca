import Foundation
import MessagePack
import Support
import Testing

@testable import MessagePackFoundation

@Suite("Python's dates from and to those of Foundation", .inTurn(minutes: 3)) struct DateTests {
  private func moment(
    _ year: Int, _ month: Int, _ day: Int, _ hour: Int = 0, _ minute: Int = 0, _ second: Int = 0, microsecond: Int = 0,
    fold: Bool = false, in zone: PythonTimeZone? = .utc
  ) throws -> PythonDateTime {
    PythonDateTime(
      try #require(PythonDate(year: year, month: month, day: day)),
      try #require(
        PythonTime(hour: hour, minute: minute, second: second, microsecond: microsecond, fold: fold, zone: zone)))
  }

  // MARK: Moments

  @Test("a moment is a Date, to the microsecond from 1729 to 2273") func moments() throws {
    #expect(try Date(moment(1970, 1, 1)) == Date(timeIntervalSince1970: 0))
    #expect(try Date(moment(2001, 1, 1)) == Date(timeIntervalSinceReferenceDate: 0))
    #expect(try Date(moment(2024, 2, 29, 12, 34, 56, microsecond: 500_000)).timeIntervalSince1970 == 1_709_210_096.5)
    for (year, isExact) in [(1729, true), (1969, true), (2024, true), (2272, true), (9999, false)] {
      for microsecond in [0, 1, 2, 499_999, 500_001, 789_012, 999_998, 999_999] {
        let there = try moment(year, 12, 31, 23, 59, 59, microsecond: microsecond)
        if isExact {
          #expect(try PythonDateTime(Date(there)) == there)
        } else {
          // The day may be another one: the last one of all has none behind it.
          let earlier = try moment(year, 12, 30, 23, 59, 58, microsecond: microsecond)
          let again = try PythonDateTime(Date(earlier))
          #expect(again.date == earlier.date && abs(again.time.microsecond - microsecond) % 999_968 <= 31)
        }
      }
    }
    // What is finer than a microsecond is rounded.
    #expect(try PythonDateTime(Date(timeIntervalSinceReferenceDate: 0.000_001_6)).time.microsecond == 2)
    #expect(try PythonDateTime(Date(timeIntervalSinceReferenceDate: -0.000_000_4)) == moment(2001, 1, 1))
  }

  @Test("years 1 to 9999 are all there are") func years() throws {
    #expect(try PythonDateTime(Date(moment(1, 1, 1))) == moment(1, 1, 1))
    #expect(throws: ConversionError.self) { try PythonDateTime(Date(moment(1, 1, 1)).addingTimeInterval(-1)) }
    #expect(try PythonDateTime(Date(moment(9999, 12, 31))) == moment(9999, 12, 31))
    #expect(throws: ConversionError.self) { try PythonDateTime(Date(moment(9999, 12, 31)).addingTimeInterval(86_400)) }
    for wrong in [Double.nan, .infinity, -.infinity, 1e300] {
      #expect(throws: ConversionError.self) { try PythonDateTime(Date(timeIntervalSinceReferenceDate: wrong)) }
    }
    #expect(throws: ConversionError.self) { try PythonDateTime(.distantPast) }
  }

  @Test("a time without a zone needs one, and a zone has to be known") func zones() throws {
    let naive = try moment(2024, 7, 1, 12, in: nil)
    #expect { try Date(naive) } throws: {
      ($0 as? ConversionError)?.message == "2024-07-01T12:00:00 has no zone: say which one is meant"
    }
    let paris = try #require(TimeZone(identifier: "Europe/Paris"))
    #expect(try Date(naive, withoutZoneIn: paris) == Date(moment(2024, 7, 1, 10)))
    // Its own counts.
    #expect(try Date(moment(2024, 7, 1, 12), withoutZoneIn: paris) == Date(moment(2024, 7, 1, 12)))
    let odd = PythonTimeZone(offset: .seconds(5_415) + .microseconds(500_000), name: "odd")
    #expect(
      try Date(moment(1970, 1, 1, 1, 30, 15, microsecond: 500_001, in: odd)) == Date(moment(1970, 1, 1, microsecond: 1))
    )
    #expect(
      try PythonDateTime(Date(timeIntervalSince1970: 0), in: #require(odd))
        == moment(1970, 1, 1, 1, 30, 15, microsecond: 500_000, in: odd))
    let nowhere = try #require(PythonTimeZone(key: "Nowhere/At_All"))
    #expect(throws: ConversionError.self) { try Date(moment(2024, 1, 1, in: nowhere)) }
    #expect(throws: ConversionError.self) { try PythonDateTime(Date(), in: nowhere) }
  }

  /// Local times around changes of clocks, twice each: gaps, times that occur twice, half hours, odd offsets, none at all.
  private static let local = [
    ("Europe/Paris", 2024, 3, 31, 2, 30), ("Europe/Paris", 2024, 3, 31, 1, 59), ("Europe/Paris", 2024, 10, 27, 2, 30),
    ("Europe/Paris", 2024, 10, 27, 3, 0), ("Europe/Paris", 2024, 10, 27, 1, 59),
    ("America/New_York", 2024, 11, 3, 1, 30),
    ("America/New_York", 2024, 3, 10, 2, 1), ("Australia/Lord_Howe", 2024, 4, 7, 1, 45),
    ("Australia/Lord_Howe", 2024, 10, 6, 2, 15), ("Asia/Kolkata", 2024, 6, 1, 12, 0),
    ("Pacific/Apia", 2011, 12, 30, 12, 0),
  ]

  @Test(
    "local times are the moments that Python says, in both folds, and back",
    .enabled(if: Python.isThere, "\(Python.comment)"))
  func python() async throws {
    let program = """
      import sys, json
      from datetime import datetime, timedelta, timezone
      from zoneinfo import ZoneInfo
      for line in sys.stdin:
          key, *fields, fold = json.loads(line)
          there = datetime(*fields, 7, 123457, ZoneInfo(key), fold=fold)
          moment = there.astimezone(timezone.utc)
          back = moment.astimezone(ZoneInfo(key))
          print(json.dumps([moment.isoformat(), back.replace(tzinfo=None).isoformat(), back.fold]))
      """
    let cases = Self.local.flatMap { sample in [false, true].map { (sample, $0) } }
    let process = try Subprocess(Python.path ?? "", ["-c", program])
    for ((key, year, month, day, hour, minute), fold) in cases {
      process.write("[\"\(key)\", \(year), \(month), \(day), \(hour), \(minute), \(fold ? 1 : 0)]\n")
    }
    process.closeInput()
    let lines = try await process.rest().split(separator: "\n").map(String.init)
    try await process.ended()
    try #require(lines.count == cases.count)
    for (((key, year, month, day, hour, minute), fold), line) in zip(cases, lines) {
      let zone = try #require(PythonTimeZone(key: key))
      let date = try Date(moment(year, month, day, hour, minute, 7, microsecond: 123_457, fold: fold, in: zone))
      let back = try PythonDateTime(date, in: zone)
      let local = "\(back)".split(separator: "[")[0]
      #expect(
        "[\"\(try PythonDateTime(date))\", \"\(local)\", \(back.time.fold ? 1 : 0)]" == line,
        "\(key) \(year)-\(month)-\(day) \(hour):\(minute) \(fold)")
    }
  }

  @Test("the lines of the article") func article() throws {
    let date = Date(timeIntervalSince1970: 1_709_210_096.789_012)
    let paris = try #require(PythonTimeZone(key: "Europe/Paris"))
    let moment = try PythonDateTime(date, in: paris)
    let again = try Date(moment)
    #expect("\(moment)" == "2024-02-29T13:34:56.789012[Europe/Paris]" && again == date)
  }

  // MARK: Zones, components, spans

  @Test("zones keep their keys and whole seconds of offset, and lose the name of an offset") func timeZones() throws {
    let paris = try #require(PythonTimeZone(key: "Europe/Paris"))
    #expect(try TimeZone(python: paris).identifier == "Europe/Paris")
    #expect(try PythonTimeZone(TimeZone(python: paris)) == paris)
    for seconds in [-64_800, -5_400, -3_600, 3_600, 5_400, 20_700, 64_800] {
      let zone = try #require(PythonTimeZone(offset: .seconds(seconds), name: "here"))
      #expect(try TimeZone(python: zone).secondsFromGMT() == seconds)
      #expect(try PythonTimeZone(TimeZone(python: zone)) == PythonTimeZone(offset: .seconds(seconds)))
    }
    #expect(try TimeZone(python: .utc).secondsFromGMT() == 0)
    #expect(try PythonTimeZone(TimeZone(python: .utc)) == .utc)
    for offset in [Duration.seconds(64_801), .milliseconds(500), .seconds(-64_801)] {
      #expect(throws: ConversionError.self) { try TimeZone(python: #require(PythonTimeZone(offset: offset))) }
    }
    #expect(throws: ConversionError.self) { try TimeZone(python: #require(PythonTimeZone(key: "Nowhere/At_All"))) }
  }

  @Test("components hold days and times, and not the fold") func components() throws {
    let paris = try #require(PythonTimeZone(key: "Europe/Paris"))
    let there = try moment(2024, 10, 27, 2, 30, 15, microsecond: 789_012, fold: true, in: paris)
    let components = try DateComponents(there)
    #expect(components.year == 2024 && components.day == 27 && components.nanosecond == 789_012_000)
    #expect(components.timeZone?.identifier == "Europe/Paris")
    #expect(try PythonDateTime(components, fold: true) == there)
    #expect(try PythonDateTime(components).time.fold == false)
    #expect(try PythonDate(DateComponents(there.date)) == there.date)
    #expect(try PythonTime(DateComponents(hour: 7, nanosecond: 1_999)) == PythonTime(hour: 7, microsecond: 1))
    for wrong in [
      DateComponents(year: 2023, month: 2, day: 29), DateComponents(year: 10_000, month: 1, day: 1),
      DateComponents(year: 2024, month: 1), DateComponents(),
    ] { #expect(throws: ConversionError.self) { try PythonDate(wrong) } }
    for wrong in [DateComponents(hour: 24), DateComponents(minute: 1), DateComponents(hour: 1, nanosecond: -1_000)] {
      #expect(throws: ConversionError.self) { try PythonTime(wrong) }
    }
  }

  @Test("spans are seconds, to the microsecond up to 272 years") func spans() throws {
    for microseconds in [0, 1, -1, 999_999, 86_400_000_001, -8_589_934_591_999_999, 8_589_934_591_999_999] {
      let delta = try #require(PythonTimeDelta(microseconds: microseconds))
      #expect(delta.timeInterval == Double(microseconds) / 1_000_000)
      #expect(try PythonTimeDelta(timeInterval: delta.timeInterval) == delta)
    }
    for days in [-999_999_999, 999_999_999] {
      let longest = try #require(PythonTimeDelta(days: days))
      #expect(longest.timeInterval == Double(days) * 86_400)
      #expect(try PythonTimeDelta(timeInterval: longest.timeInterval) == longest)
      #expect(throws: ConversionError.self) {
        try PythonTimeDelta(timeInterval: longest.timeInterval + (days < 0 ? -86_400 : 86_400))
      }
    }
    #expect(try PythonTimeDelta(timeInterval: 1.000_000_6) == PythonTimeDelta(seconds: 1, microseconds: 1))
    for wrong in [Double.nan, .infinity, -1e300] {
      #expect(throws: ConversionError.self) { try PythonTimeDelta(timeInterval: wrong) }
    }
  }
}
