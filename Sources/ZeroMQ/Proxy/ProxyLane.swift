/// One direction of a proxy: whole messages from one socket to another, their frames moved and never copied.
final class ProxyLane {
  /// What a turn has come to.
  enum Outcome {
    /// There is nothing to take, or no room to give it.
    case idle
    /// There may be more.
    case busy
    /// The sink has no room for the message that was taken, and does not tell when it has.
    case stuck
  }

  private(set) var statistics = ProxyStatistics.Lane()
  private let source: LoopSocket, sink: LoopSocket, capture: LoopSocket?
  private var message = ReceivedMessage()
  /// A message was taken that could not be given yet.
  private var isHolding = false

  init(from source: LoopSocket, to sink: LoopSocket, capture: LoopSocket?) {
    (self.source, self.sink, self.capture) = (source, sink, capture)
  }

  /// Moves at most that many messages. What cannot be given is not taken.
  func move(atMost limit: Int) throws(ZMQError) -> Outcome {
    guard let from = source.inner, let to = sink.inner else { return .idle }
    for _ in 0..<limit {
      if !isHolding {
        guard try to.look().contains(.output), try message.receive(from: from) else { return .idle }
        source.subscribers?.take(message)
        guard isPassable else {
          statistics.dropped += 1
          continue
        }
        isHolding = true
        try copy()
      }
      if try give(to) == false { return .stuck }
      isHolding = false
    }
    return .busy
  }

  /// Whether the next turn will do something. A stuck one is not ready.
  func isReady(_ source: Socket.Readiness, _ sink: Socket.Readiness) -> Bool {
    !isHolding && source.contains(.input) && sink.contains(.output)
  }

  /// Gives what it holds, or drops it.
  func end() {
    guard isHolding else { return }
    let isGiven = (try? sink.inner.map(give)) == true
    if !isGiven { statistics.dropped += 1 }
    isHolding = false
    message.clear()
  }

  /// False when there is no room, and the message is still held.
  private func give(_ to: Socket) throws(ZMQError) -> Bool {
    let bytes = message.bytes
    do throws(ZMQError) {
      switch try message.pass(to: to) {
      case .whole:
        statistics.messages += 1
        statistics.bytes += bytes
      case .lost: statistics.dropped += 1
      case .refused:
        // A router's peer that reads nothing must not hold up all others.
        guard sink.kind == .router else { return false }
        statistics.dropped += 1
      }
    } catch {
      guard error.code == .unreachable else { throw error }
      statistics.dropped += 1
    }
    return true
  }

  /// What the capture cannot take, for whatever reason, must not hold the others up.
  private func copy() throws(ZMQError) {
    guard let to = capture?.inner else { return }
    do throws(ZMQError) {
      if try !message.copy(to: to) { statistics.uncaptured += 1 }
    } catch {
      guard error.code != .terminated, error.code != .notSocket else { throw error }
      statistics.uncaptured += 1
    }
  }

  private var isPassable: Bool { sink.kind.fault(ofFrames: message.count, { message[$0] }) == nil }
}
