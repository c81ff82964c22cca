/// Where the two argument frames of a call lie in the buffer that ``JSONToMessagePack/transcodeCall(_:into:)`` filled.
public struct CallFrames: Sendable, Hashable {
  /// The MessagePack array of positional arguments; nil when there are none (send `90`).
  public var arguments: Range<Int>?
  /// The MessagePack map of keyword arguments; nil when there are none (send `80`).
  public var keywords: Range<Int>?

  /// ReceivedMessage by their place; none by default.
  public init(arguments: Range<Int>? = nil, keywords: Range<Int>? = nil) {
    self.arguments = arguments
    self.keywords = keywords
  }
}
