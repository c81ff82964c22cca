import Support
import Testing

@testable import ConfigurationReader

@Suite("A field", .inTurn(minutes: 3))
struct FieldTests {
  private enum Word: String, CaseIterable {
    case null, string
  }

  private func read<Value>(_ text: String, _ parse: (Field) -> Value?) -> (value: Value?, problems: [String]) {
    var value: Value?
    let problems = complaints("key: \(text)") { root in value = root.field("key").flatMap(parse) }
    return (value, problems)
  }

  @Test("is true or false, and nothing like it")
  func boolean() {
    #expect(read("true") { $0.boolean() }.value == true)
    #expect(read("\"false\"") { $0.boolean() }.value == false)
    #expect(
      read("flase") { $0.boolean() }.problems == [
        "1:6: key: expected true or false, not \"flase\"; did you mean \"false\"?"
      ])
    #expect(read("yes") { $0.boolean() }.problems == ["1:6: key: expected true or false, not \"yes\""])
  }

  @Test("is one of a few words, null among them; words of a later version are told apart")
  func choice() {
    #expect(read("string") { $0.choice(Word.self) }.value == .string)
    #expect(read("null") { $0.choice(Word.self) }.value == .null)
    #expect(
      read("later") { $0.choice(Word.self, later: ["later"]) }.problems.first?.contains("in this version") == true)
    #expect(
      read("strng") { $0.choice(Word.self) }.problems == [
        "1:6: key: \"strng\" is none of null, string; did you mean \"string\"?"
      ])
  }

  @Test(
    "is a number or a size within bounds, both included", arguments: [(1, true), (0, false), (9, true), (10, false)])
  func bounds(number: Int, isWithin: Bool) {
    #expect((read("\(number)") { $0.integer(in: 1...9) }.value != nil) == isWithin)
    #expect((read("\(number)KB") { $0.bytes(in: 1_000...9_000) }.value != nil) == isWithin)
    #expect((read("\(number)s") { $0.duration(in: .seconds(1) ... .seconds(9)) }.value != nil) == isWithin)
  }

  @Test("is a list, or one value that is a list of itself")
  func elements() {
    #expect(read("[a, b]") { $0.elements()?.compactMap { $0.text() } }.value == ["a", "b"])
    #expect(read("a") { $0.elements()?.compactMap { $0.text() } }.value == ["a"])
    #expect(
      read("[a, [b]]") { $0.elements()?.compactMap { $0.text() } }.problems.first?.hasPrefix("1:10: key[1]: ") == true)
    #expect(read("") { $0.elements() }.problems == ["1:5: key: has no value; expected a list"])
  }

  @Test("that is empty is told apart from an empty text", arguments: [("\"\"", true), ("", true), ("a", false)])
  func emptyText(text: String, isEmpty: Bool) {
    #expect(read(text) { $0.isEmptyText }.value == isEmpty)
    #expect(read("\"\"") { $0.text() }.value == "")
  }

  @Test("hands its text to a reader and reports that reader's error")
  func value() {
    #expect(read("5s") { $0.value("a time", Quantity.duration) }.value == .seconds(5))
    #expect(
      read("{}") { $0.value("a time", Quantity.duration) }.problems == ["1:6: key: expected a time, not a mapping"])
    #expect(read("5") { $0.value("a time", Quantity.duration) }.problems.count == 1)
  }
}
