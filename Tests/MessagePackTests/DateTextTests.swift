import Support
import Testing

@testable import MessagePack

@Suite("dates in arguments", .inTurn(minutes: 3))
struct DateTextTests {
  static let pickling = JSONToMessagePack(extensions: .init(picklesDates: true))

  /// The value that is read from what an object with this key is written as.
  private func sent(_ key: String, _ text: String) throws(TranscodingError) -> PickledDate? {
    let packed = try pack("[{\"$\(key)\":\"\(text)\"}]", Self.pickling)
    guard case .array(let members)? = try? Unpacker().unpack(packed), case .ext(let code, let payload)? = members.first
    else { return nil }
    return payload.withUnsafeBytes { PickledDate(code: code, payload: $0) }
  }

  @Test(
    "are read as they are shown",
    arguments: [
      ("date", "2014-03-25"), ("date", "0001-01-01"), ("date", "9999-12-31"), ("date", "2024-02-29"),
      ("time", "15:51:00"), ("time", "23:59:59.999999"), ("time", "00:00:00.000001"), ("time", "15:51:00+00:00"),
      ("time", "15:51:00[Europe/Paris]"), ("time", "15:51:00-23:59:59.999999"),
      ("datetime", "2014-03-25T15:18:00"), ("datetime", "2024-02-29T12:34:56.789012"),
      ("datetime", "2014-03-25T16:12:00+05:30"), ("datetime", "2014-03-25T16:12:00-00:00:30"),
      ("datetime", "2024-07-01T09:00:00[Europe/Paris]"), ("timedelta", "PT0S"), ("timedelta", "P1DT2H3M4S"),
      ("timedelta", "PT1.000005S"), ("timedelta", "-PT0.000001S"), ("timedelta", "-P999999999D"),
      ("timedelta", "P999999999DT23H59M59.999999S"), ("timedelta", "P300D"), ("timedelta", "-P1DT2H"),
    ])
  func sameText(key: String, text: String) throws {
    #expect(try #require(try sent(key, text)).text == text)
  }

  @Test(
    "have other spellings",
    arguments: [
      ("time", "15:51:00Z", "15:51:00+00:00"),
      ("datetime", "2014-03-25t15:18:00.5z", "2014-03-25T15:18:00.500000+00:00"),
      ("datetime", "2014-03-25 15:18:00", "2014-03-25T15:18:00"), ("timedelta", "PT26H", "P1DT2H"),
      ("timedelta", "PT86400.5S", "P1DT0.5S"), ("timedelta", "P0D", "PT0S"), ("timedelta", "PT90M", "PT1H30M"),
      ("time", "15:51:00-00:00", "15:51:00+00:00"),
    ])
  func spellings(key: String, text: String, shown: String) throws {
    #expect(try #require(try sent(key, text)).text == shown)
  }

  @Test("carry the fold")
  func fold() throws {
    for text in [
      "2024-10-27T02:30:00[fold=1]", "2024-10-27T02:30:00+01:00[fold=1]", "2024-10-27T02:30:00[Europe/Paris][fold=1]",
    ] {
      guard case .datetime(let moment)? = try sent("datetime", text) else {
        Issue.record("\(text) is no datetime")
        continue
      }
      #expect(moment.time.fold)
    }
    guard case .time(let time)? = try sent("time", "02:30:00[fold=1]") else {
      Issue.record("no time")
      return
    }
    #expect(time.fold && time.zone == nil)
  }

  @Test(
    "that are something else are refused at their place",
    arguments: [
      ("date", "2023-02-29"), ("date", "2023-2-9"), ("date", "0000-01-01"), ("date", "2023-01-01T00:00:00"),
      ("date", ""),
      ("date", "2023-01-01 "), ("date", " 2023-01-01"), ("date", "20230101"), ("date", "2023-13-01"),
      ("date", "2023-01-00"),
      ("time", "24:00:00"), ("time", "12:60:00"), ("time", "12:00:60"), ("time", "12:00"), ("time", "12:00:00."),
      ("time", "12:00:00.1234567"), ("time", "12:00:00.0000000"), ("time", "12:00:00+24:00"), ("time", "12:00:00+2:00"),
      ("time", "12:00:00+0200"), ("time", "12:00:00+02:60"), ("time", "12:00:00+02:00:60"), ("time", "12:00:00[]"),
      ("time", "12:00:00[../etc/passwd]"), ("time", "12:00:00[/etc/passwd]"), ("time", "12:00:00[Europe/Paris"),
      ("time", "12:00:00[fold=2]"), ("time", "12:00:00[fold=1][fold=1]"), ("time", "12:00:00[fold=1]Z"),
      ("time", "12:00:00+01:00[Europe/Paris]"), ("time", "12:00:00[a b]"), ("time", "12:00:00ZZ"),
      ("datetime", "2024-02-29"), ("datetime", "2024-02-29_12:00:00"), ("datetime", "2024-02-30T12:00:00"),
      ("datetime", "2024-02-29T12:00:00 +01:00"), ("datetime", "2024-02-29T12:00:00\\u0000"),
      ("timedelta", "P"), ("timedelta", "PT"), ("timedelta", "P1"), ("timedelta", "1D"), ("timedelta", "PD"),
      ("timedelta", "P1DT"), ("timedelta", "PT1"), ("timedelta", "PT1.5H"), ("timedelta", "PT1.1234567S"),
      ("timedelta", "PT1S1M"), ("timedelta", "PT1S1S"), ("timedelta", "PT1H1H"), ("timedelta", "P1W"),
      ("timedelta", "P1Y"),
      ("timedelta", "P1000000000D"), ("timedelta", "-P999999999DT0.000001S"), ("timedelta", "+P1D"),
      ("timedelta", "--P1D"), ("timedelta", "P-1D"), ("timedelta", "PT1234567890123S"), ("timedelta", "p1d"),
    ])
  func refused(key: String, text: String) throws {
    let error = try #require(failure { () throws(TranscodingError) in try sent(key, text) })
    #expect(error.code == .notEncodable)
    #expect(error.pointer == "/0")
  }

