import GatewaySecurity
import HTTPServer

/// Whoever asks.
final class Caller: Sendable {
  /// Who that is; empty for whoever has shown no key.
  let subject: String
  /// What they may do; nil: everything.
  let permissions: Permissions?
  /// What they have used up of the limits; nil where only addresses count.
  let quota: ClientQuota?

  /// Who has shown no key, where that may be.
  static let nobody = Caller(subject: "", permissions: Permissions.none)

  init(subject: String, permissions: Permissions?, quota: ClientQuota? = nil) {
    self.subject = subject
    self.permissions = permissions
    self.quota = quota
  }
}

/// Who may ask at all: whoever sends a key that `auth.keys` knows, as a bearer or as a password (`curl -u :KEY`).
///
/// A request without one goes nowhere, so nothing is told of what is served. Probes need none for `/live` and `/ready`, nor does who
/// wants to know what a problem means.
struct AuthenticationCheck {
  private static let openPaths = ["/live", "/ready", "/problems"]

  private let callers: DigestTable<Caller>
  private let openPaths: [[UInt8]]
  /// All that is open below a path.
  private let openFolder: [UInt8]

  /// Nil when there are no keys.
  init?(_ auth: Configuration.Auth, _ limiter: ClientLimiter?, prefix: String) {
    guard !auth.keys.isEmpty else { return nil }
    callers = DigestTable(
      auth.keys.map { key in
        let permissions = Permissions(auth.rules, subject: key.subject, scopes: key.scopes)
        let quota = limiter?.quota(ofKey: key.digest, subject: key.subject)
        return (key.digest, Caller(subject: key.subject, permissions: permissions, quota: quota))
      })
    openPaths = Set(Self.openPaths.flatMap { [$0, prefix + $0] }).map { Array($0.utf8) }
    openFolder = Array("\(prefix)/problems/".utf8)
  }

  /// Finds out who asks.
  func check(_ request: GatewayRequest) throws(Problem) {
    // What a page may send is asked for without credentials.
    if request.isPreflight { return }
    let header = request.header(.authorization)
    if let caller = header.flatMap({ caller($0, in: request) }) { return request.comes(from: caller) }
    guard isOpen(request.exchange.target) else { throw .unauthenticated(hasCredentials: header != nil) }
    request.comes(from: .nobody)
  }

  private func caller(_ header: UnsafeRawBufferPointer, in request: GatewayRequest) -> Caller? {
    switch Credentials(header) {
    case .bearer(let key): return callers.value(of: key)
    case .basic(let name, let password):
      // A browser adds it by itself, for whichever page: that page would act in the name of whoever looks at it.
      guard request.mayBringKeptCredentials else { return nil }
      let caller = password.withUnsafeBytes { callers.value(of: $0) }
      return name.isEmpty || name == caller?.subject ? caller : nil
    case nil: return nil
    }
  }

  /// Only without a query: more than whether it is ready is told to callers.
  private func isOpen(_ target: UnsafeRawBufferPointer) -> Bool {
    openPaths.contains(where: target.elementsEqual) || target.starts(with: openFolder)
  }
}

extension Problem {
  /// There are no credentials, or none that are known: which of them is wrong in which way is not told.
  fileprivate static func unauthenticated(hasCredentials: Bool) -> Problem {
    var problem = Problem(
      .unauthenticated,
      hasCredentials
        ? "The key is not known here, or is sent in no way that is; send Authorization: Bearer KEY."
        : "Send a key: Authorization: Bearer KEY, or as a password (curl -u :KEY).")
    let fault = hasCredentials ? #", error="invalid_token""# : ""
    problem.challenge = #"Bearer realm="zmq-gateway"\#(fault), Basic realm="zmq-gateway", charset="UTF-8""#
    return problem
  }
}
