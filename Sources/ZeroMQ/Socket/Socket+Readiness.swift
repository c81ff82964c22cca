import CZeroMQ

extension Socket {
  /// What a socket can do without waiting.
  public struct Readiness: OptionSet, Sendable {
    /// libzmq's bits.
    public let rawValue: CInt
    /// Any of libzmq's bits.
    public init(rawValue: CInt) { self.rawValue = rawValue }
    /// A message is there.
    public static let input = Readiness(rawValue: CInt(ZMQ_POLLIN))
    /// At least one peer has room.
    public static let output = Readiness(rawValue: CInt(ZMQ_POLLOUT))
  }
}
