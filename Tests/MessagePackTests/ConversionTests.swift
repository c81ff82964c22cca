import MessagePack
import Testing

@Suite("values are converted without loss, or not at all") struct ConversionTests {
  private enum Color: String, ValueConvertible { case red, green }
  private enum Level: Int, Codable, ValueConvertible { case low = 1, high = 5 }
  private struct Address: Codable, Hashable, ValueConvertible {
    var street: String
    var number: Int?
  }
  private struct Person: Codable, Hashable, ValueConvertible {
    var name: String
    var addresses: [Address] = []
    var photo: [UInt8] = []
    var level = Level.low
    var extra: Value = .nil
    var points: [String: Double] = [:]
  }

  @Test("VAL-3: Int takes integers that fit, and nothing else")
  func integers() throws {
    #expect(try Int(converting: 5) == 5)
    #expect(try UInt64(converting: .uint(.max)) == .max)
    #expect(try Int64(converting: .int(.min)) == .min)
    #expect(try Int8(converting: 127) == 127)
    for (value, code) in [
      (1.0, .type), (true, .type), ("1", .type), (.nil, .type), (.uint(.max), .value),
    ] as [(Value, ConversionError.Code)] {
      #expect { try Int(converting: value) } throws: { ($0 as? ConversionError)?.code == code }
    }
    #expect(throws: ConversionError.self) { try Int8(converting: 128) }
    #expect(throws: ConversionError.self) { try UInt(converting: -1) }
  }

  @Test("VAL-3: Double takes floats, and integers that it holds exactly")
  func floats() throws {
    #expect(try Double(converting: 1.5) == 1.5)
    #expect(try Double(converting: 3) == 3)
    #expect(try Double(converting: .double(.nan)).isNaN)
    #expect(try Double(converting: .int(1 << 53)) == 0x1p53)
    #expect(throws: ConversionError.self) { try Double(converting: .int(1 << 53 + 1)) }
    #expect(throws: ConversionError.self) { try Double(converting: true) }
    #expect(throws: ConversionError.self) { try Float(converting: 1e300) }
    #expect(try Float(converting: .double(.infinity)) == .infinity)
  }

  @Test("VAL-3: Bool, String and bytes take only their own kind")
  func kinds() throws {
    #expect(try Bool(converting: true))
    #expect(throws: ConversionError.self) { try Bool(converting: 1) }
    #expect(try String(converting: "é") == "é")
    #expect(throws: ConversionError.self) { try String(converting: .binary([0x61])) }
    #expect(try [UInt8](converting: .binary([1, 255])) == [1, 255])
    #expect(throws: ConversionError.self) { try [UInt8](converting: "ab") }
    #expect(throws: ConversionError.self) { try [UInt8](converting: [1, 2]) }
    #expect(try [UInt8]([1]).asValue() == .binary([1]))
  }

  @Test("VAL-3: Optional takes nil, arrays and dictionaries their members, enums their raw values")
  func composed() throws {
    #expect(try Int?(converting: nil) == nil)
    #expect(try Int?(converting: 1) == 1)
    #expect(try [Int?](converting: [1, nil]) == [1, nil])
    #expect(try [String: [Int]](converting: ["a": [1], "b": []]) == ["a": [1], "b": []])
    #expect(try [Int: String](converting: .map([.init(1, "x")])) == [1: "x"])
    #expect(try Color(converting: "red") == .red)
    #expect(try Level(converting: 5) == .high)
    #expect(throws: ConversionError(code: .value, message: "blue is no Color")) { try Color(converting: "blue") }
    #expect(throws: ConversionError.self) { try Level(converting: 2) }
    #expect(try [Color.green].asValue() == ["green"])
    #expect(try Int?.none.asValue() == .nil)
    #expect(try UInt64.max.asValue() == .uint(.max))
  }

