import ConfigurationReader
import Support
import Testing

@testable import Gateway

@Suite("A declared signature", .inTurn(minutes: 3))
struct DeclaredSignatureTests {
  @Test("has parameters with their kinds and types, and a result")
  func whole() throws {
    let signature = try DeclaredSignature(
      " (id:int, name : str | None ?, *rest: list[int], on:bool?, **more) -> dict[str, float] ")
    #expect(signature.parameters.map(\.name) == ["id", "name", "rest", "on", "more"])
    #expect(signature.parameters.map(\.kind) == [.positional, .positional, .rest, .keyword, .keywords])
    #expect(signature.parameters.map(\.type) == ["int", "str | None", "list[int]", "bool", ""])
    #expect(signature.parameters.map(\.isRequired) == [true, false, false, false, false])
    #expect(signature.result == "dict[str, float]")
    #expect(try DeclaredSignature("()").parameters == [])
    #expect(try DeclaredSignature("( )->Any").result == "Any")
    #expect(try DeclaredSignature("(*, a)").parameters.map(\.kind) == [.keyword])
  }

  @Test(
    "that is none is told with what to write",
    arguments: [
      ("int", "expected a signature such as (id:int, verbose:bool?) -> dict, not \"int\""),
      ("(a:int", "expected a signature such as (id:int, verbose:bool?) -> dict, not \"(a:int\""),
      ("(a) int", "behind the parameters stands nothing, or the type of the result: (id:int, verbose:bool?) -> dict"),
      ("(a,)", "\"\" is no name of a parameter: letters, digits and \"_\", and no digit first"),
      ("(1a)", "\"1a\" is no name of a parameter: letters, digits and \"_\", and no digit first"),
      ("(a-b)", "\"a-b\" is no name of a parameter: letters, digits and \"_\", and no digit first"),
      ("(a, a)", "the parameter \"a\" stands twice"), ("(*a, *b)", "* stands twice"), ("(*, *)", "* stands twice"),
      ("(**a, b)", "behind ** stands no parameter"),
      ("(*a?)", "\"*a?\" needs no \"?\": it is empty when nothing is left for it"),
      (
        "(a:int, b:int = 3)",
        "\"b:int = 3\" has a default, which is the service's: write \"b?\", or \"b:int?\" with a type"
      ),
      ("(a?, b)", "\"b\" has to be given, and stands behind one that may be left out"),
      (
        "(a, *, _ctx)",
        "\"_ctx\" is what the gateway adds to the calls of methods.context; leave it out, callers never send it"
      ),
    ])
  func wrong(text: String, message: String) {
    #expect(throws: InvalidText(message)) { try DeclaredSignature(text) }
  }

  @Test("names types that are known", arguments: ["(a:itn)", "(a:list[itn])", "() -> itn"])
  func unknown(text: String) {
    let error = #expect(throws: InvalidText.self) { try DeclaredSignature(text) }
    #expect(error?.description.hasPrefix("\"itn\" is no type that is known here; use int, float, ") == true)
    #expect(error?.description.hasSuffix("; did you mean \"int\"?") == true)
  }

  @Test(
    "has types that are whole",
    arguments: [
      "(x:list[int)", "(x:list[int]])", "(x:int|)", "(x:list[])", "(x:[int])", "(x:dict[str,])", "() -> list[",
      "(x:int int)",
    ])
  func malformed(text: String) { #expect(throws: InvalidText.self) { try DeclaredSignature(text) } }

  @Test(
    "may have types of all forms",
    arguments: [
      "(x:int|None)", "(x:dict[str, list[int]])", "(x:Optional[int])", "(x:tuple[int, str])", "(x: any )", "(x:)",
    ])
  func wellFormed(text: String) { #expect(throws: Never.self) { try DeclaredSignature(text) } }

  @Test(
    "is of a method that callers reach",
    arguments: [
      ("{ hide: [a], declare: { a: () } }", "methods.declare.a: \"a\" is not exposed by this service."),
      ("{ declare: { \"get*\": () } }", "methods.declare.get*: \"get*\" is no name of a method that can be called."),
      ("{ declare: { _a: () } }", "methods.declare._a: \"_a\" is no name of a method that can be called."),
      (
        "{ declare: { a: 5 } }",
        "methods.declare.a: expected a signature such as (id:int, verbose:bool?) -> dict, not \"5\""
      ),
    ])
  func place(methods: String, message: String) {
    let found = complaints(rpc("methods: \(methods)"))
    #expect(found.count == 1)
    #expect(found.first?.hasSuffix(message) == true, "\(found)")
  }

  @Test("of as many parameters as a description may have")
  func many() throws {
    let names = (0...64).map { "p\($0)" }
    #expect(try DeclaredSignature("(\(names.dropLast().joined(separator: ", ")))").parameters.count == 64)
    #expect(throws: InvalidText("a method has at most 64 parameters")) {
      try DeclaredSignature("(\(names.joined(separator: ", ")))")
    }
  }
}
