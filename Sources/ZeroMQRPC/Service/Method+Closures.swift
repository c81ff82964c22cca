public import MessagePack

// The same closure in eight forms: short ones and `async` ones, with a `CallContext` first or without, with a result or without.
extension Method {
  /// A method that answers with its result, and runs on the reactor.
  public init<each Argument: Sendable, Result: ValueEncodable>(
    _ parameters: repeat Parameter<each Argument>, body: @escaping @Sendable (repeat each Argument) throws -> Result
  ) {
    let takers = ArgumentTakers(repeat each parameters)
    self.init(
      Signature(repeat each parameters, result: Result.self),
      .inline { _, arguments in
        var arguments = arguments
        return try body(repeat try takers.next((each Argument).self, of: &arguments)).asValue()
      })
  }

  /// A method that answers with nil, and runs on the reactor.
  public init<each Argument: Sendable>(
    _ parameters: repeat Parameter<each Argument>, body: @escaping @Sendable (repeat each Argument) throws -> Void
  ) {
    let takers = ArgumentTakers(repeat each parameters)
    self.init(
      Signature(repeat each parameters, result: Void.self),
      .inline { _, arguments in
        var arguments = arguments
        try body(repeat try takers.next((each Argument).self, of: &arguments))
        return .nil
      })
  }

  /// A method that is told who calls, and runs on the reactor.
  public init<each Argument: Sendable, Result: ValueEncodable>(
    _ parameters: repeat Parameter<each Argument>,
    body: @escaping @Sendable (CallContext, repeat each Argument) throws -> Result
  ) {
    let takers = ArgumentTakers(repeat each parameters)
    self.init(
      Signature(repeat each parameters, result: Result.self),
      .inline { call, arguments in
        var arguments = arguments
        return try body(call, repeat try takers.next((each Argument).self, of: &arguments)).asValue()
      }, needsCaller: true)
  }

  /// A method that is told who calls and answers with nil, and runs on the reactor.
  public init<each Argument: Sendable>(
    _ parameters: repeat Parameter<each Argument>,
    body: @escaping @Sendable (CallContext, repeat each Argument) throws -> Void
  ) {
    let takers = ArgumentTakers(repeat each parameters)
    self.init(
      Signature(repeat each parameters, result: Void.self),
      .inline { call, arguments in
        var arguments = arguments
        try body(call, repeat try takers.next((each Argument).self, of: &arguments))
        return .nil
      }, needsCaller: true)
  }

  /// A method that answers with its result, and runs beside others.
  public init<each Argument: Sendable, Result: ValueEncodable>(
    _ parameters: repeat Parameter<each Argument>,
    body: @escaping @Sendable (repeat each Argument) async throws -> Result
  ) {
    let takers = ArgumentTakers(repeat each parameters)
    self.init(
      Signature(repeat each parameters, result: Result.self),
      .concurrent { _, arguments in
        var arguments = arguments
        return try await body(repeat try takers.next((each Argument).self, of: &arguments)).asValue()
      })
  }

  /// A method that answers with nil, and runs beside others.
  public init<each Argument: Sendable>(
    _ parameters: repeat Parameter<each Argument>, body: @escaping @Sendable (repeat each Argument) async throws -> Void
  ) {
    let takers = ArgumentTakers(repeat each parameters)
    self.init(
      Signature(repeat each parameters, result: Void.self),
      .concurrent { _, arguments in
        var arguments = arguments
        try await body(repeat try takers.next((each Argument).self, of: &arguments))
        return .nil
      })
  }

  /// A method that is told who calls, and runs beside others.
  public init<each Argument: Sendable, Result: ValueEncodable>(
    _ parameters: repeat Parameter<each Argument>,
    body: @escaping @Sendable (CallContext, repeat each Argument) async throws -> Result
  ) {
    let takers = ArgumentTakers(repeat each parameters)
    self.init(
      Signature(repeat each parameters, result: Result.self),
      .concurrent { call, arguments in
        var arguments = arguments
        return try await body(call, repeat try takers.next((each Argument).self, of: &arguments)).asValue()
      }, needsCaller: true)
  }

  /// A method that is told who calls and answers with nil, and runs beside others.
  public init<each Argument: Sendable>(
    _ parameters: repeat Parameter<each Argument>,
    body: @escaping @Sendable (CallContext, repeat each Argument) async throws -> Void
  ) {
    let takers = ArgumentTakers(repeat each parameters)
    self.init(
      Signature(repeat each parameters, result: Void.self),
      .concurrent { call, arguments in
        var arguments = arguments
        try await body(call, repeat try takers.next((each Argument).self, of: &arguments))
        return .nil
      }, needsCaller: true)
  }
}
