import MessagePack
import Testing

@testable import Gateway

@Suite("A type of Python as a schema")
struct PythonTypeTests {
  @Test(
    "is a type of JSON where there is one",
    arguments: [
      ("int", #"{"type":"integer"}"#), ("float", #"{"type":"number"}"#), ("str", #"{"type":"string"}"#),
      ("bool", #"{"type":"boolean"}"#), ("list", #"{"type":"array","items":{}}"#),
      ("list[int]", #"{"type":"array","items":{"type":"integer"}}"#),
      (
        "List[Dict[str, float]]",
        #"{"type":"array","items":{"type":"object","additionalProperties":{"type":"number"}}}"#
      ),
      ("tuple[int, str]", #"{"type":"array","items":{}}"#), ("dict", #"{"type":"object","additionalProperties":{}}"#),
      ("int | None", #"{"type":["integer","null"]}"#), ("Optional[str]", #"{"type":["string","null"]}"#),
      ("typing.Optional[list[str]]", #"{"type":["array","null"],"items":{"type":"string"}}"#),
      ("Union[int, float, None]", #"{"type":["number","null"]}"#), ("int | str", #"{"type":["integer","string"]}"#),
    ])
  func known(text: String, schema: String) { #expect(PythonType(text).schema == schema) }

  @Test(
    "is any value where there is none, and for what is no type",
    arguments: [
      "", "Any", "None", "object", "shop.Order", "datetime", "list[int] | dict", "int | Any", "Literal['a', 'b']",
      "list[",
      "]", "|", "list[int, str, ]x",
    ])
  func unknown(text: String) { #expect(PythonType(text).schema == "{}") }

  @Test("of a result is null or text as well, where the service shows numbers so")
  func results() {
    var style = Configuration.JSONStyle()
    func schema(_ text: String) -> String { PythonType(text).shown(in: style).schema }
    #expect(schema("int") == #"{"type":"integer"}"#)
    #expect(schema("float") == #"{"type":["number","null"]}"#)
    #expect(schema("list[float]") == #"{"type":"array","items":{"type":["number","null"]}}"#)
    (style.nonFinite, style.integers) = (.error, .string)
    #expect(schema("float") == #"{"type":["number","string"]}"#)
    #expect(schema("dict[str, int]") == #"{"type":"object","additionalProperties":{"type":["integer","string"]}}"#)
    (style.nonFinite, style.integers) = (.error, .number)
    #expect(schema("float") == #"{"type":"number"}"#)
    style.nonFinite = .string
    #expect(schema("float") == #"{"type":["number","string"]}"#)
  }

  @Test("ends, however deep it is nested")
  func deep() {
    let text = String(repeating: "list[", count: 10_000) + String(repeating: "]", count: 10_000)
    #expect(PythonType(text).schema.hasPrefix(#"{"type":"array","items":{"#))
  }
}
