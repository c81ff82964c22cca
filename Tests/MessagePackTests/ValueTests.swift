import Support
import Testing

@testable import MessagePack

@Suite("values", .inTurn(minutes: 3))
struct ValueTests {
  @Test("literals make the values they look like, and accessors give them back")
  func literals() {
    let value: Value = ["n": nil, "b": true, "i": -5, "d": 1.5, "s": "text", "a": [1, "two"], "m": ["x": 1]]
    #expect(value["n"]?.isNil == true)
    #expect(value["b"]?.boolValue == true)
    #expect(value["i"]?.intValue == -5)
    #expect(value["i"]?.uintValue == nil)
    #expect(value["i"]?.doubleValue == -5)
    #expect(value["d"]?.doubleValue == 1.5)
    #expect(value["s"]?.stringValue == "text")
    #expect(value["a"]?[1] == "two")
    #expect(value["a"]?[2] == nil)
    #expect(value["a"]?[-1] == nil)
    #expect(value["m"]?.mapValue == [.init("x", 1)])
    #expect(value["absent"] == nil)
    #expect(Value.binary([1]).binaryValue == [1])
    #expect(value.arrayValue == nil)
  }

  @Test("of two equal keys the last counts, as in Python")
  func lastKey() { #expect(Value.map([.init("a", 1), .init("a", 2)])["a"] == 2) }

  @Test("an integer is unsigned only above the signed range, so equal integers are equal values")
  func integers() throws {
    #expect(Value.integer(5) == .int(5))
    #expect(Value.integer(.max) == .uint(.max))
    #expect(Value.uint(.max).doubleValue == nil)
    #expect(Value.int(1) != .double(1))
    #expect(try Packer().pack(.uint(1)) == [1])
    #expect(try Unpacker().unpack(bytes("cf0000000000000001")) == .int(1))
  }

  @Test("a large array or map is unpacked in order", arguments: [64, 65, 10_000])
  func large(count: Int) throws {
    let value = Value.map((0..<count).map { .init(.int(Int64($0)), .array([.int(Int64($0)), []])) })
    #expect(try Unpacker().unpack(try Packer(allowsAnyKeys: true).pack(value)) == value)
  }

  @Test("a scalar needs no memory of its own")
  func size() { #expect(MemoryLayout<Value>.size <= 17) }

  @Test(
    "keys that Python cannot read are refused unless they are asked for",
    arguments: [1, nil, true, 1.5, ["a"], .ext(1, [])] as [Value])
  func keys(key: Value) throws {
    let value: Value = ["inner": .map([.init(key, 2)])]
    let failure = #expect(throws: TranscodingError.self) { try Packer().pack(value) }
    #expect(failure?.code == .notEncodable)
    #expect(try Unpacker().unpack(try Packer(allowsAnyKeys: true).pack(value)) == value)
  }

  @Test("keys of strings and bytes are packed", arguments: ["k", .binary([1])] as [Value])
  func readableKeys(key: Value) throws { #expect(try Packer().pack(.map([.init(key, 1)])).first == 0x81) }
}
