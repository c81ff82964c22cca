import Support
import Testing

@testable import ConfigurationReader

@Suite("A value of YAML", .inTurn(minutes: 3))
struct YAMLValueTests {
  private func value(_ text: String) throws -> YAMLValue? { try YAMLNode.read("key: \(text)\n")?["key"]?.scalar?.value }

  @Test(
    "is what the core schema of YAML 1.2 takes it for",
    arguments: [
      ("", .null), ("~", .null), ("Null", .null), ("true", .bool(true)), ("FALSE", .bool(false)), ("0", .integer(0)),
      ("-12", .integer(-12)), ("+7", .integer(7)), ("010", .integer(10)), ("0x1F", .integer(31)),
      ("0o17", .integer(15)),
      ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)), ("1.5", .float(1.5)),
      ("-.5", .float(-0.5)), ("+1.e2", .float(100)), ("1e-2", .float(0.01)), (".inf", .float(.infinity)),
      ("-.INF", .float(-.infinity)), ("1e", .text("1e")), ("0x", .text("0x")), ("0xg", .text("0xg")),
      // Of YAML 1.1 alone.
      ("yes", .text("yes")), ("off", .text("off")), ("1:30", .text("1:30")), ("1_000", .text("1_000")),
      ("2024-02-29", .text("2024-02-29")), ("1.2.3", .text("1.2.3")),
      ("\"5\"", .text("5")), ("'true'", .text("true")), ("\"\"", .text("")), ("|-\n  5", .text("5")),
      ("!!str 5", .text("5")), ("!!int \"5\"", .integer(5)), ("!!float 5", .float(5)), ("!!int five", .text("five")),
      ("!own 5", .text("5")),
    ] as [(String, YAMLValue)])
  func kinds(text: String, expected: YAMLValue) throws { #expect(try value(text) == expected) }

  @Test("beyond 64 bits is a number that is not whole")
  func large() throws { #expect(try value("9223372036854775808") == .float(9_223_372_036_854_775_808)) }

  @Test("that is no number is one")
  func nan() throws {
    guard case .float(let number)? = try value(".nan") else { return #expect(Bool(false)) }
    #expect(number.isNaN)
  }

  @Test("of an alias is that of its anchor, the last of that name")
  func alias() throws {
    let root = try #require(try YAMLNode.read("a: &x 1\nb: *x\nc: &x [2]\nd: *x\n"))
    #expect(root["b"]?.scalar?.value == .integer(1))
    #expect(root["d"]?.sequence?.first?.scalar?.value == .integer(2))
  }

  @Test(
    "of << is that of another mapping, but for keys that are written, and of a list the first that has the key",
    arguments: [
      ("{ <<: *d }", ["a": 1, "b": 2]), ("{ <<: *d, b: 5 }", ["a": 1, "b": 5]), ("{ b: 5, <<: *d }", ["a": 1, "b": 5]),
      ("{ <<: [*d, *e] }", ["a": 1, "b": 2, "c": 4]), ("{ <<: [*e, *d] }", ["a": 1, "b": 3, "c": 4]),
      ("{ <<: { a: 7 } }", ["a": 7]), ("{ <<: [] }", [:]), ("{ <<: *f }", ["a": 9, "b": 2]),
      ("{ \"<<\": 1 }", ["<<": 1]),
    ])
  func merges(value: String, expected: [String: Int64]) throws {
    let root = try #require(
      try YAMLNode.read(
        "d: &d { a: 1, b: 2 }\ne: &e { b: 3, c: 4 }\nf: &f { <<: *d, a: 9 }\nkey: \(value)\n"))
    let pairs = try #require(root["key"]?.mapping)
    let values = pairs.map { pair in (pair.key.scalar?.string ?? "", pair.value.scalar?.value) }
    #expect(values.count == expected.count)
    for (key, value) in values { #expect(value == expected[key].map(YAMLValue.integer)) }
  }

  @Test("of << that is no mapping is told where it stands, and an alias without an anchor by its name")
  func badMerges() {
    let takes = "\"<<\" takes a mapping, as in <<: *defaults, or a list of them"
    let texts: [(String, String)] = [
      ("a: { <<: 5 }\n", "1:10: not YAML: \(takes)"),
      ("d: &d [{ a: 1 }, b]\na:\n  <<: *d\n", "1:18: not YAML: \(takes)"),
      ("a: { <<: *none }\n", "1:10: not YAML: *none has no &none before it"),
      ("d: &d {}\na: { <<: *d, <<: *d }\n", "2:6: <<: duplicate key; it is written again further down"),
    ]
    for (text, expected) in texts { #expect(complaints(text) == [expected]) }
  }

  @Test("has its place, which is that of its beginning, in characters")
  func places() throws {
    let root = try #require(try YAMLNode.read("ä: { é: [1, 2] }\n\"b\":\n  - x\n"))
    #expect(root.place == Place(line: 1, column: 1))
    #expect(root["ä"]?.place == Place(line: 1, column: 4))
    #expect(root["ä"]?["é"]?.place == Place(line: 1, column: 9))
    #expect(root["ä"]?["é"]?.sequence?.last?.place == Place(line: 1, column: 13))
    #expect(root["b"]?.sequence?.first?.place == Place(line: 3, column: 5))
  }

  @Test("nested a hundred deep is read, and deeper is told", arguments: [(100, true), (101, false), (100_000, false)])
  func depth(count: Int, isRead: Bool) throws {
    let text = String(repeating: "[", count: count) + String(repeating: "]", count: count)
    do throws(YAMLFault) {
      _ = try YAMLNode.read(text)
      #expect(isRead)
    } catch {
      #expect(!isRead && error.reason.contains("nested more than 100 deep"), "\(error)")
    }
  }
}
