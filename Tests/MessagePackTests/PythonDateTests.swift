import Support
import Testing

@testable import MessagePack

@Suite("Python's dates as values of Swift", .inTurn(minutes: 3))
struct PythonDateTests {
  @Test("VALUE-5: what Python pickled is read, written and read again without loss", arguments: PickledDateTests.good)
  func again(vector: Golden.Vector) throws {
    let value = Value.ext(try #require(vector.code), vector.payload)
    let expected = PickledDateTests.expected(try #require(vector.decoded))
    switch expected {
    case .date(let date)?: try check(date, value)
    case .time(let time)?: try check(time, value)
    case .datetime(let moment)?: try check(moment, value)
    case .timedelta(let delta)?:
      try check(delta, value)
      #expect(PythonTimeDelta(delta.duration) == delta)
    case .zone(let zone)?: try check(zone, value)
    case nil: Issue.record("\(vector)")
    }
  }

  private func check<Date: ValueConvertible & Hashable>(_ date: Date, _ value: Value) throws {
    #expect(try Date(converting: value) == date)
    #expect(try Date(converting: date.asValue()) == date)
    guard case .ext(let code, let payload) = value else { return }
    // Under another code it is bytes.
    for other in 123...127 where other != code {
      #expect(throws: ConversionError.self) { try Date(converting: .ext(Int8(other), payload)) }
    }
  }

  @Test("VALUE-6, VALUE-13: what is no value of these classes stays bytes", arguments: PickledDateTests.bad)
  func opaque(vector: Golden.Vector) {
    for code: Int8 in 123...127 {
      let value = Value.ext(code, vector.payload)
      #expect(throws: ConversionError.self) { try PythonDate(converting: value) }
      #expect(throws: ConversionError.self) { try PythonTime(converting: value) }
      #expect(throws: ConversionError.self) { try PythonDateTime(converting: value) }
      #expect(throws: ConversionError.self) { try PythonTimeDelta(converting: value) }
      #expect(throws: ConversionError.self) { try PythonTimeZone(converting: value) }
    }
  }

  @Test("there is no value for what Python has none") func bounds() throws {
    #expect(PythonDate(year: 0, month: 1, day: 1) == nil && PythonDate(year: 10_000, month: 1, day: 1) == nil)
    #expect(PythonDate(year: 2023, month: 2, day: 29) == nil && PythonDate(year: 2024, month: 2, day: 29) != nil)
    for day in [-719_162, -1, 0, 1, 19_782, 2_932_896] {
      #expect(PythonDate(daysSince1970: day)?.daysSince1970 == day)
    }
    #expect(PythonDate(daysSince1970: -719_163) == nil && PythonDate(daysSince1970: 2_932_897) == nil)
    #expect(PythonTime(hour: 24) == nil && PythonTime(hour: 23, minute: 60) == nil)
    #expect(PythonTime(hour: 23, minute: 59, second: 60) == nil)
    #expect(PythonTime(hour: 0, microsecond: 1_000_000) == nil && PythonTime(hour: -1) == nil)
  }

  @Test("spans are normal, exact, and at most 999,999,999 days") func spans() throws {
    let delta = try #require(PythonTimeDelta(microseconds: -1))
    #expect((delta.days, delta.seconds, delta.microseconds) == (-1, 86_399, 999_999))
    #expect(PythonTimeDelta(days: 1, seconds: -86_400) == PythonTimeDelta())
    #expect(PythonTimeDelta(days: 999_999_999, seconds: 86_399, microseconds: 999_999) != nil)
    #expect(PythonTimeDelta(days: 999_999_999, seconds: 86_400) == nil && PythonTimeDelta(days: -1_000_000_000) == nil)
    #expect(PythonTimeDelta(seconds: .max) == nil && PythonTimeDelta(days: .max, seconds: .max) == nil)
    #expect(PythonTimeDelta(.milliseconds(-1_500))?.duration == .milliseconds(-1_500))
    #expect(PythonTimeDelta(.nanoseconds(1)) == nil && PythonTimeDelta(.seconds(Int64.max)) == nil)
  }

  @Test("zones are offsets below a day, or keys that name no file elsewhere") func zones() throws {
    #expect(PythonTimeZone(offset: .seconds(86_399))?.offset == .seconds(86_399))
    #expect(PythonTimeZone(offset: .seconds(86_400)) == nil && PythonTimeZone(offset: .seconds(-86_400)) == nil)
    #expect(PythonTimeZone(offset: .nanoseconds(1)) == nil)
    #expect(PythonTimeZone(offset: .zero, name: String(repeating: "é", count: 64))?.name?.count == 64)
    #expect(PythonTimeZone(offset: .zero, name: String(repeating: "é", count: 65)) == nil)
    for key in ["", "/etc", "../zone", "a//b", "a\nb", "Zürich", String(repeating: "a", count: 65)] {
      #expect(PythonTimeZone(key: key) == nil, "\(key)")
    }
    #expect(PythonTimeZone(key: "Etc/GMT+5")?.key == "Etc/GMT+5" && PythonTimeZone.utc.key == nil)
    #expect("\(PythonTimeZone.utc)" == "+00:00")
  }
}
