import Support
import Testing

@Suite("Examples of calls", .inTurn(minutes: 3))
struct RPCExampleTests {
  private func lines(_ name: String) async throws -> [String] { try await Example(name: name).lines() }

  @Test("EX-3: a service on all interfaces adds two numbers") func simple() async throws {
    #expect(try await lines("rpc-simple") == ["remote_func(1, 2) is 3", "DONE"])
  }

  @Test("EX-4: a notifier repeats its call until a worker has run it") func pipeline() async throws {
    let lines = try await lines("rpc-pipeline")
    #expect(lines.last == "DONE" && lines.count > 1)
    // Each call that arrived did so once, in order.
    #expect(lines.dropLast().elementsEqual(lines.dropLast().indices.map { "HANDLER \($0) 1 2" }))
  }

  @Test("EX-5: a publisher waits for its subscriber, which hears it; errors would be logged") func pubsub() async throws
  {
    let lines = try await lines("rpc-pubsub")
    #expect(lines.first?.wholeMatch(of: #/SERVE tcp://127\.0\.0\.1:[0-9]+/#) != nil)
    #expect(lines.dropFirst() == ["HANDLER 0 1 2", "DONE"])
  }

  @Test("EX-6: an error of the service is one of the client's own, by its name") func exceptions() async throws {
    #expect(try await lines("rpc-exception-translator") == [#"caught CustomError(value: "value")"#, "DONE"])
  }

  @Test("EX-7: a point travels as an extension, and comes back equal") func values() async throws {
    #expect(try await lines("rpc-custom-translator") == ["Point(x: 1, y: 2) true", "DONE"])
  }

  @Test("EX-8: calls of an unknown name, and with arguments that do not fit, tell what is wrong") func incorrect()
    async throws
  {
    #expect(
      try await lines("rpc-incorrect-calls") == [
        "unknown_function(): NotFoundError('unknown_function')",
        #"remote_func(bad_arg: 1): ParametersError('TypeError("missing a required argument: \'a\'")')"#,
        #"remote_func(1): ParametersError('TypeError("missing a required argument: \'b\'")')"#,
        #"remote_func("a", "b"): ParametersError("Invalid value for argument 'a': "#
          + #"TypeError('an integer is needed, not a string')")"#,
        "DONE",
      ])
  }

  @Test("EX-9: a method of a namespace is called with its dotted name") func namespaces() async throws {
    #expect(
      try await lines("rpc-with-subhandlers") == [
        #"a() is ["ident", "a"]"#, #"subhandler.b() is ["ident", "subident", "b"]"#, "DONE",
      ])
  }

  @Test("EX-10: dictionaries are handlers") func dictionaries() async throws {
    #expect(try await lines("rpc-dict-handler") == ["a() is a", "subnamespace.b() is b", "DONE"])
  }

  @Test("EX-11: a handler makes namespaces up as they are asked for") func dynamic() async throws {
    #expect(
      try await lines("rpc-dynamic") == [
        "func() is [], val", #"a.func() is ["a"], val"#, #"a.b.func() is ["a", "b"], val"#, "DONE",
      ])
  }

  @Test("EX-12: the first steps: a question to a router, and a call") func gettingStarted() async throws {
    #expect(try await lines("getting-started") == ["[data, ask, 0]", "3"])
  }
}
