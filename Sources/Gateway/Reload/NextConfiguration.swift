import ConfigurationReader
import HTTPServer

/// A configuration that takes the place of the one that is served, beside which it is looked at.
struct NextConfiguration {
  /// The settings that are read at a start only, as they are served; all others as they are wanted.
  private(set) var configuration: Configuration
  /// Those of the first kind that were wanted otherwise.
  private(set) var fixed: [String] = []
  /// Those of the second kind, outside of services, that differ from what is served.
  private(set) var changed: [String] = []

  /// Throws when the two do not go together: addresses that were open to all with `auth: none` would be so without it.
  init(_ wanted: Configuration, after served: Configuration) throws(ConfigurationErrors) {
    configuration = wanted
    keep("http.listen", \.http.listen, of: served)
    keep("http.admin", \.http.admin, of: served)
    keep("http.socket-mode", \.http.socketMode, of: served)
    // Whether TLS is spoken at all.
    if (wanted.http.tls == nil) != (served.http.tls == nil) {
      keep("http.tls", \.http.tls, of: served)
      configuration.auth.certificates = served.auth.certificates
    }
    keep("http.threads", \.http.threads, of: served)
    keep("http.prefix", \.http.prefix, of: served)
    keep("http.chunked", \.http.limits.server.chunked, of: served)
    keep("http.limits", \.http.limits, of: served)
    keep("http.server-timing", \.http.serverTiming, of: served)
    keep("log", \.log, of: served)
    keep("tracing", \.tracing, of: served)
    keep("async", \.asynchronous, of: served)
    keep("idempotency", \.idempotency, of: served)
    take("http.tls", \.http.tls, after: served)
    take("http.hosts", \.http.hosts, after: served)
    take("http.cors", \.http.cors, after: served)
    take("http.trusted-proxies", \.http.trustedProxies, after: served)
    take("http.proxy-header", \.http.proxyHeader, after: served)
    take("auth.keys", \.auth.keysFile, \.auth.keys, after: served)
    take("auth.jwt", \.auth.issuers, after: served)
    take("auth.tokens", \.auth.tokens, after: served)
    take("auth.cookie", \.auth.cookie, after: served)
    take("auth.tickets", \.auth.ticketLimit, \.auth.ticketShare, \.auth.ticketTime, after: served)
    take("auth.refresh", \.auth.refresh, after: served)
    take("auth.rules", \.auth.rules, after: served)
    take("auth.decision", \.auth.decision, after: served)
    take("auth", \.isOpenToAll, after: served)
    take("limits", \.limits, after: served)
    take("errors", \.errors, after: served)
    take("grace", \.grace, after: served)
    try configuration.check(as: "reload")
  }

  private mutating func keep<Value: Equatable>(
    _ name: String, _ setting: WritableKeyPath<Configuration, Value>, of served: Configuration
  ) {
    if configuration[keyPath: setting] != served[keyPath: setting] { fixed.append(name) }
    configuration[keyPath: setting] = served[keyPath: setting]
  }

  private mutating func take<each Value: Equatable>(
    _ name: String, _ setting: repeat KeyPath<Configuration, each Value>, after served: Configuration
  ) {
    for setting in repeat each setting {
      if configuration[keyPath: setting] != served[keyPath: setting] { return changed.append(name) }
    }
  }
}
