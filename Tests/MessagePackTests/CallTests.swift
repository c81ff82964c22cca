import Support
import Testing

@testable import MessagePack

@Suite("the arguments of a call", .inTurn(minutes: 3))
struct CallTests {
  @Test(
    "array, object, envelope or nothing",
    arguments: [
      ("", nil, nil), (" \n\t ", nil, nil), ("[]", nil, nil), ("{}", nil, nil), ("[2,3]", "920203", nil),
      (#"{"a":2,"b":3}"#, nil, "82a16102a16203"), (#"{"args":[1]}"#, "9101", nil),
      (#"{"kwargs":{"a":1}}"#, nil, "81a16101"),
      (#"{"args":[1,"x"],"kwargs":{"a":1}}"#, "9201a178", "81a16101"),
      (#" { "kwargs" : {"a":1} , "args":[1] } "#, "9101", "81a16101"),
      (#"{"args":[],"kwargs":{}}"#, nil, nil), (#"{"args":[[]],"kwargs":{"k":{"z":1}}}"#, "9190", "81a16b81a17a01"),
      // Not an envelope: the whole object is keyword arguments.
      (#"{"args":1}"#, nil, "81a46172677301"),
      (#"{"args":[1],"kwargs":[2]}"#, nil, "82a461726773 9101 a66b7761726773 9102"),
      (#"{"args":[1],"b":2}"#, nil, "82a461726773 9101 a16202"),
      (#"{"kwargs":{"a":1},"args":{}}"#, nil, "82a66b7761726773 81a16101 a461726773 80"),
      (#"{"args":[1],"kwargs":{},"c":0}"#, nil, "83a461726773 9101 a66b7761726773 80 a16300"),
      (#"{"$bin":"AA==","a":1}"#, nil, "82a42462696ea441413d3da16101"),
      // The pairs form is never an envelope: the way to name a parameter "args".
      (#"{"$map":[["args",[1]]]}"#, nil, "81a461726773 9101"), (#"{"$map":[]}"#, nil, nil),
      (#"{"\u0061rgs":[1]}"#, "9101", nil),
      (
        #"{"args":[{"args":[7]},{"x":1,"y":2}],"kwargs":{"kwargs":{"a":{}}}}"#, "9281a461726773910782a17801a17902",
        "81a66b776172677381a16180"
      ),
      (#"{"args":{"$bin":"AA=="}}"#, nil, "81a461726773c40100"), (#"{"kwargs":{"$map":[["a",1]]}}"#, nil, "81a16101"),
    ] as [(String, String?, String?)])
  func shapes(json: String, arguments: String?, keywords: String?) throws {
    let (positional, named) = try call(json)
    #expect(positional == arguments)
    #expect(named == keywords?.filter { $0 != " " })
  }

  @Test("many positionals and keywords have longer headers", arguments: [15, 16, 65_535, 65_536])
  func many(count: Int) throws {
    let numbers = (0..<count).map { Value.int(Int64($0 & 127)) }
    let array = "[" + (0..<count).map { "\($0 & 127)" }.joined(separator: ",") + "]"
    let object = "{" + (0..<count).map { "\"k\($0)\":\($0 & 127)" }.joined(separator: ",") + "}"
    let map = Value.map((0..<count).map { .init("k\($0)" as Value, .int(Int64($0 & 127))) })
    let both = try call("{\"kwargs\":\(object),\"args\":\(array)}")
    #expect(both.arguments == hex(written(.array(numbers))))
    #expect(both.keywords == hex(written(map)))
    #expect(try call(array).arguments == hex(written(.array(numbers))))
    #expect(try call(object).keywords == hex(written(map)))
  }

  @Test(
    "any other value has the wrong shape", arguments: ["1", "\"a\"", "null", "true", "-1", "1.5", #"{"$bin":"AA=="}"#])
  func badShape(json: String) throws {
    let error = try #require(failure { () throws(TranscodingError) in try call(json) })
    #expect(error.code == .badShape)
    #expect(error.message.contains("[1,2]"))
  }

  @Test("frames that are absent are lent as an empty array and an empty map")
  func lent() {
    var buffer = ByteBuffer()
    for byte in [0x91, 0x01, 0x81, 0xa1, 0x61, 0x01] as [UInt8] { buffer.append(byte) }
    func lent(_ frames: CallFrames) -> [String] {
      frames.withFrames(in: buffer) { arguments, keywords in [hex(Array(arguments)), hex(Array(keywords))] }
    }
    #expect(lent(CallFrames()) == ["90", "80"])
    #expect(lent(CallFrames(arguments: 0..<2)) == ["9101", "80"])
    #expect(lent(CallFrames(keywords: 2..<6)) == ["90", "81a16101"])
    #expect(lent(CallFrames(arguments: 0..<2, keywords: 2..<6)) == ["9101", "81a16101"])
  }

  @Test("errors are those of the transcoder")
  func errors() {
    #expect(failure { () throws(TranscodingError) in try call("[1") }?.code == .badJSON)
    #expect(
      failure { () throws(TranscodingError) in try call("{\"args\":[99999999999999999999]}") }?.pointer == "/args/0")
    #expect(failure { () throws(TranscodingError) in try call("\u{feff}") }?.code == .badJSON)
  }
}
