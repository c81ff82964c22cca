import Support
import Testing

@testable import MessagePack

@Suite("limits", .inTurn(minutes: 3))
struct LimitTests {
  static func nested(_ depth: Int) -> String {
    String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
  }

  @Test("64 levels pass and 65 do not, in both directions and in every reader")
  func depth() throws {
    let deep = try pack(Self.nested(64))
    #expect(deep == Array(repeating: 0x91, count: 63) + [0x90])
    #expect(try print(deep) == Self.nested(64))
    _ = try packed(try Unpacker().unpack(deep))

    let error = try #require(failure { () throws(TranscodingError) in try pack("{\"a\":" + Self.nested(64) + "}") })
    #expect(error.code == .tooDeep)
    #expect(error.offset == 5 + 63)
    #expect(error.pointer == "/a" + String(repeating: "/0", count: 63))

    let deeper = [0x91] + deep
    for result in [
      failure { () throws(TranscodingError) in try print(deeper) },
      failure { () throws(TranscodingError) in try Unpacker().unpack(deeper) },
    ] {
      #expect(result?.code == .tooDeep)
      #expect(result?.offset == 64)
    }
    let tree = try Unpacker(limits: .init(depth: 65)).unpack(deeper)
    #expect(failure { () throws(TranscodingError) in try packed(tree) }?.code == .tooDeep)
    #expect(try packed(tree, Packer(limits: .init(depth: 65))) == deeper)
  }

  @Test("depth may be raised far and lowered to none")
  func otherDepths() throws {
    let limits = TranscodingLimits(depth: 5_000)
    let deep = try pack(Self.nested(5_000), .init(limits: limits))
    #expect(try print(deep, .init(limits: limits)) == Self.nested(5_000))
    #expect(
      failure { () throws(TranscodingError) in try pack(Self.nested(5_001), .init(limits: limits)) }?.code == .tooDeep)
    let flat = TranscodingLimits(depth: 0)
    #expect(hex(try pack("5", .init(limits: flat))) == "05")
    #expect(failure { () throws(TranscodingError) in try pack("[]", .init(limits: flat)) }?.pointer == "")
    #expect(failure { () throws(TranscodingError) in try print([0x90], .init(limits: flat)) }?.code == .tooDeep)
  }

  @Test("objects nested deeper than the lent memory keep their keys apart")
  func deepObjects() throws {
    let depth = 60
    let text =
      String(repeating: #"{"x":1,"key-a":"#, count: depth) + "0" + String(repeating: #","b":[]}"#, count: depth)
    #expect(try print(try pack(text)) == text)
  }

  @Test("elements count values, containers and keys")
  func elements() throws {
    let limits = TranscodingLimits(elements: 5)
    #expect(try print(try pack("[1,2,[3]]", .init(limits: limits)), .init(limits: limits)) == "[1,2,[3]]")
    #expect(try print(try pack(#"{"a":1,"b":2}"#, .init(limits: limits)), .init(limits: limits)) == #"{"a":1,"b":2}"#)
    for json in ["[1,2,[3,4]]", #"{"a":1,"b":[2]}"#, "[1,2,3,4,5]"] {
      let error = try #require(failure { () throws(TranscodingError) in try pack(json, .init(limits: limits)) })
      #expect(error.code == .tooManyElements)
      #expect(error.pointer != nil)
      let bytes = try pack(json)
      #expect(
        failure { () throws(TranscodingError) in try print(bytes, .init(limits: limits)) }?.code == .tooManyElements)
      #expect(
        failure { () throws(TranscodingError) in try Unpacker(limits: limits).unpack(bytes) }?.code == .tooManyElements)
    }
  }

  @Test("the default of a million elements is exact")
  func million() throws {
    let full = Array("[".utf8) + (0..<999_999).flatMap { $0 == 0 ? Array("0".utf8) : Array(",0".utf8) } + [0x5d]
    let bytes = try pack(full)
    #expect(try print(bytes).utf8.count == full.count)
    let over = full.dropLast() + Array(",0]".utf8)
    #expect(failure { () throws(TranscodingError) in try pack(Array(over)) }?.pointer == "/999999")
  }

  @Test("containers of each header size come through", arguments: [15, 16, 31, 32, 65_535, 65_536])
  func headers(count: Int) throws {
    let array = "[" + Array(repeating: "1", count: count).joined(separator: ",") + "]"
    #expect(try pack(array) == written(.array(Array(repeating: 1, count: count))))
    #expect(try print(try pack(array)) == array)
    let object = "{" + (0..<count).map { "\"\($0)\":null" }.joined(separator: ",") + "}"
    #expect(try pack(object) == written(.map((0..<count).map { .init("\($0)" as Value, nil) })))
    #expect(try print(try pack(object)) == object)
    // Inside others, before and behind them.
    let nested = "[\(array),{\"a\":\(object),\"b\":[\(array)]},\(array)]"
    #expect(try print(try pack(nested)) == nested)
  }

  @Test(
    "a length that the bytes cannot hold is refused before anything depends on it",
    arguments: [
      "91", "dc0001", "ddffffffff", "dd7fffffff", "81", "8101", "de0001", "dfffffffff", "df80000000", "a1", "d9ff",
      "daffff", "dbffffffff", "c4", "c401",
      "c6ffffffff", "c7ff05", "c8ffff05", "c9ffffffff05", "d4", "d405", "d805", "cc", "cd00", "ce000000", "cf00",
      "ca000000", "cb00000000000000", "d0",
      "d100", "d2000000", "d300", "", "c1", "91c1", "9201", "820102", "0101", "9000", "c000",
    ])
  func truncated(packed: String) {
    for code in [
      failure { () throws(TranscodingError) in try print(bytes(packed)) }?.code,
      failure { () throws(TranscodingError) in try Unpacker().unpack(bytes(packed)) }?.code,
    ] {
      #expect(code == .badMessagePack)
    }
  }
}
