import Reactor
import ZeroMQ
import ZeroMQRPC

/// Publishes again whatever is published to it, so that a POST to `/pub` comes out of `/sub`.
final class NewsRelay: SubscriberDelegate {
  /// Where it takes publications.
  let endpoint: String
  private let publisher: OneWayClient
  private var subscriber: Subscriber?

  init(in context: Context, on loop: Loop, to publisher: OneWayClient) throws {
    self.publisher = publisher
    let subscriber = try Subscriber(bind: ["tcp://127.0.0.1:*"], longestFrame: 1 << 20, in: context, on: loop)
    try subscriber.subscribe([])
    endpoint = subscriber.bindings.first ?? ""
    self.subscriber = subscriber
    subscriber.owner = self
  }

  func published(_ call: BorrowedCall) {
    // With nobody connected nobody misses it.
    try? publisher.send(call)
  }

  func publishedAll() {}
  func upstreamChanged(connected: Int, of endpoints: Int) {}

  func close() {
    subscriber?.close()
    subscriber = nil
  }
}
