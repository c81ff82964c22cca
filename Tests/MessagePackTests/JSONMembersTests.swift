import Support
import Testing

@testable import MessagePack

@Suite("The members of JSON", .inTurn(minutes: 3))
struct JSONMembersTests {
  /// Each member's text, with its key where it has one; nil for what is neither an array nor an object.
  private func members(_ json: String) throws -> [String]? {
    try Array(json.utf8).withUnsafeBytes { bytes -> [String]? in
      guard var members = JSONMembers(bytes) else { return nil }
      var texts: [String] = []
      while let member = try members.next() {
        let value = String(decoding: member.value, as: UTF8.self)
        texts.append(member.key.map { String(decoding: $0, as: UTF8.self) + ":" + value } ?? value)
      }
      #expect(try members.next() == nil)
      return texts
    }
  }

  @Test(
    "are cut apart as they stand",
    arguments: [
      ("[]", []), (" [ ] ", []), ("{}", []), ("[1]", ["1"]), (" [ 1 ,\t-2.5e3\n, true ] ", ["1", "-2.5e3", "true"]),
      (#"["a,]\"}", "\\", "é"]"#, [#""a,]\"}""#, #""\\""#, #""é""#]),
      (#"[[1,[2]],{"a":[{"b":"]"}]}, []]"#, ["[1,[2]]", #"{"a":[{"b":"]"}]}"#, "[]"]),
      (#"{"a":1 , "b" : {"c":[1,2]},"d":"}"}"#, [#""a":1"#, #""b":{"c":[1,2]}"#, #""d":"}""#]),
    ] as [(String, [String])])
  func cut(json: String, expected: [String]) throws {
    #expect(try members(json) == expected)
  }

  @Test("are none of a scalar, or of nothing", arguments: ["", " ", "1", "\"[]\"", "null", "\u{FEFF}[]"])
  func scalars(json: String) throws {
    #expect(try members(json) == nil)
  }

  @Test(
    "are refused when what stands between them is not JSON",
    arguments: [
      "[", "[1", "[1,", "[1,]", "[,1]", "[,]", "[1 2]", "[1}", "{", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,}",
      "{\"a\":}", "{a:1}", "{1:1}", "{\"a\" 1}", "{\"a\":1 \"b\":2}", "[1]]", "[1] x", "{}{}", "[\"a]", "[\"a\\\"]",
      "[[1]", "[1:2]", "[\"a\"\"b\"]", "[1\"b\"]", "{\"a\":1]",
    ])
  func broken(json: String) {
    let error = #expect(throws: TranscodingError.self) { try members(json) }
    #expect(error?.code == .badJSON)
  }

  @Test("and the transcoder agree on what is JSON, whatever bytes come", arguments: 0..<8 as Range<UInt64>)
  func agree(seed: UInt64) {
    var random = SplitMix(state: seed)
    let alphabet = Array("[]{},:\"\\ab1 -.tnul".utf8)
    for _ in 0..<5_000 {
      let json = (0..<Int.random(in: 1...12, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? 0 }
      let isJSON = (try? pack(json)) != nil
      guard let areJSON = parts(json) else { continue }
      if isJSON { #expect(areJSON, "\(String(decoding: json, as: UTF8.self))") }
      // Only a repeated key can be wrong with a whole whose parts are right.
      if areJSON, !isJSON {
        #expect(json.first { $0 != 0x20 } == UInt8(ascii: "{"), "\(String(decoding: json, as: UTF8.self))")
      }
    }
  }

  /// Whether each part of a text that begins a container is JSON by itself; nil for another text.
  private func parts(_ json: [UInt8]) -> Bool? {
    json.withUnsafeBytes { bytes in
      guard var members = JSONMembers(bytes) else { return nil }
      do {
        while let member = try members.next() {
          if let key = member.key { _ = try pack(Array(key)) }
          _ = try pack(Array(member.value))
        }
        return true
      } catch {
        return false
      }
    }
  }
}
