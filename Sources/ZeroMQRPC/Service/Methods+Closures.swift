public import MessagePack

// As the initializers of `Method`.
extension Methods {
  /// Adds a method that answers with its result, and runs on the reactor.
  public mutating func add<each Argument: Sendable, Result: ValueEncodable>(
    _ name: String, _ parameters: repeat Parameter<each Argument>,
    body: @escaping @Sendable (repeat each Argument) throws -> Result
  ) { add(name, Method(repeat each parameters, body: body)) }

  /// Adds a method that answers with nil, and runs on the reactor.
  public mutating func add<each Argument: Sendable>(
    _ name: String, _ parameters: repeat Parameter<each Argument>,
    body: @escaping @Sendable (repeat each Argument) throws -> Void
  ) { add(name, Method(repeat each parameters, body: body)) }

  /// Adds a method that is told who calls, and runs on the reactor.
  public mutating func add<each Argument: Sendable, Result: ValueEncodable>(
    _ name: String, _ parameters: repeat Parameter<each Argument>,
    body: @escaping @Sendable (CallContext, repeat each Argument) throws -> Result
  ) { add(name, Method(repeat each parameters, body: body)) }

  /// Adds a method that is told who calls and answers with nil, and runs on the reactor.
  public mutating func add<each Argument: Sendable>(
    _ name: String, _ parameters: repeat Parameter<each Argument>,
    body: @escaping @Sendable (CallContext, repeat each Argument) throws -> Void
  ) { add(name, Method(repeat each parameters, body: body)) }

  /// Adds a method that answers with its result, and runs beside others.
  public mutating func add<each Argument: Sendable, Result: ValueEncodable>(
    _ name: String, _ parameters: repeat Parameter<each Argument>,
    body: @escaping @Sendable (repeat each Argument) async throws -> Result
  ) { add(name, Method(repeat each parameters, body: body)) }

  /// Adds a method that answers with nil, and runs beside others.
  public mutating func add<each Argument: Sendable>(
    _ name: String, _ parameters: repeat Parameter<each Argument>,
    body: @escaping @Sendable (repeat each Argument) async throws -> Void
  ) { add(name, Method(repeat each parameters, body: body)) }

  /// Adds a method that is told who calls, and runs beside others.
  public mutating func add<each Argument: Sendable, Result: ValueEncodable>(
    _ name: String, _ parameters: repeat Parameter<each Argument>,
    body: @escaping @Sendable (CallContext, repeat each Argument) async throws -> Result
  ) { add(name, Method(repeat each parameters, body: body)) }

  /// Adds a method that is told who calls and answers with nil, and runs beside others.
  public mutating func add<each Argument: Sendable>(
    _ name: String, _ parameters: repeat Parameter<each Argument>,
    body: @escaping @Sendable (CallContext, repeat each Argument) async throws -> Void
  ) { add(name, Method(repeat each parameters, body: body)) }
}
