import MessagePack
import Testing

@testable import ZeroMQRPC

@Suite("Parameters") struct ParametersTests {
  private static let two: Parameters = ["a", "b"]
  private static let optional = Parameters(["a", .init("b", default: .int(7))], rest: false)
  private static let open = Parameters(["a"], rest: true)

  private static func keywords(_ pairs: (String, Int64)...) -> Value {
    .map(pairs.map { .init(.string($0.0), .int($0.1)) })
  }
  private static func array(_ values: Int64...) -> Value { .array(values.map { .int($0) }) }

  @Test(
    "VAL-2: bind by position, by keyword, and by default",
    arguments: [
      (two, array(1, 2), keywords()), (two, array(1), keywords(("b", 2))), (two, array(), keywords(("b", 2), ("a", 1))),
    ])
  func binds(parameters: Parameters, positional: Value, keywords: Value) throws {
    let arguments = try parameters.bind(positional, keywords)
    #expect(arguments["a"] == .int(1))
    #expect(arguments["b"] == .int(2))
    #expect(arguments.rest.isEmpty)
  }

  @Test("VAL-2: a default stands in for what is left out, and only then") func defaults() throws {
    #expect(try Self.optional.bind(Self.array(1), .map([]))["b"] == .int(7))
    #expect(try Self.optional.bind(Self.array(1, 2), .map([]))["b"] == .int(2))
  }

  @Test("take any number more by position where they say so") func rest() throws {
    #expect(try Self.open.bind(Self.array(1, 2, 3), .map([])).rest == [.int(2), .int(3)])
  }

  @Test(
    "VAL-1: what does not fit is a ParametersError in Python's words",
    arguments: [
      (array(1), keywords(), "missing a required argument: 'b'"),
      (array(1, 2, 3), keywords(), "too many positional arguments"),
      (array(1), keywords(("a", 2)), "multiple values for argument 'a'"),
      (array(1, 2), keywords(("zz", 1)), "got an unexpected keyword argument 'zz'"),
      (array(), keywords(("zz", 1)), "missing a required argument: 'a'"),
    ])
  func refuses(positional: Value, keywords: Value, message: String) {
    let quote = message.contains("'") ? "\"" : "'"
    let expected = RemoteError(
      "aiozmq.rpc.base.ParametersError", [.string("TypeError(\(quote)\(message)\(quote))")])
    #expect(throws: expected) { try Self.two.bind(positional, keywords) }
  }

  @Test(
    "EXC-1: a value's repr is Python's",
    arguments: [
      (Value.string("a"), "'a'"), (.string("it's"), "\"it's\""), (.string("'\""), "'\\'\"'"), (.nil, "None"),
      (.bool(true), "True"), (.array([.int(1)]), "(1,)"), (.array([.int(1), .int(2)]), "(1, 2)"), (.array([]), "()"),
      (.map([.init(.string("k"), .double(1.5))]), "{'k': 1.5}"), (.string("a\n\\"), "'a\\n\\\\'"),
    ])
  func repr(value: Value, text: String) { #expect(value.pythonRepr == text) }
}
