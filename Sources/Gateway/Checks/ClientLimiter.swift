import ConfigurationReader
import GatewaySecurity
import HTTPServer
import Reactor

/// How much one client may ask for, and what all have used up: `limits`. The shards share it.
///
/// A client is whoever has that subject or key, or who asks from that address; of one without credentials, the address always counts. In
/// IPv6 the first 64 bits of an address count: who has one has all that begin so.
final class ClientLimiter: Sendable {
  let rate: RateLimit?
  /// Streams that a client may have open.
  let streams: Int?
  let quotas: ClientQuotas
  let per: Client.Kind
  /// What `RateLimit-Policy` says (draft-ietf-httpapi-ratelimit-headers-10, 3).
  fileprivate let policy: String

  /// Nil when nothing is limited.
  init?(_ limits: Configuration.ClientLimits, tellsCallersApart: Bool) {
    guard !limits.areNone else { return nil }
    rate = limits.rateLimit
    streams = limits.streams
    per = limits.per ?? (tellsCallersApart ? .subject : .address)
    quotas = ClientQuotas(limit: limits.clients)
    policy = rate.map { "\"default\";q=\($0.burst);w=\($0.window)" } ?? ""
  }

  /// That of whoever has an API key; nil where only addresses count.
  func quota(ofKey digest: SecretDigest, subject: String) -> ClientQuota? {
    switch per {
    case .subject: quotas.quota(ofKnown: Client(.subject, subject))
    case .key: quotas.quota(ofKnown: Client(.key, String(digest.hex.prefix(16))))
    case .address: nil
    }
  }

  /// That of whoever has a token, which is another one each time.
  func quota(ofToken subject: String, at now: Instant) -> ClientQuota? {
    per == .address ? nil : quotas.quota(of: Client(.subject, subject), at: now)
  }

  /// That of an address.
  fileprivate func quota(of address: ClientAddress, at now: Instant) -> ClientQuota {
    quotas.quota(of: Client(.address, address.network.text), at: now)
  }
}

/// What the client of a request may still ask for.
struct Allowance {
  let limiter: ClientLimiter
  let quota: ClientQuota
  /// Nil where no rate is limited.
  private(set) var level: TokenBucket.Level?
  /// What the request has taken, and its items have not used yet.
  private var paid = 0

  init(_ quota: ClientQuota, of limiter: ClientLimiter) { (self.quota, self.limiter) = (quota, limiter) }

  /// Takes so many tokens, or refuses; 0 only looks.
  mutating func take(_ cost: Int, at now: Instant) throws(Problem) {
    guard let rate = limiter.rate else { return }
    let level = quota.bucket.take(cost, at: now, rate)
    self.level = level
    guard !level.isGranted else { return paid = cost }
    let each = Quantity.text(.nanoseconds(rate.interval))
    let counted = cost > 1 ? " This call counts as \(cost)." : ""
    var problem = Problem(.rateLimited, "You may send \(rate.burst) at once, and one more each \(each).\(counted)")
    problem.retryAfter = max(1, level.wait)
    throw problem
  }

  /// The same for a call among those of a request: the first ones use up what the request has taken by itself.
  mutating func takeItem(_ cost: Int, at now: Instant) throws(Problem) {
    let due = max(0, cost - paid)
    let rest = max(0, paid - cost)
    if due > 0 { try take(due, at: now) }
    paid = rest
  }

  /// Counts a stream that opens.
  func openStream() throws(Problem) {
    guard let limit = limiter.streams else { return }
    guard quota.openStream(below: limit) else {
      throw Problem(.tooManyStreams, "As many of your streams are open as limits.streams allows: \(limit).")
    }
  }

  func closeStream() { if limiter.streams != nil { quota.closeStream() } }

  /// What an answer tells of the limit (draft-ietf-httpapi-ratelimit-headers-10).
  var headers: [(StaticString, String)] {
    guard let level else { return [] }
    return [("RateLimit-Policy", limiter.policy), ("RateLimit", level.text)]
  }
}

extension TokenBucket.Level {
  /// What `RateLimit` says of it. Every answer to a limited client has it.
  fileprivate var text: String {
    String(unsafeUninitializedCapacity: 15 + 2 * DecimalDigits.mostDigits) { room in
      func append(_ word: StaticString, _ number: Int, at place: Int) -> Int {
        UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(room)[place...]).copyMemory(
          from: word.bytes)
        return DecimalDigits.write(number, to: room, at: place + word.utf8CodeUnitCount)
      }
      return append(";t=", reset, at: append("\"default\";r=", remaining, at: 0))
    }
  }
}

/// Counts a request against the limits of its client.
struct LimitsCheck {
  let limiter: ClientLimiter
  let proxies: TrustedProxies?

  /// Refuses a request that its client may not send yet.
  func check(_ request: GatewayRequest, cost: Int) throws(Problem) {
    try request.counts(cost, against: quota(request), of: limiter)
  }

  private func quota(_ request: GatewayRequest) -> ClientQuota {
    if let quota = request.caller?.quota { return quota }
    // Most connections have one address, whose quota they keep.
    if proxies == nil, let quota = request.addressQuota { return quota }
    let quota = limiter.quota(of: proxies?.client(of: request) ?? request.exchange.clientAddress, at: request.beginning)
    request.addressQuota = quota
    return quota
  }
}
