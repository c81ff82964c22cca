/// Who calls, for a method whose first parameter it is.
public struct CallContext: Sendable {
  /// Each call takes one along, told or not: so it is one reference.
  private final class Content: Sendable {
    let name: String
    let peerAddress: String?
    let topic: [UInt8]?
    let deadline: ContinuousClock.Instant?

    init(_ name: String, _ peerAddress: String?, _ topic: [UInt8]?, _ deadline: ContinuousClock.Instant?) {
      self.name = name
      self.peerAddress = peerAddress
      self.topic = topic
      self.deadline = deadline
    }
  }

  private let content: Content

  init(name: String, peerAddress: String?, topic: [UInt8]?, deadline: ContinuousClock.Instant?) {
    content = Content(name, peerAddress, topic, deadline)
  }

  /// The dotted name as it was called.
  public var name: String { content.name }
  /// The network address of the peer that the call came from, as `127.0.0.1`: that of the last proxy on the way; nil over ipc and inproc.
  public var peerAddress: String? { content.peerAddress }
  /// What the call was published on; nil in the other patterns.
  public var topic: [UInt8]? { content.topic }
  /// When the caller gets a `TimeoutError`, and the method is cancelled; nil without a timeout.
  public var deadline: ContinuousClock.Instant? { content.deadline }
}

extension CallContext {
  /// For methods that do not look at it.
  static let untold = CallContext(name: "", peerAddress: nil, topic: nil, deadline: nil)
}
