import Support
import Testing

@testable import MessagePack

@Suite("bytes recorded from Python", .inTurn(minutes: 3))
struct GoldenTests {
  @Test("what Python unpacks, repacks to the same bytes by every writer", arguments: Golden.messagePack)
  func repack(vector: Golden.Vector) throws {
    guard let repacked = vector.decoded?.repacked_hex else { return }
    var value = try Unpacker().unpack(vector.payload)
    // Python keeps the last of two equal keys; a value here keeps both.
    if vector.name == "unpack_82a16101a16102" {
      #expect(value == .map([.init("a", 1), .init("a", 2)]))
      value = ["a": 2]
    }
    #expect(hex(try packed(value)) == repacked)
    #expect(hex(written(value)) == repacked)
    #expect(throws: Never.self) { try print(vector.payload) }
  }

  /// What this module does with the bytes that Python refuses: `nil` means that it reads them.
  static let refused: [String: TranscodingError.Code?] = [
    "unpack_empty": .badMessagePack, "unpack_c1": .badMessagePack, "unpack_91": .badMessagePack,
    "unpack_0101": .badMessagePack, "unpack_ddffffffff": .badMessagePack, "unpack_dfffffffff": .badMessagePack,
    "unpack_c6ffffffff": .badMessagePack, "unpack_dbffffffff": .badMessagePack,
    "unpack_c7ff05": .badMessagePack, "unpack_depth_1025": .tooDeep,
    // Not UTF-8: shown as bytes. Keys of other types: shown as text. Reserved extension codes: shown as they are.
    "unpack_a1ff": nil, "unpack_a3eda080": nil, "unpack_810102": nil, "unpack_81c001": nil, "unpack_81c301": nil,
    "unpack_81cb3ff000000000000001": nil, "unpack_819101c0": nil, "unpack_81d405aa01": nil, "unpack_d480aa": nil,
    "unpack_d4fe00": nil, "unpack_d5ff0000": nil, "unpack_d7ffffffffff00000001": nil,
  ]

  @Test("what Python refuses is refused with a code, or shown", arguments: Golden.messagePack)
  func refusal(vector: Golden.Vector) throws {
    guard vector.decoded?.raises != nil else { return }
    if let expected = Self.refused[vector.name] {
      #expect(failure { () throws(TranscodingError) in try Unpacker().unpack(vector.payload) }?.code == expected)
      #expect(failure { () throws(TranscodingError) in try print(vector.payload) }?.code == expected)
    } else {
      Issue.record("no decision about \(vector.name): \(try print(vector.payload))")
    }
  }

  @Test("all 74 vectors are there")
  func count() { #expect(Golden.messagePack.count == 74) }
}
