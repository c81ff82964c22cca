import GatewaySecurity
import HTTPServer
import Reactor
import Synchronization

/// Whoever asks.
final class Caller: Sendable {
  /// Who that is; empty for whoever has shown no credentials.
  let subject: String
  /// Their scopes, in the order of the alphabet.
  let scopes: [String]
  /// What they may do; nil: everything.
  let permissions: Permissions?
  /// What they have used up of the limits; nil where only addresses count.
  let quota: ClientQuota?
  /// Whether the key or the token still counts; nil for whoever has shown none.
  let credential: Credential?
  /// Until when it counts, in seconds since 1970; nil: until it is taken back.
  let end: Double?

  /// Who has shown nothing, where that may be.
  static let nobody = Caller(subject: "", permissions: Permissions.none)

  init(
    subject: String, scopes: Set<String> = [], permissions: Permissions?, quota: ClientQuota? = nil,
    credential: Credential? = nil, end: Double? = nil
  ) {
    self.subject = subject
    self.scopes = scopes.sorted()
    self.permissions = permissions
    self.quota = quota
    self.credential = credential
    self.end = end
  }
}

/// Whom the gateway knows at present, for all shards. What the files of `auth` say is replaced as a whole when they change; whoever is in
/// both stays the same.
final class CallerDirectory: Sendable {
  /// What the files say.
  final class Known: Sendable {
    fileprivate let keys: [Configuration.Key: Caller]
    /// Callers by their keys.
    let callers: DigestTable<Caller>
    let tokens: TokenVerifier?

    fileprivate init(_ keys: [Configuration.Key: Caller], _ order: [Configuration.Key], _ tokens: TokenVerifier?) {
      self.keys = keys
      self.tokens = tokens
      callers = DigestTable(order.compactMap { key in keys[key].map { (key.digest, $0) } })
    }
  }

  let limiter: ClientLimiter?
  /// What streams can be opened with in the place of a key.
  let tickets: TicketTable<Ticket>
  private let auth: Configuration.Auth
  /// Of all client certificates together, which are taken back when those change who are trusted.
  private let certificates = Credential()
  private let known: Guarded<Known>
  private let version = Atomic<Int>(1)

  /// Nil where nobody is told apart. Throws when a key of a set cannot be used.
  init?(_ auth: Configuration.Auth, _ limiter: ClientLimiter?) async throws {
    guard auth.tellsCallersApart else { return nil }
    self.auth = auth
    self.limiter = limiter
    tickets = TicketTable(limit: auth.ticketLimit, share: auth.ticketShare, for: auth.ticketTime)
    known = Guarded(Known([:], [], nil))
    try await replace(auth.keys, auth.issuers.map(\.keys))
  }

  /// What the files say from now on: keys, and those of each issuer of tokens. What is not there any more counts no more.
  func replace(_ keys: [Configuration.Key], _ sets: [[KeyDescription]]) async throws {
    let before = known.withLock { $0 }
    let next = Known(
      Dictionary(keys.map { ($0, before.keys[$0] ?? caller($0)) }) { first, _ in first }, keys,
      try await verifier(sets, keeping: before.tokens))
    known.withLock { $0 = next }
    version.wrappingAdd(1, ordering: .releasing)
    for (key, caller) in before.keys where next.keys[key] == nil { caller.credential?.revoke() }
    let kept = Set((next.tokens?.issuers ?? []).flatMap(\.keys).map(ObjectIdentifier.init))
    for key in (before.tokens?.issuers ?? []).flatMap(\.keys) where !kept.contains(ObjectIdentifier(key)) {
      key.credential.revoke()
    }
  }

  /// Nobody counts any more, for another directory is asked from now on.
  func revokeAll() {
    certificates.revoke()
    let known = known.withLock { $0 }
    for caller in known.keys.values { caller.credential?.revoke() }
    for key in (known.tokens?.issuers ?? []).flatMap(\.keys) { key.credential.revoke() }
  }

  private func caller(_ key: Configuration.Key) -> Caller {
    Caller(
      subject: key.subject, scopes: key.scopes,
      permissions: Permissions(auth.rules, subject: key.subject, scopes: key.scopes),
      quota: limiter?.quota(ofKey: key.digest, subject: key.subject), credential: Credential())
  }

