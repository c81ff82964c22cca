import ConfigurationReader
package import GatewaySecurity
import Reactor

extension Configuration {
  /// How much one client may ask for: `limits`.
  public struct ClientLimits: Hashable, Sendable {
    /// How often a client may ask: so many requests, and in which time they come; nil: as often as it likes (default).
    public var rate: Rate?
    /// How much of it a client may use at once (default: as much as comes in a second, and at least 1).
    public var burst: Int?
    /// What a client is told from others by (default: its subject where callers are known, else its address).
    package var per: Client.Kind?
    /// Streams that a client may have open; nil: any number (default).
    public var streams: Int?
    /// Clients that are told apart at one time besides those that the configuration names, 1...10,000,000 (default: 100,000).
    public var clients = 100_000

    /// No limits.
    public init() {}

    /// Whether nothing is limited.
    var areNone: Bool { rate == nil && streams == nil }

    /// The rate and the burst together.
    var rateLimit: RateLimit? {
      rate.map { RateLimit($0.count, each: $0.period, burst: burst ?? $0.perSecond) }
    }

    mutating func read(_ section: Section) {
      section.read("rate", into: &rate) { $0.value("a rate such as 100/s", Rate.init) }
      section.read("burst", into: &burst) { $0.integer(in: 1...1_000_000) }
      section.read("per", into: &per) { $0.choice() }
      section.read("streams", into: &streams) { $0.integer(in: 1...1_000_000) }
      section.read("clients", into: &clients) { $0.integer(in: 1...10_000_000) }
      if burst != nil, rate == nil {
        section.report("has no effect without a rate; write rate: 100/s as well", at: "burst")
      }
      section.finish()
    }
  }

  /// So many in a second, a minute or an hour: `100/s`.
  public struct Rate: Hashable, Sendable {
    /// 1...1,000,000.
    public let count: Int
    /// A second, a minute or an hour.
    public let period: Duration

    init(_ text: String) throws(InvalidText) {
      let parts = text.split(separator: "/", omittingEmptySubsequences: false)
      let periods: [Substring: Duration] = ["s": .seconds(1), "m": .seconds(60), "h": .hours(1)]
      guard parts.count == 2, let count = Int(parts[0]), 1...1_000_000 ~= count, let period = periods[parts[1]] else {
        throw InvalidText("expected a rate such as 100/s, 30/m or 5/h, of 1 to 1000000, not \"\(text)\"")
      }
      (self.count, self.period) = (count, period)
    }

    /// As many as come in a second, and at least 1.
    var perSecond: Int { max(1, count / Int(period.components.seconds)) }
  }
}
