import ConfigurationReader
import Reactor

extension Configuration {
  /// What is kept of calls made with `Prefer: respond-async`: `async`.
  public struct Async: Sendable, Hashable {
    /// Calls that are kept at one time, under way or ended: 1...100,000 (default: 1,000).
    public var calls = 1_000
    /// How long a call is kept after its end: 1 s to 24 h (default: 5 minutes).
    public var keep: Duration = .seconds(300)

    /// The defaults.
    public init() {}

    mutating func read(_ section: Section) {
      section.read("calls", into: &calls) { $0.integer(in: 1...100_000) }
      section.read("keep", into: &keep) { $0.duration(in: .seconds(1) ... .hours(24)) }
      section.finish()
    }
  }

  /// What is kept of requests with an `Idempotency-Key`: `idempotency`.
  public struct Idempotency: Sendable, Hashable {
    /// Keys that are kept at one time, of requests under way or answered: 1...1,000,000 (default: 10,000).
    public var keys = 10_000
    /// How long a key and its answer are kept after the request's end: 1 s to 168 h (default: 10 minutes).
    public var keep: Duration = .seconds(600)

    /// The defaults.
    public init() {}

    mutating func read(_ section: Section) {
      section.read("keys", into: &keys) { $0.integer(in: 1...1_000_000) }
      section.read("keep", into: &keep) { $0.duration(in: .seconds(1) ... .hours(168)) }
      section.finish()
    }
  }
}
