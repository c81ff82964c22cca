import Testing

@testable import MessagePack

@Suite("a table of types that travel as extensions") struct TranslatorsTests {
  private class Shape: @unchecked Sendable {
    // Safe: nothing in it changes.
    let name: String
    init(_ name: String) { self.name = name }
  }
  private final class Circle: Shape, @unchecked Sendable {}
  private final class Square: Shape, @unchecked Sendable {}
  private struct Point: Hashable { var x, y: Int64 }
  private struct Unknown {}

  private func add(_ type: (some Shape).Type, _ code: Int, to table: inout Translators) throws {
    try table.add(type, code: code) {
      Array("\(code)\($0.name)".utf8)
    } unpack: { _ in
      throw ConversionError.value("")
    }
  }

  @Test("VALUE-7: an object becomes an extension, and the extension an object") func point() throws {
    var table = Translators()
    try table.add(Point.self, code: 0) {
      try Packer().pack([.int($0.x), .int($0.y)])
    } unpack: { bytes in
      let members = try [Int64](converting: try Unpacker().unpack(bytes))
      guard members.count == 2 else { throw ConversionError.value("a point has two coordinates") }
      return Point(x: members[0], y: members[1])
    }
    let value = try table.value(of: Point(x: 1, y: 2))
    #expect(value == .ext(0, [0x92, 1, 2]))
    #expect(table.object(of: value) as? Point == Point(x: 1, y: 2))
    // What cannot be unpacked, and codes that nobody has, stay what they are.
    for raw in [Value.ext(0, [0x91, 1]), .ext(0, []), .ext(1, [0x92, 1, 2]), .ext(-1, [0, 0, 0, 1]), [1], "x"] {
      #expect(table.object(of: raw) as? Value == raw)
    }
    #expect(try table.value(of: "text") == "text")
    #expect { try table.value(of: Unknown()) } throws: {
      ($0 as? ConversionError)?.message.hasPrefix("Unknown type: ") == true
    }
  }

  @Test(
    "VALUE-8: codes are 0 to 127, each of one type", arguments: [(-1, false), (0, true), (127, true), (128, false)])
  func codes(code: Int, isTaken: Bool) throws {
    var table = Translators()
    if isTaken {
      try add(Shape.self, code, to: &table)
      #expect(throws: ConversionError.self) { try add(Circle.self, code, to: &table) }
    } else {
      #expect(throws: ConversionError.self) { try add(Shape.self, code, to: &table) }
    }
  }

  @Test("VALUE-9: exactly the type comes first, then the order in which types were added") func order() throws {
    var table = Translators()
    try add(Shape.self, 0, to: &table)
    try add(Circle.self, 1, to: &table)
    #expect(try table.value(of: Circle("c")) == .ext(1, Array("1c".utf8)))
    #expect(try table.value(of: Square("s")) == .ext(0, Array("0s".utf8)))
    #expect(try table.value(of: Shape("x")) == .ext(0, Array("0x".utf8)))
  }

  @Test("VALUE-10: a type of one's own takes the code of one of Python's") func override() throws {
    let time = try #require(PythonTime(hour: 15, minute: 51))
    var table = Translators()
    #expect(table.object(of: time.asValue()) as? PythonTime == time)
    try table.add(Point.self, code: 125) { _ in
      [7]
    } unpack: {
      Point(x: Int64($0.count), y: 0)
    }
    #expect(try table.value(of: Point(x: 1, y: 2)) == .ext(125, [7]))
    #expect(table.object(of: .ext(125, [7])) as? Point == Point(x: 1, y: 0))
  }
}
