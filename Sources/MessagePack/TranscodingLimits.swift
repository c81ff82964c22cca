/// What one document may ask of the gateway, checked before anything that depends on it is allocated.
public struct TranscodingLimits: Sendable, Hashable {
  /// The most bytes a document may have, whatever the limits say: 256 MiB, so that positions fit 32 bits.
  public static let largestDocument = 1 << 28

  /// How many arrays and maps may stand inside one another; a scalar has depth 0. Default: 64.
  public var depth: Int
  /// How many values one document may hold, its containers and map keys included. Default: 1,000,000.
  public var elements: Int

  /// For bytes that were checked already.
  static let unbounded = TranscodingLimits(depth: .max, elements: .max)

  /// Limits, by default those above.
  public init(depth: Int = 64, elements: Int = 1_000_000) {
    self.depth = depth
    self.elements = elements
  }
}
