/// What a proxy has moved.
public struct ProxyStatistics: Sendable, Hashable {
  /// In one direction.
  public struct Lane: Sendable, Hashable {
    /// Messages that were passed on.
    public var messages = 0
    /// Bytes of their frames.
    public var bytes = 0
    /// Messages that were dropped: a router's peer was gone or full, a connection died in the middle of one, or a subscription had a length
    /// that libzmq cannot carry, or what was for a ROUTER had one frame, or for a STREAM not two.
    public var dropped = 0
    /// Messages that the capturing socket could not take, as without room, peer or turn. They were passed on all the same.
    public var uncaptured = 0
  }

  /// From the front to the back.
  public internal(set) var forth = Lane()
  /// From the back to the front.
  public internal(set) var back = Lane()
}
