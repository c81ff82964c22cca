import DequeModule
import HTTPServer
import MessagePack
import Reactor

/// The calls of one service that requests on this shard share: a GET that asks for what is being asked for already waits for the same
/// call (`coalesce`), and one that asks for what was answered a short while ago gets that again (`keep`).
final class SharedCalls {
  /// What has happened since the start.
  struct Counters: Hashable {
    /// Requests that waited for the call of another one.
    var joined = 0
    /// Requests that were answered with a result that was kept.
    var kept = 0
  }

  private(set) var counters: Counters
  private var underWay: [CallKey: SharedCall] = [:]
  private let results: KeptResults

  /// Keeps at most so many results, of so many bytes together. What was counted before goes on.
  init(results: Int, bytes: Int, counted counters: Counters = .init(), on loop: Loop) {
    self.results = KeptResults(most: results, bytes: bytes, on: loop)
    self.counters = counters
  }

  /// Answers the request, whose arguments lie in its buffer, within the timeout. `keep` is how long a result may be used.
  func answer(
    _ request: GatewayRequest, calling callee: CallResponder, _ frames: CallFrames, timeout: Duration, keep: Duration?
  ) throws(Problem) {
    let key = CallKey(callee.method, frames, in: request.buffers.request, as: request.resultFormat)
    if let (outcome, age) = results[key] {
      counters.kept += 1
      return request.answer(outcome, freshFor: keep, age: age)
    }
    if let call = underWay[key] {
      counters.joined += 1
      return call.add(request, timeout: timeout)
    }
    let shared = SharedCall(on: callee.upstream.loop, keep: keep)
    let call = Call(
      callee.method, of: callee.upstream, at: request.occurrence, as: request.resultFormat, isTagged: true
    ) { [weak self] outcome in
      self?.underWay[key] = nil
      if let keep, outcome.problem == nil { self?.results.keep(outcome, of: key, for: keep) }
      shared.ended(outcome)
    }
    // Each request that waits has its own deadline; the call has the longest that any of them may ask for.
    let longest = callee.upstream.settings(of: callee.method).maximumTimeout
    try call.start(frames, in: request.buffers.request, asking: longest)
    underWay[key] = shared
    shared.started(call) { [weak self] in self?.underWay[key] = nil }
    shared.add(request, timeout: timeout)
  }
}

/// One call and the requests that wait for it. It goes on as long as any of them does.
private final class SharedCall {
  let loop: Loop
  private let keep: Duration?
  /// Nil when it has ended.
  private var call: Call?
  private var abandoned: (() -> Void)?
  private var waiting: [ObjectIdentifier: SharedCallRequest] = [:]

  init(on loop: Loop, keep: Duration?) {
    self.loop = loop
    self.keep = keep
  }

  /// The call is under way. When nobody waits for it any more it is cancelled, and `abandoned` is told.
  func started(_ call: Call, abandoned: @escaping () -> Void) {
    self.call = call
    self.abandoned = abandoned
  }

  func add(_ request: GatewayRequest, timeout: Duration) {
    let waiter = SharedCallRequest(request, for: self, timeout: timeout)
    waiting[ObjectIdentifier(waiter)] = waiter
    request.waits(for: waiter)
  }

  func ended(_ outcome: CallOutcome) {
    call = nil
    abandoned = nil
    for waiter in waiting.values { waiter.answer(outcome, freshFor: keep) }
    waiting = [:]
  }

  /// A request's own deadline has passed. The last one's is that of the call.
  func overdue(_ waiter: SharedCallRequest) {
    if waiting.count == 1, call?.expire() == false { return }
    // Answered by that.
    guard waiting.removeValue(forKey: ObjectIdentifier(waiter)) != nil, let call else { return }
    waiter.answer(call.overdue)
  }

  /// A request's client has left.
  func remove(_ waiter: SharedCallRequest) {
    waiting[ObjectIdentifier(waiter)] = nil
    guard waiting.isEmpty else { return }
    call.take()?.cancel()
    abandoned.take()?()
  }
}

