import MessagePack

/// A function that can be called over the wire, with the names of its parameters.
///
/// ```swift
/// let scale = Method("x", Parameter("by", default: 2.0)) { (x: Double, by: Double) in x * by }
/// ```
/// One that is not `async` runs on the service's reactor, in the order in which calls come: it must be short. One that is `async` runs
/// beside others, on Swift's own threads.
public struct Method: Handler {
  enum Body: Sendable {
    case inline(@Sendable (CallContext, BoundArguments) throws -> Value)
    case concurrent(@Sendable (CallContext, BoundArguments) async throws -> Value)
  }

  let signature: Signature
  let body: Body
  /// What it does, for `rpc.describe`.
  var text: String?

  init(_ signature: Signature, _ body: Body) {
    self.signature = signature
    self.body = body
  }

  /// A method is no namespace.
  public func lookup(_ name: String) -> (any Handler)? { nil }
  public var method: Method? { self }
}
