import HTTPServer
import MessagePack
import Reactor
import ZeroMQRPC

/// The calls of one service that are watched on this shard: each is made again and again, once for all who watch it.
final class Watches {
  /// The control parameter that says how often a client wants to look: `_watch=2s`.
  static let parameter = "_watch"
  static let lastEventID = "_last_event_id"

  let settings: Configuration.Watch
  private var calls: [CallKey: WatchedCall] = [:]
  private(set) var isDraining = false

  init(_ settings: Configuration.Watch) { self.settings = settings }

  /// Answers the request with a stream of the results of a call, whose arguments lie in its buffer. Throws when it cannot be made.
  func open(
    _ request: GatewayRequest, calling callee: CallResponder, _ frames: CallFrames, timeout: Duration,
    every interval: Duration, after lastID: String?
  ) throws(Problem) {
    let key = CallKey(callee.method, frames, in: request.buffers.request, as: .json)
    let stream = try WatchStream(request, every: max(interval, settings.interval), after: lastID)
    if let call = calls[key] { return call.add(stream) }
    guard calls.count < settings.calls else {
      throw Problem(.overloaded, "As many calls are watched as this service allows on one thread (watch.calls).")
    }
    let call = WatchedCall(callee, key, timeout: timeout, at: request.occurrence, in: self)
    try call.start(stream)
    calls[key] = call
  }

  /// Nobody watches that call any more.
  func remove(_ key: CallKey) { calls[key] = nil }

  /// The gateway stops, or has others instead: streams end with `bye`, those that are still to begin too.
  func drain() {
    isDraining = true
    end(because: .draining)
  }

  /// The streams that are there end.
  func end(because reason: Notice.Farewell) {
    for call in calls.values { call.end(because: reason) }
  }

  /// Streams look whether they may go on.
  func wake() {
    for call in calls.values { call.wake() }
  }
}

/// A call that is made again and again. Its streams are told of a result that differs from the one before, of a failure, and of the first
/// result after that.
///
/// There is one state, and each stream knows which it has sent: a slow reader gets the latest, and not what came in between.
final class WatchedCall: TimerHandler {
  private enum State {
    /// The first call is under way.
    case unknown
    case result(id: String)
    case problem(Problem)
  }

  /// What a timer is for.
  private enum Clock: UInt32 {
    case poll, heartbeat
  }

  private let callee: CallResponder
  private let key: CallKey
  private let timeout: Duration
  private let occurrence: Problem.Occurrence
  // Safe: the callee holds its upstream, and that these.
  private unowned let watches: Watches
  private let arguments: ByteBuffer
  private let frames: CallFrames
  private let share: MemoryShare
  private var state = State.unknown
  /// The event that tells the state, and how many states there were before.
  private(set) var event: [UInt8] = []
  private(set) var version = 0
  private var streams: [ObjectIdentifier: WatchStream] = [:]
  private var call: Call?
  private var madeAt: Instant
  private var next: Timer?
  private var heartbeat: Timer?
  var loop: Loop { callee.upstream.loop }
  var settings: Configuration.Watch { watches.settings }
  var isDraining: Bool { watches.isDraining }

  init(
    _ callee: CallResponder, _ key: CallKey, timeout: Duration, at occurrence: Problem.Occurrence, in watches: Watches
  ) {
    self.callee = callee
    self.key = key
    self.timeout = timeout
    self.occurrence = occurrence
    self.watches = watches
    arguments = key.buffer
    frames = key.frames
    share = MemoryShare(of: callee.upstream.memory)
    madeAt = callee.upstream.loop.now
  }

  /// Makes the first call, for that stream. Throws when it cannot be made.
  func start(_ stream: WatchStream) throws(Problem) {
    try makeCall()
    add(stream)
    scheduleHeartbeat()
  }

  /// Takes a stream in. It is answered with the state, when that is known.
  func add(_ stream: WatchStream) {
    switch state {
    case .unknown: stream.waits(for: self)
    case .result(let id): stream.begin(self, at: id)
    // As it would have been told had it asked for the result alone.
    case .problem(let problem): return stream.refuse(problem)
    }
    streams[ObjectIdentifier(stream)] = stream
    // It may want to look more often.
    if next != nil { scheduleNext() }
  }

  func remove(_ stream: WatchStream) {
    streams[ObjectIdentifier(stream)] = nil
    if streams.isEmpty { stop() }
  }

  func end(because reason: Notice.Farewell) {
    for stream in streams.values { stream.end(because: reason) }
  }

  func wake() {
    for stream in streams.values { stream.wake() }
  }

  private func stop() {
    watches.remove(key)
    call.take()?.cancel()
    for timer in [next.take(), heartbeat.take()] {
      if let timer { loop.cancel(timer) }
    }
  }

  // MARK: Calls

  private func makeCall() throws(Problem) {
    madeAt = loop.now
    let call = Call(callee.method, of: callee.upstream, at: occurrence, isTagged: true) { [weak self] in
      self?.ended($0)
    }
    try call.start(frames, in: arguments, asking: timeout)
    self.call = call
  }

  private func ended(_ outcome: CallOutcome) {
    call = nil
    if let problem = outcome.problem { failed(problem) } else { succeeded(outcome) }
    if !streams.isEmpty { scheduleNext() }
  }

  private func succeeded(_ outcome: CallOutcome) {
    let id = outcome.tag?.filter { $0 != "\"" } ?? ""
    if case .result(id) = state { return }
    let isFirst = if case .unknown = state { true } else { false }
    state = .result(id: id)
    tell(ServerSentEvents.result(id: id, outcome.body.bytes))
    guard isFirst else { return }
    for stream in streams.values { stream.begin(self, at: id) }
  }

  private func failed(_ problem: Problem) {
    switch state {
    case .unknown:
      // Nobody has been answered yet: this is the answer.
      let waiting = streams
      streams = [:]
      stop()
      for stream in waiting.values { stream.refuse(problem) }
      return
    case .problem(let other) where other.code == problem.code && other.status == problem.status: return
    case .problem, .result: break
    }
    state = .problem(problem)
    tell(Notice.error(problem.at(occurrence).json(prefix: occurrence.prefix)).lines)
  }

  private func tell(_ event: [UInt8]) {
    self.event = event
    version += 1
    share.force(event.count)
    wake()
  }

  // MARK: The clock

  /// The next call is made when the most eager of the streams wants to look again, and not before this one has ended.
  private func scheduleNext() {
    guard call == nil, let interval = streams.values.map(\.interval).min() else { return }
    if let timer = next.take() { loop.cancel(timer) }
    next = loop.schedule(at: max(madeAt + interval, loop.now), self, tag: Clock.poll.rawValue)
  }

  private func scheduleHeartbeat() {
    let time = settings.heartbeat * Double.random(in: 0.8...1)
    heartbeat = loop.schedule(at: loop.now + time, self, tag: Clock.heartbeat.rawValue)
  }

  func fired(_ timer: Timer) {
    if timer.tag == Clock.heartbeat.rawValue {
      for stream in streams.values { stream.sendHeartbeat() }
      return scheduleHeartbeat()
    }
    next = nil
    do throws(Problem) {
      try makeCall()
    } catch {
      failed(error)
      scheduleNext()
    }
  }
}