  @Test("that are no text, or not wanted, are refused", arguments: ["datetime", "date", "time", "timedelta"])
  func wrong(key: String) throws {
    for value in ["1", "null", "[]", "{}", "{\"$bin\":\"\"}"] {
      let error = failure { () throws(TranscodingError) in try pack("{\"a\":[{\"$\(key)\":\(value)}]}", Self.pickling) }
      #expect(error?.code == .notEncodable)
      #expect(error?.pointer == "/a/0")
    }
    let error = failure { () throws(TranscodingError) in try pack("[1,{\"$\(key)\":\"2024-02-29\"}]") }
    #expect(error?.code == .notEncodable)
    #expect(error?.pointer == "/1")
  }

  @Test("are written within the room that was made for them, however many there are")
  func room() throws {
    for object in [#"{"$time":"00:00:00Z"}"#, #"{"$date":"2024-02-29"}"#, #"{"$timedelta":"PT0S"}"#] {
      let count = 5_000
      let packed = try pack("[\(Array(repeating: object, count: count).joined(separator: ","))]", Self.pickling)
      let one = try pack("[\(object)]", Self.pickling).dropFirst()
      #expect(packed.count == 3 + count * one.count)
      #expect(packed.suffix(one.count) == one)
    }
  }

  @Test("every recorded value is pickled as the recording of the simplest form")
  func pickles() throws {
    for vector in PickledDateTests.good {
      let code = try #require(vector.code)
      let date = try #require(vector.payload.withUnsafeBytes { PickledDate(code: code, payload: $0) })
      #expect(date.pickle.withUnsafeBytes { PickledDate(code: code, payload: $0) } == date)
      if vector.name.hasPrefix("portable_") { #expect(date.pickle == vector.payload) }
    }
  }
}

@Suite("application types", .inTurn(minutes: 3))
struct ExtensionRulesTests {
  let rules = ExtensionRules([10: .text, 11: .base64])

  @Test(
    "are shown as text where the rules say so and the bytes are text",
    arguments: [
      (Value.ext(10, Array("12.50".utf8)), #""12.50""#), (.ext(10, []), #""""#),
      (.ext(10, Array("é\"\n".utf8)), #""é\"\n""#),
      (.ext(10, [0xff]), #"{"$ext":[10,"/w=="]}"#), (.ext(11, Array("a".utf8)), #"{"$ext":[11,"YQ=="]}"#),
      (.ext(12, Array("a".utf8)), #"{"$ext":[12,"YQ=="]}"#), (.ext(-10, Array("a".utf8)), #"{"$ext":[-10,"YQ=="]}"#),
      (
        .array([.ext(10, Array(String(repeating: "x", count: 300).utf8)), 1]),
        "[\"\(String(repeating: "x", count: 300))\",1]"
      ),
    ])
  func shown(value: Value, text: String) throws {
    #expect(try print(written(value), .init(extensions: rules)) == text)
  }

  @Test(
    "are sent as base64 or as text, for each listed code",
    arguments: [
      (#"{"$ext":[10,"MTIuNTA="]}"#, Value.ext(10, Array("12.50".utf8))),
      (#"{"$ext":[10,{"text":"12.50"}]}"#, .ext(10, Array("12.50".utf8))),
      (#"{"$ext":[11,{"text":""}]}"#, .ext(11, [])),
      (#"{"$ext":[11,{"text":"é\u0000"}]}"#, .ext(11, Array("é\0".utf8))),
    ])
  func sent(json: String, value: Value) throws {
    #expect(try pack(json, .init(extensions: rules)) == written(value))
    #expect(try pack("[\(json),\(json)]", .init(extensions: rules)) == written([value, value]))
  }

  @Test(
    "in another form are refused",
    arguments: [
      #"{"$ext":[12,{"text":"a"}]}"#, #"{"$ext":[126,{"text":"a"}]}"#, #"{"$ext":[10,{"txt":"a"}]}"#,
      #"{"$ext":[10,{"text":1}]}"#, #"{"$ext":[10,{"text":"a","b":1}]}"#, #"{"$ext":[10,"12.50"]}"#, #"{"$ext":[10]}"#,
      #"{"$ext":[10,null]}"#, #"{"$ext":{"text":"a"}}"#,
    ])
  func refused(json: String) throws {
    let error = failure { () throws(TranscodingError) in try pack("[\(json)]", .init(extensions: rules)) }
    #expect(error?.code == .notEncodable)
    #expect(error?.pointer == "/0")
  }
}
