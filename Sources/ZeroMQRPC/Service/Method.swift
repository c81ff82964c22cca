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

  /// What all copies share: a call takes one along from thread to thread.
  private final class Content: Sendable {
    let signature: Signature
    let body: Body
    let needsCaller: Bool
    let text: String?

    init(_ signature: Signature, _ body: Body, needsCaller: Bool, text: String?) {
      self.signature = signature
      self.body = body
      self.needsCaller = needsCaller
      self.text = text
    }
  }

  private let content: Content

  init(_ signature: Signature, _ body: Body, needsCaller: Bool = false) {
    content = Content(signature, body, needsCaller: needsCaller, text: nil)
  }

  private init(_ content: Content) { self.content = content }

  var signature: Signature { content.signature }
  var body: Body { content.body }
  /// Whether it wants to know the address of who calls.
  var needsCaller: Bool { content.needsCaller }
  /// What it does, for `rpc.describe`.
  var text: String? { content.text }

  /// The same with words on what it does.
  func described(_ text: String) -> Method {
    Method(Content(signature, body, needsCaller: needsCaller, text: text))
  }

  /// A method is no namespace.
  public func lookup(_ name: String) -> (any Handler)? { nil }
  public var method: Method? { self }
}
