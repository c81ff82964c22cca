import GatewayTracing
import HTTPServer
import Reactor

/// What is known of the gateway as a whole, for those who look after it, and what they may have it do. All shards have the same.
final class Operations: Sendable {
  /// Where it listens.
  struct Addresses: Sendable {
    var listen: [ListenAddress] = []
    var admin: ListenAddress?
  }

  let startedAt = WallTime.now
  let reloads = ReloadLog()
  private let guardedAddresses = Guarded(Addresses())
  private let guardedAccessLog = Guarded<AccessLog?>(nil)
  private let guardedSpans = Guarded<SpanExporter?>(nil)
  private let guardedTLS = Guarded<TLSIdentity?>(nil)
  private let guardedReload = Guarded<(@Sendable () async throws -> ReloadOutcome)?>(nil)

  /// Where it is told how requests have ended; nil where it is not.
  var accessLog: AccessLog? {
    get { guardedAccessLog.withLock { $0 } }
    set { guardedAccessLog.withLock { $0 = newValue } }
  }

  /// Where spans go; nil when they go nowhere.
  var spans: SpanExporter? {
    get { guardedSpans.withLock { $0 } }
    set { guardedSpans.withLock { $0 = newValue } }
  }

  /// Where it listens; nowhere so far at a start.
  var addresses: Addresses { guardedAddresses.withLock { $0 } }

  /// How many of the requests that have no answer are the one that asks for their number: those for operations are not counted where they have
  /// an address of their own.
  var requestsOfItsOwn: Int { addresses.admin == nil ? 1 : 0 }

  func listens(at listen: [ListenAddress], admin: ListenAddress?) {
    guardedAddresses.withLock { $0 = Addresses(listen: listen, admin: admin) }
  }

  /// What is shown over TLS; nil where TLS is not spoken.
  var tls: TLSIdentity? {
    get { guardedTLS.withLock { $0 } }
    set { guardedTLS.withLock { $0 = newValue } }
  }

  /// Has the gateway read its configuration again; nil at a start.
  var reload: (@Sendable () async throws -> ReloadOutcome)? {
    get { guardedReload.withLock { $0 } }
    set { guardedReload.withLock { $0 = newValue } }
  }
}