  @Test("Codable types are read from maps and written as such, with the same conversions inside")
  func codable() throws {
    let person = Person(
      name: "Ada", addresses: [.init(street: "A", number: 1), .init(street: "B", number: nil)], photo: [1, 2],
      level: .high, extra: [1, .ext(5, [1])], points: ["x": 1.5])
    let value = try person.asValue()
    #expect(value["photo"] == .binary([1, 2]))
    #expect(value["level"] == 5)
    #expect(value["extra"] == [1, .ext(5, [1])])
    #expect(value["addresses"]?[0] == ["street": "A", "number": 1])
    #expect(try Person(converting: value) == person)
  }

  @Test("keys that a structure does not know are left out, nil is no value, integers are floats")
  func lenient() throws {
    #expect(try Address(converting: ["street": "A", "zip": 5, "number": nil]) == Address(street: "A"))
    let points: Value = [
      "name": "x", "addresses": [], "photo": .binary([]), "level": 1, "extra": nil, "points": ["y": 2],
    ]
    #expect(try Person(converting: points).points == ["y": 2])
  }

  @Test(
    "what does not fit is told with its place",
    arguments: [
      (["name": "x", "addresses": [["street": 5]]], ".addresses[0].street: a string is needed, not an integer"),
      (["name": "x", "addresses": [[:]]], ".addresses[0]: 'street' is missing"),
      ([:], "'name' is missing"), (5, "a map is needed, not an integer"),
      (["name": "x", "addresses": [], "photo": "ab"], ".photo: binary is needed, not a string"),
    ] as [(Value, String)])
  func places(value: Value, message: String) {
    #expect { try Person(converting: value) } throws: { "\($0)" == message }
  }

  @Test("so is a member of an array or a dictionary")
  func members() {
    #expect { try [[Int]](converting: [[1], [2, "x"]]) } throws: {
      "\($0)" == "[1][1]: an integer is needed, not a string"
    }
    #expect { try [String: Int](converting: ["k": nil]) } throws: { "\($0)" == ".k: an integer is needed, not nil" }
  }

  private class Base: Codable {
    var base = 1
  }
  private final class Derived: Base {
    private enum CodingKeys: String, CodingKey { case own }
    var own = 2
    override init() { super.init() }
    required init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      own = try container.decode(Int.self, forKey: .own)
      try super.init(from: container.superDecoder())
    }
    override func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(own, forKey: .own)
      try super.encode(to: container.superEncoder())
    }
  }

  @Test("classes keep what they inherit under a key of its own")
  func inherited() throws {
    let value = try ValueEncoder().encode(Derived())
    #expect(value == ["own": 2, "super": ["base": 1]])
    let derived = try ValueDecoder().decode(Derived.self, from: ["own": 7, "super": ["base": 8]])
    #expect((derived.own, derived.base) == (7, 8))
  }

  private struct Pairs: Codable, Hashable {
    var left: Int
    var rest: [[String?]]
    init(left: Int, rest: [[String?]]) { (self.left, self.rest) = (left, rest) }
    init(from decoder: any Decoder) throws {
      var container = try decoder.unkeyedContainer()
      left = try container.decode(Int.self)
      rest = []
      while !container.isAtEnd {
        var inner = try container.nestedUnkeyedContainer()
        var row: [String?] = []
        while !inner.isAtEnd { row.append(try inner.decodeNil() ? nil : inner.decode(String.self)) }
        rest.append(row)
      }
    }
    func encode(to encoder: any Encoder) throws {
      var container = encoder.unkeyedContainer()
      try container.encode(left)
      for row in rest {
        var inner = container.nestedUnkeyedContainer()
        for text in row { if let text { try inner.encode(text) } else { try inner.encodeNil() } }
      }
    }
  }

  @Test("nested containers without keys go both ways; an array that is too short is told")
  func unkeyed() throws {
    let pairs = Pairs(left: 1, rest: [["a", nil], []])
    let value = try ValueEncoder().encode(pairs)
    #expect(value == [1, ["a", nil], []])
    #expect(try ValueDecoder().decode(Pairs.self, from: value) == pairs)
    #expect { try ValueDecoder().decode(Pairs.self, from: []) } throws: { "\($0)" == "the array has only 0 members" }
  }
}
