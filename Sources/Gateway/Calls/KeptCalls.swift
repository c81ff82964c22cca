import MessagePack
import Reactor
import ZeroMQRPC

/// What the shards remember together of calls beyond their requests.
struct RememberedCalls: Sendable {
  let kept: KeptCalls
  let keys: IdempotencyKeys

  init(_ configuration: Configuration = .init()) {
    kept = KeptCalls(configuration.asynchronous)
    keys = IdempotencyKeys(configuration.idempotency)
  }
}

/// The calls that were made with `Prefer: respond-async`, and what they came to: for whichever shard is asked.
///
/// Whoever knows the id of a call may ask for its outcome, and end it; nobody can guess one. Where callers are told apart, only who made
/// the call may.
///
/// A call is kept for `async.keep` after its end, at most `async.calls` at one time, ended or not; its outcome counts in
/// `http.limits.memory`.
final class KeptCalls: Sendable {
  /// Names a call: 128 random bits.
  struct ID: Hashable, Sendable {
    private let high: UInt64
    private let low: UInt64

    static func random() -> ID { ID(high: .random(in: .min ... .max), low: .random(in: .min ... .max)) }

    private init(high: UInt64, low: UInt64) {
      self.high = high
      self.low = low
    }

    private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    /// 22 digits of the alphabet of URLs (RFC 4648, 5); the last one stands for two bits only.
    var text: String {
      var (high, low) = (high, low)
      var text: [UInt8] = []
      for _ in 0..<22 {
        text.append(Self.digits[Int(low & 63)])
        low = low >> 6 | high << 58
        high >>= 6
      }
      return String(decoding: text, as: UTF8.self)
    }

    /// Nil for what is no id.
    init?(_ text: String) {
      guard text.utf8.count == 22 else { return nil }
      var (high, low): (UInt64, UInt64) = (0, 0)
      for digit in text.utf8.reversed() {
        guard let value = Self.digits.firstIndex(of: digit), high >> 58 == 0 else { return nil }
        high = high << 6 | low >> 58
        low = low << 6 | UInt64(value)
      }
      self.init(high: high, low: low)
    }
  }

  /// How far a call is.
  enum State: Sendable {
    case underWay
    case ended(CallOutcome)
  }

  private struct Entry {
    var state: State
    /// Who made the call; nil where nobody is told apart.
    let owner: String?
    /// Ends the call, on its own shard.
    let end: @Sendable () -> Void
    /// Is told when the entry is gone.
    let forgotten: (@Sendable () -> Void)?
  }

  /// How long a call is kept after its end.
  fileprivate let time: Duration
  private let limit: Int
  private let entries = Guarded<[ID: Entry]>([:])

  init(_ configuration: Configuration.Async) {
    limit = configuration.calls
    time = configuration.keep
  }

  /// Makes a call, and keeps it. Its arguments lie in the buffer; problems name the occurrence. Throws what is known at once; else
  /// `forgotten` is called, on any thread, when the call is kept no more.
  func start(
    _ method: MethodName, of upstream: RPCUpstream, at occurrence: Problem.Occurrence, _ frames: CallFrames,
    in buffer: borrowing ByteBuffer, asking timeout: Duration?, for owner: String? = nil, countedIn books: CallBooks,
    forgotten: (@Sendable () -> Void)? = nil
  ) throws(Problem) -> ID {
    let id = ID.random()
    let call = AsyncCall(id, in: self, countedIn: books, on: upstream.loop)
    // The engine holds the call until its end, and the timer from then on. Safe: only its own shard's thread looks at it.
    nonisolated(unsafe) weak let kept = call
    let end = { @Sendable [weak reactor = upstream.loop.reactor] in
      guard let reactor else { return }
      reactor.submit { kept?.end() }
    }
    let hasRoom = entries.withLock { entries in
      guard entries.count < limit else { return false }
      entries[id] = Entry(state: .underWay, owner: owner, end: end, forgotten: forgotten)
      return true
    }
    guard hasRoom else { throw .tooManyKept(limit) }
    do throws(Problem) {
      try call.start(method, of: upstream, at: occurrence, frames, in: buffer, asking: timeout)
    } catch {
      // Outside of the lock, as below.
      _ = entries.withLock { $0.removeValue(forKey: id) }
      throw error
    }
    return id
  }

  /// How far a call of that owner is; nil when none of that id is kept, or not any more.
  func find(_ id: ID, of owner: String? = nil) -> State? {
    entries.withLock { entries in entries[id].flatMap { $0.owner == owner ? $0.state : nil } }
  }

  /// Ends a call of that owner, and forgets it; false when none of that id is kept.
  func remove(_ id: ID, of owner: String? = nil) -> Bool {
    guard find(id, of: owner) != nil, let entry = forget(id) else { return false }
    entry.end()
    return true
  }

  /// False when the call was removed before it ended.
  fileprivate func ended(_ id: ID, _ outcome: CallOutcome) -> Bool {
    entries.withLock { entries in
      guard entries[id] != nil else { return false }
      entries[id]?.state = .ended(outcome)
      return true
    }
  }

  /// The entry is freed outside of the lock.
  @discardableResult
  private func forget(_ id: ID) -> Entry? {
    let entry = entries.withLock { $0.removeValue(forKey: id) }
    entry?.forgotten?()
    return entry
  }

  fileprivate func expired(_ id: ID) { forget(id) }
}

/// One of them, on the shard that makes it.
private final class AsyncCall: TimerHandler {
  private let id: KeptCalls.ID
  private let calls: KeptCalls
  private let books: CallBooks
  private let loop: Loop
  /// While it is under way.
  private var call: Call?
  /// When it is forgotten, once it has ended.
  private var expiry: Timer?

  init(_ id: KeptCalls.ID, in calls: KeptCalls, countedIn books: CallBooks, on loop: Loop) {
    self.id = id
    self.calls = calls
    self.books = books
    self.loop = loop
  }

  func start(
    _ method: MethodName, of upstream: RPCUpstream, at occurrence: Problem.Occurrence, _ frames: CallFrames,
    in buffer: borrowing ByteBuffer, asking timeout: Duration?
  ) throws(Problem) {
    let call = Call(method, of: upstream, at: occurrence) { outcome in
      self.call = nil
      self.books.endAlone(outcome.problem)
      if self.calls.ended(self.id, outcome) {
        self.expiry = self.loop.schedule(at: self.loop.now + self.calls.time, self)
      }
    }
    try call.start(frames, in: buffer, asking: timeout)
    books.begin()
    self.call = call
  }

  /// Nobody will ask for it any more.
  func end() {
    if let call = call.take() {
      call.cancel()
      books.abandon()
    }
    if let expiry = expiry.take() { loop.cancel(expiry) }
  }

  func fired(_ timer: Timer) {
    expiry = nil
    calls.expired(id)
  }
}
