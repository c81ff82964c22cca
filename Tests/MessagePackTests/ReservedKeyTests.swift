import Support
import Testing

@testable import MessagePack

@Suite("objects with a reserved key", .inTurn(minutes: 3))
struct ReservedKeyTests {
  @Test(
    "alone in its object, it becomes the value it stands for",
    arguments: [
      (#"{"$bin":""}"#, "c400"), (#"{"$bin":"/w=="}"#, "c401ff"), (#"{"$bin":"//8="}"#, "c402ffff"),
      (#"{"$bin":"AAEC"}"#, "c403000102"),
      (#"[{"$bin":"AA=="},1]"#, "92c4010001"), (#"{"a":{"$bin":"AA=="},"b":2}"#, "82a161c40100a16202"),
      (#"{"\u0024bin":"AA=="}"#, "c40100"),
      (#"{"$map":[]}"#, "80"), (#"{"$map":[["a",1]]}"#, "81a16101"), (#"{"$map":[["$bin",1]]}"#, "81a42462696e01"),
      (#"{"$map":[["a",{"$map":[["b",[1,{"x":2}]]]}],["c",null]]}"#, "82a16181a162920181a17802a163c0"),
      (#"{"$timestamp":"1970-01-01T00:00:01Z"}"#, "d6ff00000001"),
      (#"{"$timestamp":"1970-01-01T00:00:01.000000005Z"}"#, "d7ff0000001400000001"),
      (#"{"$timestamp":"1969-12-31T23:59:59.000000005Z"}"#, "c70cff00000005ffffffffffffffff"),
      (#"{"$timestamp":"1970-01-01T05:30:01+05:30"}"#, "d6ff00000001"),
      (#"{"$timestamp":"2106-02-07T06:28:16Z"}"#, "d7ff0000000100000000"),
    ])
  func convert(json: String, packed: String) throws {
    #expect(hex(try pack(json)) == packed)
  }

  @Test("beside other members, or unknown, it is an ordinary key")
  func ordinary() throws {
    #expect(hex(try pack(#"{"$bin":"x","a":1}"#)) == "82a42462696ea178a16101")
    #expect(hex(try pack(#"{"a":1,"$ext":2}"#)) == "82a16101a42465787402")
    #expect(hex(try pack(#"{"$other":1}"#)) == "81a6246f7468657201")
    #expect(hex(try pack(#"{"$":1}"#)) == "81a12401")
    #expect(hex(try pack(#"{"$bi":1}"#)) == "81a324626901")
  }

  @Test(
    "what it cannot stand for is refused with its place",
    arguments: [
      (#"{"$bin":1}"#, ""), (#"{"$bin":"A"}"#, ""), (#"{"$bin":"AA"}"#, ""), (#"{"$bin":"AA="}"#, ""),
      (#"{"$bin":"AB=="}"#, ""),
      (#"{"$bin":"AAB="}"#, ""), (#"{"$bin":"A=AA"}"#, ""), (#"{"$bin":"===="}"#, ""), (#"{"$bin":"AA_-"}"#, ""),
      (#"{"$bin":"AA==AAAA"}"#, ""),
      (#"{"$bin":"AAA\n"}"#, ""), (#"[1,{"x":{"$bin":null}}]"#, "/1/x"),
      (#"{"$map":{}}"#, ""), (#"{"$map":[1]}"#, "/$map/0/0"), (#"{"$map":[["a"]]}"#, "/$map/0/0"),
      (#"{"$map":[["a",1],[2,3]]}"#, "/$map/1/0"),
      (#"[{"$map":[["a",1],["b",2],["a",3]]}]"#, "/0/$map/2/0"), (#"{"$map":[["a",1,2]]}"#, "/$map/0/0"),
      (#"{"$map":[[null,1]]}"#, "/$map/0/0"),
      (#"{"$timestamp":0}"#, ""), (#"{"$timestamp":"2024-02-30T00:00:00Z"}"#, ""),
      (#"{"$timestamp":"2024-02-29"}"#, ""),
      (#"{"$timestamp":"2024-02-29T00:00:00"}"#, ""), (#"{"$timestamp":"2024-02-29T24:00:00Z"}"#, ""),
      (#"{"$timestamp":"2024-02-29T00:00:00.Z"}"#, ""),
      (#"{"$timestamp":"2024-02-29T00:00:00.1234567890Z"}"#, ""), (#"{"$timestamp":"2024-02-29T00:00:60Z"}"#, ""),
      (#"{"$timestamp":"2024-02-29T00:00:00Zx"}"#, ""), (#"{"$timestamp":"0000-01-01T00:00:00Z"}"#, ""),
      (#"{"$timestamp":"2023-02-29T00:00:00Z"}"#, ""),
      (#"{"$ext":[5,"AA=="]}"#, ""), (#"{"$ext":5}"#, ""), (#"{"$ext":[300,"AA=="]}"#, ""),
      (#"{"$ext":[-1,"AA=="]}"#, ""),
      (#"{"a":[{"$datetime":"2024-01-01T00:00:00"}]}"#, "/a/0"), (#"{"$date":"2024-01-01"}"#, ""),
      (#"{"$time":"00:00:00"}"#, ""),
      (#"{"$timedelta":"PT1S"}"#, ""),
    ])
  func refuse(json: String, pointer: String) throws {
    let error = try #require(failure { () throws(TranscodingError) in try pack(json) })
    #expect(error.code == .notEncodable)
    #expect(error.pointer == pointer)
  }

  @Test("extension codes pass when listed, and 123 to 127 and negative ones never do")
  func extensions() throws {
    let everything = JSONToMessagePack(
      extensions: .init(Dictionary(uniqueKeysWithValues: (Int8.min...Int8.max).map { ($0, .base64) })))
    #expect(hex(try pack(#"{"$ext":[5,"qg=="]}"#, everything)) == "d405aa")
    #expect(hex(try pack(#"{"$ext":[5,""]}"#, .init(extensions: .init([5: .base64])))) == "c70005")
    #expect(hex(try pack(#"{"$ext":[0,"AAAA"]}"#, everything)) == "c70300000000")
    #expect(hex(try pack(#"{"$ext":[122,"AAAA"]}"#, everything)) == "c7037a000000")
    for code in [-128, -2, -1, 123, 124, 125, 126, 127] {
      let error = failure { () throws(TranscodingError) in try pack("[{\"$ext\":[\(code),\"AA==\"]}]", everything) }
      #expect(error?.code == .notEncodable)
      #expect(error?.pointer == "/0")
    }
    #expect(
      failure { () throws(TranscodingError) in try pack(#"{"$ext":[6,"AA=="]}"#, .init(extensions: .init([5: .base64])))
      } != nil)
    #expect(
      failure { () throws(TranscodingError) in try pack(#"{"$ext":[5,"A"]}"#, .init(extensions: .init([5: .base64]))) }
        != nil)
    #expect(
      failure { () throws(TranscodingError) in
        try pack(#"{"$ext":[5,"AA==",1]}"#, .init(extensions: .init([5: .base64])))
      } != nil)
  }

  @Test("binary of every length comes back", arguments: Array(0...20) + [255, 256, 65_535, 65_536, 100_000])
  func binary(length: Int) throws {
    let value = Value.binary((0..<length).map { UInt8(truncatingIfNeeded: $0 &* 37) })
    let text = try print(written(value))
    #expect(try pack(text) == written(value))
    #expect(try pack("[\(text),\(text)]") == written([value, value]))
  }

  @Test("a map of pairs may have any size", arguments: [15, 16, 24, 25, 26, 27, 65_535, 65_536])
  func pairs(count: Int) throws {
    let pairs = (0..<count).map { Value.Pair("k\($0)" as Value, .int(Int64($0))) }
    let text = "{\"$map\":[" + (0..<count).map { "[\"k\($0)\",\($0)]" }.joined(separator: ",") + "]}"
    #expect(try pack(text) == written(.map(pairs)))
    let twice = text.dropLast(2) + ",[\"k3\",0]]}"
    let error = failure { () throws(TranscodingError) in try pack(String(twice)) }
    #expect(error?.code == .notEncodable)
    #expect(error?.pointer == "/$map/\(count)/0")
  }

  @Test("timestamps of every size come back exactly")
  func timestamps() throws {
    var random = SplitMix(state: 3)
    for _ in 0..<2_000 {
      let seconds = Int64.random(in: -62_135_596_800...253_402_300_799, using: &random)
      let scale: UInt32 = [1, 1_000, 1_000_000, 1_000_000_000][Int.random(in: 0..<4, using: &random)]
      var stamp = try #require(bytes("d6ff00000000").withUnsafeBytes { Timestamp(payload: .init(rebasing: $0[2...])) })
      stamp.seconds = seconds
      stamp.nanoseconds = UInt32.random(in: 0..<1_000_000_000, using: &random) / scale * scale
      let text = try #require(stamp.text)
      #expect(Array(text.utf8).withUnsafeBytes { Timestamp(text: $0) } == stamp)
      let packed = try pack("{\"$timestamp\":\"\(text)\"}")
      #expect(try print(packed) == "\"\(text)\"")
    }
    #expect(try print(bytes("c70cff000000007fffffffffffffff")) == #"{"$ext":[-1,"AAAAAH//////////"]}"#)
    #expect(try print(bytes("d7ff0000001400000001")) == #""1970-01-01T00:00:01.000000005Z""#)
  }
}
