import Support
import Testing

@testable import Gateway

@Suite("A query", .inTurn(minutes: 3))
struct QueryTests {
  private func query(_ text: String, _ content: Query.Content = .arguments) throws(Problem) -> Query {
    try Query(Array(text.utf8).span, content, controls: ["_timeout", "_from"])
  }

  private func code(_ text: String, _ content: Query.Content = .arguments) -> ProblemCode? {
    do throws(Problem) {
      _ = try query(text, content)
      return nil
    } catch {
      return error.code
    }
  }

  private func shown(_ arguments: [Query.Argument]) -> [String] {
    arguments.map { argument in
      let name = String(decoding: argument.name ?? Array("#".utf8), as: UTF8.self)
      return "\(name)\(argument.isJSON ? ":=" : "=")\(String(decoding: argument.value, as: UTF8.self))"
    }
  }

  @Test(
    "passes keywords as text and as JSON",
    arguments: [
      ("a=2", ["a=2"]), ("a:=2", ["a:=2"]), ("a=2&b:=[1,2]", ["a=2", "b:=[1,2]"]), ("a%3A=2", ["a:=2"]),
      ("a=", ["a="]), ("a==", ["a=="]), ("a=b=c", ["a=b=c"]), ("a=1+2", ["a=1 2"]), ("a=1%2B2", ["a=1+2"]),
      ("a+b=%20", ["a b= "]), ("%61=%C3%A4", ["a=ä"]), ("a=:", ["a=:"]), ("a:=%7B%22x%22:1%7D", ["a:={\"x\":1}"]),
      ("&&a=1&", ["a=1"]), ("", []), ("&", []), ("a=1;b=2", ["a=1;b=2"]), ("topic=x", ["topic=x"]), ("a=%00", ["a=\0"]),
    ] as [(String, [String])])
  func keywords(text: String, expected: [String]) throws {
    let query = try query(text)
    #expect(shown(query.keywords) == expected)
    #expect(query.positionals.isEmpty)
  }

  @Test("passes arg as positional arguments, in order and as often as wanted")
  func positionals() throws {
    let query = try query("arg=x&a=1&arg:=3&arg=x")
    #expect(shown(query.positionals) == ["#=x", "#:=3", "#=x"])
    #expect(shown(query.keywords) == ["a=1"])
  }

  @Test(
    "that is malformed is refused",
    arguments: [
      "a", "a&b=1", "=1", ":=1", "a=%", "a=%4", "a=%zz", "%=1", "%ff=1", "a=%ff", "arg=%ff", "a=1&a=2", "a=1&a:=2",
      "a=1&%61=2", "_timeout=1&_timeout=1", "_timeout:=1", "_timeout", "_timeout=%ff",
    ])
  func malformed(text: String) {
    #expect(code(text) == .badQuery)
  }

  @Test("gives control parameters by name")
  func controls() throws {
    let query = try query("a=1&_timeout=2.5")
    #expect(query.control("_timeout") == "2.5")
    #expect(query.control("_from") == nil)
    #expect(shown(query.keywords) == ["a=1"])
  }

  @Test(
    "refuses control parameters that are unknown", arguments: ["_timeot=1", "_=1", "_TIMEOUT=1", "%5Fx=1", "_x:=1"])
  func unknownControls(text: String) {
    #expect(code(text) == .unknownParameter)
    #expect(code(text, .topics) == .unknownParameter)
    #expect(code(text, .nothing) == .unknownParameter)
  }

  @Test("suggests the control parameter that was meant")
  func suggestion() {
    let refusal = #expect(throws: Problem.self) { try query("_timeot=1") }
    #expect(refusal?.detail == "\"_timeot\" is no control parameter here; did you mean \"_timeout\"?")
  }

  @Test(
    "tells of a parameter without a value how to write it, where it is understood",
    arguments: [
      ("a", .arguments, "a=text or a:=json."), ("_timeout", .arguments, "_timeout=...."),
      ("topic", .topics, "topic=...."),
      ("topi", .topics, "topic=...."), ("_from", .topics, "_from=...."), ("_timeout", .nothing, "_timeout=...."),
    ] as [(String, Query.Content, String)])
  func valueless(text: String, content: Query.Content, hint: String) {
    let refusal = #expect(throws: Problem.self) { try query(text, content) }
    #expect(refusal?.detail == "\"\(text)\" has no value; write \(hint)")
  }

  @Test("of a stream is topics of any bytes")
  func topics() throws {
    let query = try query("topic=eu&topic=%ff%00&topic=&topic=-&topic=eu&_from=latest", .topics)
    #expect(query.topics == [[0x65, 0x75], [0xFF, 0], [], [0x2D], [0x65, 0x75]])
    #expect(query.control("_from") == "latest")
    #expect(try self.query("", .topics).topics == [])
    #expect(code("topics=a", .topics) == .unknownParameter)
    #expect(code("topic:=1", .topics) == .unknownParameter)
    #expect(code("topic", .topics) == .badQuery)
    #expect(code("topic=%", .topics) == .badQuery)
    #expect(code("topic=" + String(repeating: "%74", count: 245), .topics) == nil)
    #expect(code("topic=" + String(repeating: "t", count: 246), .topics) == .badQuery)
  }

  @Test("of a call whose arguments are in the body is control parameters only")
  func nothing() throws {
    #expect(try query("_timeout=1", .nothing).control("_timeout") == "1")
    #expect(code("a=1", .nothing) == .unknownParameter)
    #expect(code("arg=1", .nothing) == .unknownParameter)
  }
}

@Suite("A deadline", .inTurn(minutes: 3))
struct DeadlineTests {
  @Test(
    "is a decimal number of seconds",
    arguments: [
      ("1", .seconds(1)), ("2.5", .milliseconds(2_500)), ("0.001", .milliseconds(1)), ("007", .seconds(7)),
      (" 3\t", .seconds(3)),
      ("1.000000000000000001", .seconds(1) + Duration(secondsComponent: 0, attosecondsComponent: 1)),
      ("0.0000000000000000000001", .nanoseconds(1)), ("59.999", .milliseconds(59_999)), ("60", .seconds(60)),
    ] as [(String, Duration)])
  func parses(text: String, expected: Duration) throws {
    #expect(try RequestTimeout.parse(text) == expected)
  }

  @Test(
    "is cut to the maximum",
    arguments: ["60.001", "61", "1000000", "99999999999999999999999999999999", "100000000000.5"])
  func clamps(text: String) throws {
    let settings = CallSettings(timeout: .seconds(5), maximumTimeout: .seconds(60))
    #expect(settings.timeout(asked: try RequestTimeout.parse(text)) == .seconds(60))
    #expect(settings.timeout(asked: .seconds(60)) == .seconds(60))
    #expect(settings.timeout(asked: .nanoseconds(1)) == .nanoseconds(1))
    #expect(settings.timeout(asked: nil) == .seconds(5))
  }

  @Test(
    "is refused when it is no number above zero",
    arguments: [
      "", " ", "0", "0.0", "-1", "+1", "1.", ".5", ".", "1.2.3", "1e3", "1,5", "5s", "inf", "nan", "0x10", "1 2",
      "1. 5", "١",
    ])
  func refuses(text: String) {
    let refusal = #expect(throws: Problem.self) { try RequestTimeout.parse(text) }
    #expect(refusal?.code == .badTimeout)
  }
}
