import MessagePack
import Testing

@testable import ZeroMQRPC

@Suite("the table of a service's methods") struct MethodTableTests {
  private static func find(_ name: [UInt8], in table: MethodTable) -> String? {
    name.withUnsafeBytes { table.find($0)?.name }
  }

  @Test("finds each method by its whole name, and nothing else", arguments: [0, 1, 2, 3, 8, 9, 1_000])
  func names(count: Int) {
    let methods = (0..<count).reduce(into: [String: Method]()) { methods, index in
      methods["m\(index)"] = Method { index }
    }
    let table = MethodTable(methods, longest: 100)
    for name in methods.keys { #expect(Self.find(Array(name.utf8), in: table) == name) }
    for other in ["", "m", "m\(count)", "M0", "m0.", "m0\0"] { #expect(Self.find(Array(other.utf8), in: table) == nil) }
    #expect(Self.find([0xFF, 0xFE], in: table) == nil)
  }

  @Test("tells names apart that have one hash") func collision() {
    // Both have 0x5E4DAA9D as FNV-1a of 32 bits.
    let table = MethodTable(["costarring": Method { 1 }, "liquid": Method { 2 }], longest: 100)
    for name in ["costarring", "liquid"] { #expect(Self.find(Array(name.utf8), in: table) == name) }
  }

  @Test("leaves out what is longer than names may be") func long() {
    let table = MethodTable(["abc": Method { 1 }, "abcd": Method { 2 }], longest: 3)
    #expect(Self.find(Array("abc".utf8), in: table) == "abc")
    #expect(Self.find(Array("abcd".utf8), in: table) == nil)
  }
}
