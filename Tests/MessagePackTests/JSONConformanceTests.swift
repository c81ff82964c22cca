import Support
import Testing

@testable import MessagePack

@Suite("JSON by RFC 8259", .inTurn(minutes: 3))
struct JSONConformanceTests {
  @Test(
    "good text is read",
    arguments: [
      ("null", "c0"), ("true", "c3"), ("false", "c2"), ("\"\"", "a0"), ("[]", "90"), ("{}", "80"), (" \t\r\n1\n", "01"),
      ("[1,2 , 3]", "93010203"), ("{\"a\":1 , \"b\" : [ ] }", "82a16101a16290"), ("[[],{},[[]]]", "9390809190"),
      ("{\"\":0}", "81a000"), (#""\"\\\/\b\f\n\r\t""#, "a8225c2f080c0a0d09"),
      (#""\u0041\u00e9\u20AC""#, "a641c3a9e282ac"),
      (#""\ud83d\ude00""#, "a4f09f9880"), (#""\uD834\udd1e x""#, "a6f09d849e2078"), (#""\u0000""#, "a100"),
      (#""\u007f\u0080\u07ff\u0800\uffff""#, "ab7fc280dfbfe0a080efbfbf"), ("\"\u{7f}\"", "a17f"),
      ("\"é€😀\"", "a9c3a9e282acf09f9880"),
      ("\"\u{2028}\u{10ffff}\"", "a7e280a8f48fbfbf"),
      ("[\"12345678\",\"1234567\",\"123456789\"]", "93a83132333435363738a731323334353637a9313233343536373839"),
    ])
  func accept(json: String, packed: String) throws {
    #expect(hex(try pack(json)) == packed)
  }

  @Test(
    "bad text is refused at the byte where it goes wrong",
    arguments: [
      ("", 0), ("  ", 2), ("[1,]", 3), ("[,1]", 1), ("[1 2]", 3), ("[1", 2), ("]", 0), ("{\"a\":1,}", 7), ("{a:1}", 1),
      ("{\"a\" 1}", 5), ("{\"a\":}", 5), ("{1:2}", 1), ("{\"a\"", 4), ("[1}", 2), ("{\"a\":1]", 6), ("1 2", 2),
      ("[]]", 2),
      ("tru", 0), ("True", 0), ("nul", 0), ("NaN", 0), ("Infinity", 0), ("-Infinity", 1), ("'a'", 0), ("01", 0),
      ("-01", 1),
      ("1.", 2), (".5", 0), ("1.e1", 2), ("1e", 2), ("1e+", 3), ("1.5e-x", 5), ("-", 1), ("+1", 0), ("--1", 1),
      ("0x1", 1),
      ("1a", 1), ("[1.2.3]", 4), ("\"", 1), ("\"abc", 4), ("\"abcdefghijk", 12), (#""\x""#, 1), (#""\u12g4""#, 1),
      (#""\u12"#, 5), ("\"\\", 2), ("\"a\tb\"", 2), ("\"abcdefghij\nk\"", 11), ("\"\u{0}\"", 1), (#""\ud800""#, 1),
      (#""\ud800x""#, 1),
      (#""\ud800\n""#, 1), (#""\ud800\u0041""#, 1), (#""\udc00""#, 1), ("/* */ 1", 0), ("[1]//", 3), ("\u{feff}[]", 0),
      ("[\u{a0}1]", 1), ("{\"a\":1 \"b\":2}", 7), ("[\"a\":1]", 4), ("{\"a\",1}", 4),
    ])
  func refuse(json: String, offset: Int) throws {
    let error = try #require(failure { () throws(TranscodingError) in try pack(json) })
    #expect(error.code == .badJSON)
    #expect(error.offset == offset)
    #expect(error.pointer == nil)
    #expect(!error.message.isEmpty)
  }

  @Test(
    "bytes that are not UTF-8 are refused",
    arguments: [
      "80", "c0af", "c1bf", "c328", "c3", "e08080", "e09fbf", "eda080", "edbfbf", "e28228", "e282", "f0808080",
      "f08fbfbf",
      "f4908080", "f5808080", "ff", "f09f98", "f09f9828",
    ])
  func utf8(text: String) throws {
    for padding in ["", "abcdefgh", "abc"] {
      let json = Array("\"\(padding)".utf8) + bytes(text) + Array("\"        ".utf8)
      let error = try #require(failure { () throws(TranscodingError) in try pack(json) })
      #expect(error.code == .badJSON)
      #expect(error.offset == 1 + padding.utf8.count)
    }
    #expect(failure { () throws(TranscodingError) in try pack(bytes(text)) }?.code == .badJSON)
  }

  @Test(
    "strings of every length around the word size and the header sizes come through",
    arguments: Array(0...40) + [63, 64, 65, 254, 255, 256, 257, 65_534, 65_535, 65_536, 65_537])
  func lengths(length: Int) throws {
    for unit in ["x", "é", "😀"] {
      let text = String(repeating: unit, count: length)
      let expected = written(.string(text))
      #expect(try pack("\"\(text)\"") == expected)
      #expect(try pack(" [\"\(text)\" ] ") == [0x91] + expected)
      #expect(try print(expected) == "\"\(text)\"")
      #expect(try pack("{\"\(text)\":0}") == [0x81] + expected + [0])
      #expect(try print([0x81] + expected + [0]) == "{\"\(text)\":0}")
    }
    let newlines = String(repeating: "\\n", count: length)
    #expect(try print(try pack("\"a\(newlines)\"")) == "\"a\(newlines)\"")
  }

  @Test("a key may not occur twice, however it is spelt or far apart", arguments: [2, 3, 24, 25, 26, 27, 100, 5_000])
  func duplicates(count: Int) throws {
    let names = (0..<count).map { "key-number-\($0)" }
    let object = "{" + names.map { "\"\($0)\":0" }.joined(separator: ",")
    _ = try pack(object + "}")
    for repeated in [0, count / 2, count - 1] {
      let spelt = names[repeated].replacing("k", with: "\\u006b", maxReplacements: 1)
      let error = try #require(
        failure { () throws(TranscodingError) in try pack("{\"outer\":[\(object),\"\(spelt)\":1}]}") })
      #expect(error.code == .badJSON)
      #expect(error.pointer == "/outer/0/\(names[repeated])")
      #expect(error.offset == 10 + object.utf8.count + 1)
    }
  }

  @Test("the same key in different objects, and keys that look alike, are fine")
  func noDuplicates() throws {
    _ = try pack(#"{"a":{"a":{"a":1}},"b":{"a":2},"":{"":0},"aa":1,"aaaaaaaa":1,"aaaaaaaaa":2,"aaaaaaab":3}"#)
    _ = try pack(#"{"12345678":1,"1234567":1,"123456789":1,"\u0000":1,"\u0000\u0000":1,"":1}"#)
  }

  @Test("a pointer escapes tilde and slash")
  func pointer() {
    let error = failure { () throws(TranscodingError) in try pack(#"[0,{"x":1,"a/b~c":{"":[99999999999999999999]}}]"#) }
    #expect(error?.pointer == "/1/a~1b~0c//0")
  }
}
