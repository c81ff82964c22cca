import Reactor

/// The answers to requests with an `Idempotency-Key`, for whichever shard the request is repeated at.
///
/// The first request with a key at a path runs. While it does, and for `idempotency.keep` after its end, the same request with the same
/// key runs nothing, and gets its answer. The key of a call that goes on by itself (`Prefer: respond-async`) is known for as long as that
/// call is kept, and no longer: after that there is nothing more to answer with. Callers who are told apart have keys of their own.
///
/// At most `idempotency.keys` are kept at one time; beyond, requests with new ones are refused: to forget a key early would let its
/// request run twice. The answers count in `http.limits.memory`.
final class IdempotencyKeys: Sendable {
  /// A key where it is used.
  struct Key: Hashable, Sendable {
    /// Who uses it; nil where nobody is told apart.
    let subject: String?
    /// Method and path of the request.
    let place: String
    let text: String
  }

  /// What a request was answered with.
  enum Answer: Sendable {
    case outcome(CallOutcome)
    /// A message was handed over.
    case accepted
    /// A call goes on by itself.
    case started(KeptCalls.ID)
  }

  /// A request that is the first with its key: it has to tell what becomes of it.
  enum Claim {
    case first
    case repeated(Answer)
  }

  private struct Entry {
    let fingerprint: Int
    /// Nil while the first request is under way.
    var answer: Answer?
  }

  private let limit: Int
  /// How long an answer is kept.
  private let time: Duration
  private let entries = Guarded<[Key: Entry]>([:])

  init(_ configuration: Configuration.Idempotency) {
    limit = configuration.keys
    time = configuration.keep
  }

  /// Takes a key for a request of that fingerprint, unless it was taken for the same. Throws when it was taken for another, or when its
  /// first request is under way.
  func claim(_ key: Key, fingerprint: Int) throws(Problem) -> Claim {
    try entries.withLock { entries throws(Problem) in
      guard let entry = entries[key] else {
        guard entries.count < limit else { throw .tooManyKeys(limit) }
        entries[key] = Entry(fingerprint: fingerprint, answer: nil)
        return .first
      }
      guard entry.fingerprint == fingerprint else { throw .keyReused }
      guard let answer = entry.answer else { throw .keyInUse }
      return .repeated(answer)
    }
  }

  /// Nothing came of the first request: the next one is the first again.
  func release(_ key: Key) { forget(key) }

  /// What the first request was answered with. The loop's clock tells when it is forgotten.
  func settle(_ key: Key, _ answer: Answer, on loop: Loop) {
    entries.withLock { $0[key]?.answer = answer }
    _ = loop.schedule(at: loop.now + time, KeyExpiry(key, in: self))
  }

  /// The first request has begun a call that goes on by itself: whoever keeps the call has to release the key with it.
  func settle(_ key: Key, started id: KeptCalls.ID) { entries.withLock { $0[key]?.answer = .started(id) } }

  /// The entry is freed outside of the lock.
  @discardableResult
  private func forget(_ key: Key) -> Entry? { entries.withLock { $0.removeValue(forKey: key) } }
}

/// The end of a key's time.
private final class KeyExpiry: TimerHandler {
  private let key: IdempotencyKeys.Key
  private let keys: IdempotencyKeys

  init(_ key: IdempotencyKeys.Key, in keys: IdempotencyKeys) {
    self.key = key
    self.keys = keys
  }

  func fired(_ timer: Timer) { keys.release(key) }
}
