package import Reactor

extension Transport {
  /// Tells what happens to the connections from now on, until the transport's end.
  public func monitor() throws(ZMQError) -> Monitor { try openSocket(for: "monitor").monitor() }

  /// Returns as soon as somebody has subscribed to what is published under the topic: to the topic itself, or to a prefix of it. What is
  /// published afterwards reaches that subscriber.
  ///
  /// For an XPUB, and for a PUB that was opened with `SocketOptions.watchesSubscribers`; throws `notSupported` for others. While an XPUB's
  /// reading is paused, nothing is heard. Throws `timedOut` after the limit, if there is one, `notSocket` when the transport ends, `notSupported` on a reactor that was stopped, and
  /// `CancellationError` when the task is cancelled.
  public func waitForSubscriber(of topic: some Sequence<UInt8>, within limit: Duration? = nil) async throws {
    try await openSocket(for: "waitForSubscriber").waitForSubscriber(of: Array(topic), within: limit, on: reactor.loop)
  }
}

extension LoopSocket {
  /// As `Transport.waitForSubscriber`, for who is on the loop's thread.
  package nonisolated(nonsending) func waitForSubscriber(
    of topic: [UInt8], within limit: Duration? = nil, on loop: Loop
  ) async throws {
    guard let subscribers = subscribers else {
      throw ZMQError(
        code: .notSupported,
        call: "waitForSubscriber on a \(kind) socket; open an XPUB, or a PUB with the option watchesSubscribers")
    }
    guard !loop.isStopped else {
      throw ZMQError(code: .notSupported, call: "waitForSubscriber on a reactor that was stopped")
    }
    let waiter = Waiter<Subscribers.Outcome>()
    subscribers.wait(for: topic, waiter)
    let timer = limit.map { loop.schedule(at: loop.now + $0, Expiry(waiter)) }
    let outcome = await waiter.wait(orIfCancelled: .cancelled)
    if let timer { loop.cancel(timer) }
    switch outcome {
    case .subscribed: return
    case .closed: throw ZMQError(code: .notSocket, call: "waitForSubscriber on a socket that was closed meanwhile")
    case .expired: throw ZMQError(code: .timedOut, call: "waitForSubscriber")
    case .cancelled: throw CancellationError()
    }
  }
}

/// The end of a wait.
private final class Expiry: TimerHandler {
  private let waiter: Waiter<Subscribers.Outcome>

  init(_ waiter: Waiter<Subscribers.Outcome>) { self.waiter = waiter }

  func fired(_ timer: Timer) { waiter.resume(.expired) }
}
