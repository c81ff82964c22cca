/// Who may ask, and how much: what all shards share of `auth` and `limits`.
struct Access: Sendable {
  /// Nil where nobody is told apart.
  let callers: CallerDirectory?
  /// Nil where nothing is limited.
  let limiter: ClientLimiter?

  /// Everybody may ask for everything.
  static let open = Access(callers: nil, limiter: nil)

  private init(callers: CallerDirectory?, limiter: ClientLimiter?) { (self.callers, self.limiter) = (callers, limiter) }

  /// Throws when a key of a set cannot be used.
  init(_ configuration: Configuration) async throws {
    limiter = ClientLimiter(configuration.limits, tellsCallersApart: configuration.auth.tellsCallersApart)
    callers = try await CallerDirectory(configuration.auth, limiter)
  }

  /// That of the configuration that comes next. Clients keep what they have used up while `limits` stay; and while only the keys of
  /// `auth` change, those callers whose keys stay are the same.
  func next(_ configuration: Configuration, after former: Configuration) async throws -> Access {
    let (auth, before) = (configuration.auth, former.auth)
    let keepsLimits = configuration.limits == former.limits && auth.tellsCallersApart == before.tellsCallersApart
    let limiter =
      keepsLimits ? limiter : ClientLimiter(configuration.limits, tellsCallersApart: auth.tellsCallersApart)
    guard keepsLimits, let callers, auth.withoutKeys == before.withoutKeys else {
      return Access(callers: try await CallerDirectory(auth, limiter), limiter: limiter)
    }
    try await callers.replace(auth.keys, auth.issuers.map(\.keys))
    return self
  }
}
