/// Who calls, for a method whose first parameter it is.
public struct CallContext: Sendable {
  /// The dotted name as it was called.
  public let name: String
  /// The network address of the peer that the call came from, as `127.0.0.1`: that of the last proxy on the way; nil over ipc and inproc.
  public let peerAddress: String?
  /// What the call was published on; nil in the other patterns.
  public let topic: [UInt8]?
  /// When the caller gets a `TimeoutError`, and the method is cancelled; nil without a timeout.
  public let deadline: ContinuousClock.Instant?
}

extension CallContext {
  /// For methods that do not look at it.
  static let untold = CallContext(name: "", peerAddress: nil, topic: nil, deadline: nil)

  /// An IP address as libzmq tells it, without the spelling that makes one of IPv4 one of IPv6. Over ipc it tells of the peer's process.
  static func address(_ text: String?) -> String? {
    guard let text, let first = text.first, first.isHexDigit || first == ":" else { return nil }
    return text.hasPrefix("::ffff:") ? String(text.dropFirst(7)) : text
  }
}
