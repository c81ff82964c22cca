import Reactor

/// How spans are sent to a collector.
package struct ExportOptions: Sendable, Hashable {
  /// Where it takes them.
  package var collector: CollectorAddress
  /// `service.name` of the spans.
  package var service = "zmq-gateway"
  /// `service.version`.
  package var version = ""
  /// Spans that wait; what is beyond is dropped.
  package var queue = 2_048
  /// The most that are sent at once.
  package var batch = 512
  /// How long a span waits for others to be sent with.
  package var interval = Duration.seconds(1)
  /// How long one attempt may take.
  package var timeout = Duration.seconds(10)
  /// How often a batch is sent at most, until it is dropped.
  package var attempts = 4
  /// Headers of each request, such as a key of the collector's.
  package var headers: [String: String] = [:]

  package init(collector: CollectorAddress) { self.collector = collector }
}

/// Sends spans that have ended to a collector, as JSON by OTLP/HTTP (OpenTelemetry Protocol 1.x). Whoever ends a span hands it over and goes
/// on; one thread beside sends, in batches. What does not fit into the queue is dropped; so is a batch that the collector refuses, or that
/// nobody has taken after some attempts. Both are counted.
package final class SpanExporter: Sendable {
  /// What has become of spans.
  package struct Counters: Sendable, Hashable {
    /// The collector has taken them.
    package var exported = 0
    /// There was no room in the queue.
    package var droppedFromQueue = 0
    /// The collector refused them.
    package var refused = 0
    /// No attempt reached it.
    package var undelivered = 0

    package init() {}
  }

  private struct State {
    var waiting: [SpanRecord] = []
    /// The first of those that wait came then.
    var since = Instant(nanoseconds: 0)
    /// Spans of the batch that is being sent.
    var sending = 0
    var hasThread = false
    var isFlushing = false
    var isClosed = false
    var counters = Counters()
  }

  package let options: ExportOptions
  private let state = Guarded(State())

  /// How long the thread sleeps before it looks again.
  private static let look = Duration.milliseconds(20)
  /// How long it waits after a failure; twice as long after the next.
  private static let firstPause = Duration.milliseconds(500)
  private static let longestPause = Duration.seconds(30)

  package init(_ options: ExportOptions) { self.options = options }

  package var counters: Counters { state.withLock { $0.counters } }

  /// Spans that wait, or are being sent.
  package var queued: Int { state.withLock { $0.waiting.count + $0.sending } }

  /// Takes a span that has ended.
  func add(_ span: SpanRecord) {
    let now = Instant.monotonic()
    let starts = state.withLock { state -> Bool in
      guard !state.isClosed, state.waiting.count + state.sending < options.queue else {
        state.counters.droppedFromQueue += 1
        return false
      }
      if state.waiting.isEmpty { state.since = now }
      state.waiting.append(span)
      defer { state.hasThread = true }
      return !state.hasThread
    }
    guard starts else { return }
    do {
      try startThread(name: "spans") { self.run() }
    } catch {
      // Another span tries again.
      state.withLock { $0.hasThread = false }
    }
  }

  /// What waits is sent now.
  package func flush() { state.withLock { $0.isFlushing = true } }

  /// Takes no more spans and sends those that wait, once. Returns when that is done, or the time is over; what is left is lost.
  package func close(within time: Duration) async {
    state.withLock { $0.isClosed = true }
    let end = Instant.monotonic() + time
    while state.withLock({ $0.hasThread }), Instant.monotonic() < end {
      try? await Task.sleep(for: .milliseconds(5))
    }
  }

  /// The thread's life: it ends when nothing waits.
  private func run() {
    while let batch = next() { send(batch) }
  }

  /// The next batch, when it is full or has waited; nil when nothing waits, and the thread is to end.
  private func next() -> [SpanRecord]? {
    while true {
      let (batch, isOver) = state.withLock { state -> ([SpanRecord], Bool) in
        guard !state.waiting.isEmpty else {
          state.hasThread = false
          state.isFlushing = false
          return ([], true)
        }
        let isDue =
          state.waiting.count >= options.batch || state.isFlushing || state.isClosed
          || Instant.monotonic() - state.since >= options.interval
        guard isDue else { return ([], false) }
        let batch = Array(state.waiting.prefix(options.batch))
        state.waiting.removeFirst(batch.count)
        state.sending = batch.count
        return (batch, false)
      }
      if isOver { return nil }
      if !batch.isEmpty { return batch }
      sleep(Self.look)
    }
  }

  private func send(_ batch: [SpanRecord]) {
    let body = SpanDocument.json(batch, service: options.service, version: options.version)
    var pause = Self.firstPause
    for attempt in 1...max(1, options.attempts) {
      switch CollectorRequest(options.collector, options.headers, body).send(within: options.timeout) {
      case .taken: return ended(batch.count, \.exported)
      case .refused: return ended(batch.count, \.refused)
      case .failed(let retryAfter):
        guard attempt < options.attempts, rest(min(max(pause, retryAfter ?? .zero), Self.longestPause)) else {
          return ended(batch.count, \.undelivered)
        }
        pause = pause * 2
      }
    }
  }

  private func ended(_ count: Int, _ path: WritableKeyPath<Counters, Int>) {
    state.withLock { state in
      state.sending = 0
      state.counters[keyPath: path] += count
    }
  }

  /// Waits before the next attempt; false when there is to be none, because nobody waits for it.
  private func rest(_ time: Duration) -> Bool {
    let end = Instant.monotonic() + time
    while Instant.monotonic() < end {
      if state.withLock({ $0.isClosed }) { return false }
      sleep(Self.look)
    }
    return true
  }

  private func sleep(_ time: Duration) { pauseThread(time) }
}
