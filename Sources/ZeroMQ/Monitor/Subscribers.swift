/// Knows who has subscribed to a publishing socket, and tells those who wait for somebody.
final class Subscribers {
  private struct Wait {
    let topic: [UInt8]
    let waiter: Waiter<Bool>
  }

  private var subscriptions = Subscriptions()
  private var waits: [Wait] = []

  /// Hears of a message that an XPUB has received. What is no subscription is passed over.
  func take(_ message: borrowing ReceivedMessage) {
    guard message.count == 1, let prefix = subscriptions.take(message[0]) else { return }
    waits.removeAll { wait in
      guard wait.topic.starts(with: prefix) else { return wait.waiter.isAnswered }
      wait.waiter.resume(true)
      return true
    }
  }

  /// Whether somebody has subscribed to the topic, or to a prefix of it.
  func has(_ topic: [UInt8]) -> Bool { subscriptions.match(topic) }

  /// Answers with true as soon as somebody has subscribed to the topic, or to a prefix of it; with false when the socket closes.
  func wait(for topic: [UInt8], _ waiter: Waiter<Bool>) {
    if has(topic) { return _ = waiter.resume(true) }
    // Those who have given up meanwhile make room.
    waits.removeAll { $0.waiter.isAnswered }
    waits.append(Wait(topic: topic, waiter: waiter))
  }

  /// Nobody comes any more.
  func end() {
    for wait in waits { wait.waiter.resume(false) }
    waits = []
  }
}
