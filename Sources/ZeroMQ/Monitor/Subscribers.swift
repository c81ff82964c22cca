/// Knows who has subscribed to a publishing socket, and tells those who wait for somebody.
///
/// An XPUB's messages are its user's, who hands each on. Those of a PUB that is watched are only subscriptions, and are taken here.
final class Subscribers: MessageMover {
  /// How a wait ends.
  enum Outcome: Sendable {
    case subscribed
    /// The socket has closed.
    case closed
    case expired, cancelled
  }

  private struct Wait {
    let topic: [UInt8]
    let waiter: Waiter<Outcome>
  }

  private static let messagesPerTurn = 256

  private weak var socket: Socket?
  private var frames = ReceivedMessage()
  private var subscriptions = PeerSubscriptions()
  private var waits: [Wait] = []

  init(of socket: Socket) { self.socket = socket }

  /// Hears of a message that an XPUB has received. What is no subscription is passed over.
  func take(_ message: borrowing ReceivedMessage) { if message.count == 1 { take(message[0]) } }

  /// The same.
  func take(_ message: Message) { if message.count == 1 { message[0].withUnsafeBytes(take) } }

  private func take(_ frame: UnsafeRawBufferPointer) {
    let tellsEachEnd = socket?.tellsEachEnd == true
    guard let prefix = subscriptions.take(frame, tellsEachEnd: tellsEachEnd), !waits.isEmpty else { return }
    waits.removeAll { wait in
      guard wait.topic.starts(with: prefix) else { return wait.waiter.isAnswered }
      wait.waiter.resume(.subscribed)
      return true
    }
  }

  /// Answers as soon as somebody has subscribed to the topic, or to a prefix of it, or the socket has closed.
  func wait(for topic: [UInt8], _ waiter: Waiter<Outcome>) {
    guard !subscriptions.match(topic) else { return _ = waiter.resume(.subscribed) }
    // Those who have given up meanwhile make room.
    waits.removeAll { $0.waiter.isAnswered }
    waits.append(Wait(topic: topic, waiter: waiter))
  }

  func move() {
    guard let socket else { return }
    for _ in 0..<Self.messagesPerTurn {
      // An error shows again, and is told, when the socket is looked at next.
      guard (try? frames.receive(from: socket)) == true else { break }
      take(frames)
    }
    frames.clear()
  }

  func canMove() -> Bool { (try? socket?.look().contains(.input)) == true }

  func socketClosed() {
    for wait in waits { wait.waiter.resume(.closed) }
    waits = []
  }
}
