import Support
import Testing

@testable import MessagePack

@Suite("dates pickled by Python", .inTurn(minutes: 3))
struct PickledDateTests {
  static let good = Golden.pickles.filter { $0.pattern != "ext-payload-refuse" }
  static let bad = Golden.pickles.filter { $0.pattern == "ext-payload-refuse" }

  @Test("every recorded value is read as Python meant it", arguments: good)
  func read(vector: Golden.Vector) throws {
    let code = try #require(vector.code)
    let value = try #require(vector.payload.withUnsafeBytes { PickledDate(code: code, payload: $0) })
    #expect(value == Self.expected(try #require(vector.decoded)))
    // The same payload under another class's code is not that class.
    for other: Int8 in 123...127 where other != code {
      #expect(vector.payload.withUnsafeBytes { PickledDate(code: other, payload: $0) } == nil)
    }
  }

  @Test("everything else stays an opaque extension", arguments: bad)
  func refuse(vector: Golden.Vector) throws {
    for code: Int8 in 123...127 {
      #expect(vector.payload.withUnsafeBytes { PickledDate(code: code, payload: $0) } == nil)
      #expect(try print(written(.ext(code, vector.payload))).hasPrefix("{\"$ext\":[\(code),\""))
    }
  }

  @Test("there are 150 good and 26 bad vectors")
  func count() {
    #expect(Self.good.count == 150)
    #expect(Self.bad.count == 26)
  }

  @Test(
    "each class has its ISO 8601 text",
    arguments: [
      ("portable_date", "2014-03-25"), ("portable_date_min", "0001-01-01"), ("portable_date_max", "9999-12-31"),
      ("portable_timedelta_zero", "PT0S"), ("portable_timedelta", "P1DT2H3M4S"),
      ("portable_timedelta_us", "PT1.000005S"),
      ("portable_timedelta_300d", "P300D"), ("portable_timedelta_neg_1us", "-PT0.000001S"),
      ("portable_timedelta_min", "-P999999999D"), ("portable_timedelta_max", "P999999999DT23H59M59.999999S"),
      ("portable_time", "15:51:00"), ("portable_time_us", "23:59:59.999999"), ("portable_time_utc", "15:51:00+00:00"),
      ("portable_datetime", "2014-03-25T15:18:00"), ("portable_datetime_us", "2024-02-29T12:34:56.789012"),
      ("portable_datetime_utc", "2014-03-25T16:12:00+00:00"),
      ("portable_datetime_plus0530", "2014-03-25T16:12:00+05:30"),
      ("portable_datetime_zone", "2024-07-01T09:00:00[Europe/Paris]"), ("portable_tz_utc", "+00:00"),
      ("portable_tz_plus0530", "+05:30"),
    ])
  func text(name: String, text: String) throws {
    let vector = try #require(Golden.pickles.first { $0.name == name })
    #expect(try print(written(.ext(try #require(vector.code), vector.payload))) == "\"\(text)\"")
  }

  @Test("a changed or cut payload is a valid value or nothing")
  func mutations() {
    for vector in Golden.pickles {
      let payload = vector.payload
      for index in payload.indices {
        for byte in [payload[index] ^ 1, 0xff, 0x94, UInt8(ascii: ".")] {
          var changed = payload
          changed[index] = byte
          for code: Int8 in 123...127 { _ = changed.withUnsafeBytes { PickledDate(code: code, payload: $0)?.text } }
        }
        #expect(payload[..<index].withUnsafeBytes { PickleReader.read($0) } == nil)
      }
    }
  }

  static func expected(_ decoded: Golden.Vector.Decoded) -> PickledDate? {
    let fields = decoded.fields ?? []
    func zone(_ kind: String, _ offset: Int?, _ key: String?, _ name: String?) -> PythonTimeZone? {
      kind == "zone"
        ? key.flatMap { PythonTimeZone(key: $0) }
        : offset.flatMap { PythonTimeZone(offset: .microseconds($0), name: name) }
    }
    let attached = decoded.tz.flatMap { zone($0.kind, $0.offset_microseconds, $0.key, $0.name) }
    func time(_ fields: ArraySlice<Int>) -> PythonTime? {
      let fields = Array(fields)
      return PythonTime(
        hour: fields[0], minute: fields[1], second: fields[2], microsecond: fields[3], fold: decoded.fold == 1,
        zone: attached)
    }
    switch decoded.kind {
    case "date": return PythonDate(year: fields[0], month: fields[1], day: fields[2]).map { .date($0) }
    case "time": return time(fields[...]).map { .time($0) }
    case "datetime":
      guard let date = PythonDate(year: fields[0], month: fields[1], day: fields[2]), let time = time(fields[3...])
      else { return nil }
      return .datetime(PythonDateTime(date, time))
    case "timedelta":
      return PythonTimeDelta(days: fields[0], seconds: fields[1], microseconds: fields[2]).map { .timedelta($0) }
    default:
      return zone(decoded.kind ?? "", decoded.offset_microseconds, decoded.key, decoded.name).map { .zone($0) }
    }
  }
}
