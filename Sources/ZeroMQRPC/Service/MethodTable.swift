public import MessagePack

/// The methods of a service, by dotted name. Only what is registered is reachable.
///
/// ```swift
/// var methods = MethodTable()
/// methods.add("math.half", ["x"]) { .double(try $0.number("x") / 2) }
/// ```
public struct MethodTable: Sendable {
  /// What a method does. It may suspend; calls run side by side.
  public typealias Body = @Sendable (Arguments) async throws -> Value

  struct Method: Sendable {
    let parameters: Parameters
    let body: Body
  }

  private var methods: [String: Method] = [:]

  /// No methods.
  public init() {}

  /// The dotted names, sorted.
  public var names: [String] { methods.keys.sorted() }

  /// Registers a method; one of the same name is replaced.
  public mutating func add(_ name: String, _ parameters: Parameters = [], _ body: @escaping Body) {
    precondition(!name.isEmpty, "a method needs a name")
    methods[name] = Method(parameters: parameters, body: body)
  }

  /// Calls a method by name. Throws `NotFoundError`, `ParametersError`, or what the method throws.
  func call(_ name: String, _ positional: Value, _ keywords: Value) async throws -> Value {
    guard let method = methods[name] else { throw RemoteException.notFound(name) }
    return try await method.body(try method.parameters.bind(positional, keywords))
  }
}
