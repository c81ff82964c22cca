import Support
import Testing

@testable import MessagePack

@Suite("maps as JSON", .inTurn(minutes: 3))
struct MapTests {
  @Test(
    "keys that are no strings are the text of their value",
    arguments: [
      ("810102", #"{"1":2}"#), ("81c001", #"{"null":1}"#), ("81c301", #"{"true":1}"#), ("81c201", #"{"false":1}"#),
      ("81cb3ff000000000000001", #"{"1.0":1}"#),
      ("81ff01", #"{"-1":1}"#), ("81c4016b01", #"{"{\"$bin\":\"aw==\"}":1}"#), ("819101c0", #"{"[1]":null}"#),
      ("8181a1610203", #"{"{\"a\":2}":3}"#),
      ("81d405aa01", #"{"{\"$ext\":[5,\"qg==\"]}":1}"#), ("81a1ff01", #"{"{\"$bin\":\"/w==\"}":1}"#),
      ("81d6ff0000000101", #"{"1970-01-01T00:00:01Z":1}"#),
      ("8191a45c22e9aac0", #"{"[{\"$bin\":\"XCLpqg==\"}]":null}"#), ("8191a35c220ac0", #"{"[\"\\\\\\\"\\n\"]":null}"#),
      ("8180a178", #"{"{}":"x"}"#),
      ("8202a16103a162", #"{"2":"a","3":"b"}"#), ("819081900f", #"{"[]":{"[]":15}}"#),
      // A map within a key keeps its own keys as pairs, else every level would double the escapes.
      ("8181 8101 02 03 c0", #"{"{\"$map\":[[{\"$map\":[[1,2]]},3]]}":null}"#),
    ])
  func stringified(packed: String, json: String) throws {
    #expect(try print(bytes(packed)) == json)
  }

  @Test(
    "on request they make pairs",
    arguments: [
      ("810102", #"{"$map":[[1,2]]}"#), ("82a161010203", #"{"$map":[["a",1],[2,3]]}"#),
      ("82a16181c001a16202", #"{"a":{"$map":[[null,1]]},"b":2}"#),
      ("80", "{}"), ("81a16101", #"{"a":1}"#), ("819101c0", #"{"$map":[[[1],null]]}"#),
      ("81a1ff01", #"{"$map":[[{"$bin":"/w=="},1]]}"#),
      ("81d6ff0000000101", #"{"$map":[["1970-01-01T00:00:01Z",1]]}"#),
      ("8181810102038101 02", #"{"$map":[[{"$map":[[{"$map":[[1,2]]},3]]},{"$map":[[1,2]]}]]}"#),
    ])
  func pairs(packed: String, json: String) throws {
    #expect(try print(bytes(packed), .init(keys: .pairs)) == json)
  }

  @Test(
    "keys with the same text are never dropped: the map is written as pairs",
    arguments: [
      ("82a16101a16102", #"{"$map":[["a",1],["a",2]]}"#), ("820102a13103", #"{"$map":[[1,2],["1",3]]}"#),
      ("82a131030102", #"{"$map":[["1",3],[1,2]]}"#),
      ("81a16182c001c002", #"{"a":{"$map":[[null,1],[null,2]]}}"#),
      ("83a161 8201010102 90a161 9081a16100", #"{"$map":[["a",{"$map":[[1,1],[1,2]]}],[[],"a"],[[],{"a":0}]]}"#),
      ("9282a16101a1610281a16101", #"[{"$map":[["a",1],["a",2]]},{"a":1}]"#),
    ])
  func duplicates(packed: String, json: String) throws {
    #expect(try print(bytes(packed)) == json)
  }

  @Test("a large map is checked too", arguments: [24, 25, 26, 27, 100, 10_000])
  func largeDuplicates(count: Int) throws {
    let pairs = (0..<count).map { Value.Pair("key \($0)" as Value, .int(Int64($0))) }
    let object = "{" + (0..<count).map { "\"key \($0)\":\($0)" }.joined(separator: ",") + "}"
    #expect(try print(written(.map(pairs))) == object)
    for index in [0, count / 2, count - 1] {
      let twice = pairs + [.init(pairs[index].key, nil)]
      let text = try print(written([.map(twice), .map(pairs)]))
      #expect(text.hasPrefix(#"[{"$map":[["key 0",0],["key 1",1],"#))
      #expect(text.hasSuffix("[\"key \(index)\",null]]},\(object)]"))
    }
  }

  @Test(
    "a map whose one key is reserved is written as pairs, and reads back exactly",
    arguments: ["$bin", "$ext", "$map", "$timestamp", "$datetime", "$date", "$time", "$timedelta"])
  func reserved(key: String) throws {
    let value: Value = ["outer": [.map([.init(.string(key), "AAAA")])]]
    let text = try print(written(value))
    #expect(text == "{\"outer\":[{\"$map\":[[\"\(key)\",\"AAAA\"]]}]}")
    #expect(try pack(text) == written(value))
    // The same in a longer form of string, which Python reads as well.
    let long = [0x81, 0xd9, UInt8(key.utf8.count)] + Array(key.utf8) + [0x01]
    #expect(try print(long) == "{\"$map\":[[\"\(key)\",1]]}")
    // Beside another key it is ordinary.
    #expect(try print(written([Value.string(key): 1, "b": 2])) == "{\"\(key)\":1,\"b\":2}")
  }

  @Test("nested maps with equal keys cost no more than depth times size")
  func nestedDuplicates() throws {
    var value: Value = 1
    for _ in 0..<60 { value = .map([.init("a", value), .init("a", 2)]) }
    let text = try print(written(value))
    #expect(text.hasPrefix(#"{"$map":[["a",{"$map":[["a","#))
    #expect(text.utf8.count == 60 * 25 + 1)
  }

  @Test("escapes are the required ones and no more")
  func escapes() throws {
    let text = "\"\\/\u{8}\u{c}\n\r\t\u{0}\u{1f}\u{7f}\u{2028}é"
    let json = #""\"\\/\b\f\n\r\t\u0000\u001f"# + "\u{7f}\u{2028}é\""
    #expect(try print(written(.string(text))) == json)
    var buffer = ByteBuffer()
    buffer.appendJSONString(text)
    #expect(buffer.withUnsafeBytes { String(decoding: $0, as: UTF8.self) } == json)
    buffer.removeAll()
    [0x61, 0xff].withUnsafeBytes { (bytes: UnsafeRawBufferPointer) in
      buffer.appendJSONString(UnsafeRawBufferPointer(rebasing: bytes[..<1]))
    }
    #expect(buffer.withUnsafeBytes { Array($0) } == Array("\"a\"".utf8))
  }
}
