import Logging
import Reactor
import ZeroMQ
import ZeroMQRPC

/// Publishes again whatever is published to it, so that a POST to `/pub` comes out of `/sub`.
final class NewsRelay: SubscriberDelegate {
  /// Where it takes publications.
  let endpoint: Endpoint
  private let publisher: OneWayClient
  private let subscriber: Subscriber

  init(at endpoint: Endpoint, in context: Context, on loop: Loop, to publisher: OneWayClient, logger: Logger) throws {
    self.publisher = publisher
    subscriber = try Subscriber(bind: [endpoint], longestFrame: 1 << 20, in: context, on: loop, logger: logger)
    self.endpoint = subscriber.bindings[0].inNumbers
    try subscriber.subscribe([])
    subscriber.delegate = self
  }

  func published(_ call: BorrowedCall) {
    // With nobody connected nobody misses it.
    try? publisher.send(call)
  }

  func dropped(topic: UnsafeRawBufferPointer) {}
  func publishedAll() {}
  func upstreamChanged(connected: Int, of endpoints: Int) {}

  func close() { subscriber.close() }
}