/// A request that waits for a shared call.
private final class SharedCallRequest: PendingWork, TimerHandler {
  // The request holds this object, and abandons it before it is freed.
  private unowned let request: GatewayRequest
  private let shared: SharedCall
  private var deadline: Timer?

  init(_ request: GatewayRequest, for shared: SharedCall, timeout: Duration) {
    self.request = request
    self.shared = shared
    deadline = shared.loop.schedule(at: shared.loop.now + timeout, self)
  }

  func answer(_ outcome: CallOutcome, freshFor keep: Duration?) {
    stopClock()
    request.notes?.add(outcome.times)
    if let problem = outcome.problem {
      request.answer(problem)
    } else {
      request.answer(outcome, freshFor: keep, age: nil)
    }
  }

  func answer(_ problem: Problem) {
    stopClock()
    request.answer(problem)
  }

  func fired(_ timer: Timer) {
    deadline = nil
    shared.overdue(self)
  }

  func cancel() {
    stopClock()
    shared.remove(self)
  }

  private func stopClock() {
    if let timer = deadline.take() { shared.loop.cancel(timer) }
  }
}

/// Results that may be used again for some time. When there is no room for one more, the oldest go.
private final class KeptResults {
  private let most: Int
  private let mostBytes: Int
  private let loop: Loop
  private var results: [CallKey: KeptResult] = [:]
  /// From the oldest on. Some may be over.
  private var order: Deque<KeptResult> = []
  private var bytes = 0

  init(most: Int, bytes: Int, on loop: Loop) {
    self.most = most
    mostBytes = bytes
    self.loop = loop
  }

  /// A result that is kept, and for how long it has been.
  subscript(key: CallKey) -> (outcome: CallOutcome, age: Duration)? {
    guard let result = results[key], let outcome = result.outcome else { return nil }
    return (outcome, loop.now - result.since)
  }

  func keep(_ outcome: CallOutcome, of key: CallKey, for time: Duration) {
    let size = outcome.body.count + key.count
    guard most > 0, size <= mostBytes else { return }
    if let older = results[key] { forget(older) }
    while results.count >= most || bytes + size > mostBytes, let oldest = order.popFirst() { forget(oldest) }
    let result = KeptResult(outcome, of: key, size: size, since: loop.now, in: self)
    result.timer = loop.schedule(at: loop.now + time, result)
    results[key] = result
    order.append(result)
    bytes += size
  }

  func forget(_ result: KeptResult) {
    guard result.outcome.take() != nil else { return }
    if let timer = result.timer.take() { loop.cancel(timer) }
    results[result.key] = nil
    bytes -= result.size
    if order.count > 2 * results.count + 64 { order.removeAll { $0.outcome == nil } }
  }
}

private final class KeptResult: TimerHandler {
  let key: CallKey
  let size: Int
  let since: Instant
  /// Nil when its time is over.
  var outcome: CallOutcome?
  var timer: Timer?
  private weak var results: KeptResults?

  init(_ outcome: CallOutcome, of key: CallKey, size: Int, since: Instant, in results: KeptResults) {
    self.outcome = outcome
    self.key = key
    self.size = size
    self.since = since
    self.results = results
  }

  func fired(_ timer: Timer) {
    self.timer = nil
    results?.forget(self)
  }
}

extension GatewayRequest {
  /// Answers with an outcome that may be used for so long since it came, and that came so long ago (RFC 9111, 5.1 and 5.2.2.1).
  fileprivate func answer(_ outcome: CallOutcome, freshFor keep: Duration?, age: Duration?) {
    var headers: [(StaticString, String)] = []
    // What callers get who are told apart, no cache may give to others: some, as nginx's, do not look at how they were.
    let use = caller == nil ? "" : "private, "
    if let keep { headers.append(("Cache-Control", "\(use)max-age=\(keep.components.seconds)")) }
    if let age { headers.append(("Age", "\(age.components.seconds)")) }
    answer(outcome, headers: headers)
  }
}