  private func verifier(_ sets: [[KeyDescription]], keeping old: TokenVerifier?) async throws -> TokenVerifier? {
    guard !sets.isEmpty else { return nil }
    var issuers: [TokenIssuer] = []
    for (index, (settings, set)) in zip(auth.issuers, sets).enumerated() {
      let before = old.map { $0.issuers[index].keys } ?? []
      let keys = try await TokenIssuer.keys(set, for: Set(settings.algorithms), keeping: before)
      issuers.append(settings.issuer(with: keys))
    }
    return TokenVerifier(issuers)
  }

  /// What is known now, if that is newer than what was known in that version.
  func known(since version: inout Int) -> Known? {
    let current = self.version.load(ordering: .acquiring)
    guard current != version else { return nil }
    version = current
    return known.withLock { $0 }
  }

  /// Whoever has shown a certificate that counts: of those who are trusted now, and not over yet.
  fileprivate func caller(_ certificate: ClientCertificate, at now: Instant) -> Caller? {
    guard let subject = certificate.subject, certificate.authorities == auth.certificates else { return nil }
    return Caller(
      subject: subject, permissions: Permissions(auth.rules, subject: subject, scopes: []),
      quota: limiter?.quota(ofToken: subject, at: now), credential: certificates, end: certificate.end)
  }

  /// Whoever has sent a token that counts.
  func caller(_ token: VerifiedToken, at now: Instant) -> Caller {
    Caller(
      subject: token.subject, scopes: token.scopes,
      permissions: Permissions(auth.rules, subject: token.subject, scopes: token.scopes),
      quota: limiter?.quota(ofToken: token.subject, at: now), credential: token.key.credential, end: token.end)
  }
}

/// Finds callers by what they send, on one shard.
///
/// A token is checked once: then it is known by its digest until it ends, is pushed out by `auth.tokens` later ones, or its key is gone.
final class CallerLookup {
  private let directory: CallerDirectory
  private var known: CallerDirectory.Known?
  /// Of what is known now; each change is another one.
  private(set) var version = 0
  /// Those of tokens that count, by their digests.
  private var tokens: BoundedTable<SecretDigest, Caller>
  /// Those of certificates that count. Each certificate is kept, so that no other one has its place.
  private var certified: [ObjectIdentifier: (ClientCertificate, Caller)] = [:]
  private let limit: Int

  init(_ directory: CallerDirectory, tokens limit: Int) {
    self.directory = directory
    self.limit = limit
    self.tokens = BoundedTable(limit: limit)
  }

  /// Whoever has shown this certificate, on one of its connections; nil when it does not count.
  func caller(of certificate: ClientCertificate, at now: Instant) -> Caller? {
    guard WallTime.now.seconds < certificate.end else { return nil }
    if let (_, caller) = certified[ObjectIdentifier(certificate)] { return caller }
    guard let caller = directory.caller(certificate, at: now) else { return nil }
    // There is one for each connection, and what is forgotten is found again.
    if certified.count >= limit { certified = [:] }
    certified[ObjectIdentifier(certificate)] = (certificate, caller)
    return caller
  }

  /// Knows from now on what the files say now.
  func learn() { if let newer = directory.known(since: &version) { known = newer } }

  /// Whoever has this key or token; nil when it is none that counts.
  func caller(of secret: UnsafeRawBufferPointer, at now: Instant) -> Caller? {
    learn()
    guard let known else { return nil }
    let digest = SecretDigest(of: secret)
    if let caller = known.callers.value(of: digest) { return caller }
    guard let verifier = known.tokens, TokenVerifier.mayBeToken(secret) else { return nil }
    let time = WallTime.now.seconds
    if let caller = tokens[digest], let end = caller.end, time < end, caller.credential?.isRevoked == false {
      return caller
    }
    guard let token = verifier.verify(secret, at: time) else { return nil }
    let caller = directory.caller(token, at: now)
    tokens.keep(caller, of: digest)
    return caller
  }
}
