import Support
import Testing

@testable import ConfigurationReader

@Suite("A YAML document", .inTurn(minutes: 3))
struct YAMLDocumentTests {
  @Test(
    "that is not YAML is told where",
    arguments: [
      ("http: [\n", "2:1"), ("a: b: c\n", "1:5"), ("http:\n\tthreads: 1\n", "2:1"), ("a: *b\n", "1:4"),
      ("a: 1\n---\nb: 2\n", "2:1"), ("a: \u{1}\n", "1:4"),
    ])
  func syntax(yaml: String, place: String) {
    let found = complaints(yaml)
    #expect(found.count == 1)
    #expect(found.first?.hasPrefix("\(place): not YAML: ") == true, "\(found)")
  }

  @Test(
    "that is not YAML is told what to do",
    arguments: [
      ("s:\n a:\n   p: 1\n    c: [x]\n", "4:6", "stand in one column"),
      ("s:\n  a:\n    p: 1\n   c: 2\n", "4:4", "stand in one column"),
      ("a: b: c\n", "1:5", "goes in quotes"), ("a: @x\n", "1:4", "begins with this sign goes in quotes"),
      ("a: \"x\nb: 3\n", "3:1", "its quote is not closed"),
    ])
  func advice(yaml: String, place: String, advice: String) {
    let found = complaints(yaml)
    #expect(found.count == 1 && found[0].hasPrefix("\(place): not YAML: ") && found[0].contains(advice), "\(found)")
  }

  @Test(
    "with a tab where YAML wants blanks says that it is a tab",
    arguments: [
      "http:\n\tthreads: 1\n", "a:\n  b: 1\n\tc: 2\n", "a:\n  \tb: 1\n  c: 2\n", "a:\r\n\tb: 1\r\n", "\ta: 1\n",
    ])
  func tabs(yaml: String) {
    let found = complaints(yaml)
    #expect(found.count == 1 && found[0].hasSuffix(": not YAML: a tab; YAML is indented with spaces"), "\(found)")
  }

  @Test(
    "that writes a key twice is told where the first stands",
    arguments: [
      ("a: 1\nb: 2\na: 3\n", "1:1: a"), ("x: { a: 1, b: 2, b: 3 }\nunknown: 1\n", "1:12: b"),
      ("\"a\": 1\n'a': 2\n", "1:1: a"), ("x: [{ a: 1, a: 2 }]\n", "1:7: a"), ("a: 1\na: 1\na: 1\n", "1:1: a"),
    ])
  func duplicates(yaml: String, place: String) {
    #expect(complaints(yaml) == ["\(place): duplicate key; it is written again further down"])
  }

  @Test("takes a number and its digits in quotes for one key")
  func sameText() {
    #expect(complaints("1: a\n\"1\": b\n") { $0.ignore(["1"]) } == ["2:1: 1: duplicate key"])
  }

  @Test("of aliases within aliases is read in no more time than it has places")
  func aliases() {
    var yaml = "a0: &a0 { b: 1 }\n"
    for level in 1...40 {
      let inner = Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
      yaml += "a\(level): &a\(level) [\(inner)]\n"
    }
    let found = complaints(yaml) { root in
      _ = root.field("a40")?.elements()?.map { $0.section() }
      root.finish()
    }
    // Nine lists that are no mappings, and the forty keys that were not asked for.
    #expect(found.count == 9 + 40)
  }

  @Test("without a value has no keys", arguments: ["", "# nothing\n", "---\n", "{}", "~"])
  func empty(yaml: String) {
    var keys: [String] = []
    #expect(complaints(yaml) { keys = $0.keys } == [])
    #expect(keys.isEmpty)
  }

  @Test(
    "has keys at its top", arguments: [("[]", "a list"), ("text", "a single value"), ("1", "a single value")])
  func kind(yaml: String, kind: String) {
    #expect(complaints(yaml) == ["1:1: expected a mapping of keys, not \(kind)"])
  }
}
