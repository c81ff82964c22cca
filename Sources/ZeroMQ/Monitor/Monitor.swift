/// What happens to the connections of one socket, as it happens (`zmq_socket_monitor(3)`).
///
/// It tells what has happened since it was made. The newest `limit` events wait to be taken; when more come, the oldest are dropped and
/// counted. It ends with its socket, after `stopped`. Connections over inproc are not told of.
///
/// ```swift
/// for await event in try await socket.monitor() { print(event) }      // accepted at tcp://127.0.0.1:5555
/// ```
public struct Monitor: AsyncSequence, Sendable {
  /// How many events wait to be taken.
  public static let limit = 100

  private let channel: EventChannel<Event>

  init(_ channel: EventChannel<Event>) { self.channel = channel }

  /// Events that were dropped because nobody took them.
  public var dropped: Int { channel.dropped }

  /// Those who iterate share the events.
  public func makeAsyncIterator() -> Iterator { Iterator(channel: channel) }

  /// Takes one event after the other.
  public struct Iterator: AsyncIteratorProtocol {
    fileprivate let channel: EventChannel<Event>

    /// The oldest event, waiting for one; nil when the socket is closed, and when the task is cancelled.
    public func next() async -> Event? { await channel.next() }

    /// As `next()`.
    public func next(isolation actor: isolated (any Actor)?) async -> Event? { await channel.next() }
  }
}
