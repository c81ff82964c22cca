import MessagePack
import Testing

@testable import ZeroMQRPC

@Suite("the arguments of a call") struct SignatureTests {
  private static let two = Signature([.init(name: "a"), .init(name: "b")])
  private static let optional = Signature([.init(name: "a"), .init(name: "b", isRequired: false)])
  private static let open = Signature([.init(name: "a"), .init(name: "rest", kind: .rest, isRequired: false)])
  private static let keyword = Signature([.init(name: "a"), .init(name: "b", kind: .keyword)])
  private static let all = Signature([
    .init(name: "values", kind: .rest), .init(name: "b", isRequired: false), .init(name: "more", kind: .keywords),
  ])

  /// What the parameters get; nil where a default counts.
  private static func values(_ signature: Signature, _ positional: Value, _ keywords: Value) throws -> [Value?] {
    var bound = try signature.bind(positional, keywords)
    return signature.entries.map { _ in bound.next() }
  }

  private static func keywords(_ pairs: (String, Int64)...) -> Value {
    .map(pairs.map { .init(.string($0.0), .int($0.1)) })
  }
  private static func array(_ values: Int64...) -> Value { .array(values.map { .int($0) }) }

  @Test(
    "VAL-2: bind by position, by keyword, and by default",
    arguments: [
      (two, array(1, 2), keywords()), (two, array(1), keywords(("b", 2))), (two, array(), keywords(("b", 2), ("a", 1))),
    ])
  func binds(signature: Signature, positional: Value, keywords: Value) throws {
    #expect(try Self.values(signature, positional, keywords) == [1, 2])
  }

  @Test("VAL-2: a default stands in for what is left out, and only then") func defaults() throws {
    #expect(try Self.values(Self.optional, Self.array(1), [:]) == [1, nil])
    #expect(try Self.values(Self.optional, Self.array(1, 2), [:]) == [1, 2])
  }

  @Test("VAL-2: take any number more by position where they say so") func rest() throws {
    #expect(try Self.values(Self.open, Self.array(1, 2, 3), [:]) == [1, [2, 3]])
    #expect(try Self.values(Self.open, Self.array(1), [:]) == [1, []])
  }

  @Test("VAL-2: take any names more where they say so, in their order, the last of two that are equal") func more()
    throws
  {
    let keywords: Value = ["z": 1, "b": 2, "y": 3, "z": 4]
    #expect(try Self.values(Self.all, Self.array(7), keywords) == [[7], 2, ["z": 4, "y": 3]])
    #expect(try Self.values(Self.all, [], [:]) == [[], nil, [:]])
  }

  @Test("VAL-2: what comes behind the rest is given by its name only") func afterRest() throws {
    #expect(try Self.values(Self.all, Self.array(1, 2), [:]) == [[1, 2], nil, [:]])
    #expect(try Self.values(Self.keyword, Self.array(1), ["b": 2]) == [1, 2])
    #expect(throws: RemoteException.parameters("too many positional arguments")) {
      try Self.keyword.bind(Self.array(1, 2), [:])
    }
    #expect(throws: RemoteException.parameters("missing a required argument: 'b'")) {
      try Self.keyword.bind(Self.array(1), [:])
    }
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
    let expected = RemoteException(
      "aiozmq.rpc.base.ParametersError", [.string("TypeError(\(quote)\(message)\(quote))")])
    #expect(throws: expected) { try Self.two.bind(positional, keywords) }
  }

  @Test(
    "EXC-1: a value's repr is Python's",
    arguments: [
      (Value.string("a"), "'a'"), (.string("it's"), "\"it's\""), (.string("'\""), "'\\'\"'"), (.nil, "None"),
      (.bool(true), "True"), (.array([.int(1)]), "(1,)"), (.array([.int(1), .int(2)]), "(1, 2)"), (.array([]), "()"),
      (.map([.init(.string("k"), .double(1.5))]), "{'k': 1.5}"), (.string("a\n\\"), "'a\\n\\\\'"),
      (.string("\u{7}\u{7F}é"), "'\\x07\\x7fé'"), (.binary([0x61, 0, 0xFF, 0x27]), "b\"a\\x00\\xff'\""),
      (.binary([0x5C, 0x0A]), "b'\\\\\\n'"), (.ext(5, [1]), "ExtType(code=5, data=b'\\x01')"),
    ])
  func repr(value: Value, text: String) { #expect(value.pythonRepr == text) }

  @Test(
    "VAL-1: what Python splats is splatted",
    arguments: [
      (.string("aé"), ["a", "é"]), (.binary([1, 255]), [1, 255]), (.map([.init("x", 1), .init("y", 2)]), ["x", "y"]),
    ] as [(Value, [Value])])
  func splats(positional: Value, members: [Value]) throws {
    #expect(try Self.values(Self.two, positional, [:]) == members)
  }

  @Test(
    "VAL-1: what is no list of arguments is told by its Python type",
    arguments: [
      (.int(1), "int"), (.nil, "NoneType"), (.double(1.5), "float"), (.bool(true), "bool"), (.ext(1, []), "ExtType"),
    ] as [(Value, String)])
  func notIterable(value: Value, type: String) {
    let message = "TypeError('inspect.Signature.bind() argument after * must be an iterable, not \(type)')"
    #expect(throws: RemoteException("aiozmq.rpc.base.ParametersError", [.string(message)])) {
      try Self.two.bind(value, .map([]))
    }
  }

  @Test("VAL-1: keywords are a map with strings for keys")
  func badKeywords() {
    let mapping = "TypeError('inspect.Signature.bind() argument after ** must be a mapping, not tuple')"
    #expect(throws: RemoteException("aiozmq.rpc.base.ParametersError", [.string(mapping)])) {
      try Self.two.bind([], [1])
    }
    #expect(throws: RemoteException.parameters("keywords must be strings")) {
      try Self.two.bind([], .map([.init(.binary([1]), 1)]))
    }
  }
}
