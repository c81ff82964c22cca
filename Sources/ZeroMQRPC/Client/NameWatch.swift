import Reactor
import ZeroMQ

/// Looks the name of an endpoint up from time to time, and when one of its connections is lost.
final class NameWatch: TimerHandler {
  /// A name is not looked up more often than that.
  private static let shortest = Duration.seconds(1)

  /// The endpoint with the name.
  let endpoint: Endpoint
  /// What is connected to for it.
  var endpoints: [Endpoint] { addresses.endpoints }
  /// That of each connection to one of its addresses.
  var weight: Int
  private weak var balancer: Balancer?
  private let host: String
  /// How long after a look the next one follows.
  var interval: Duration
  private let resolver: Resolver
  private let loop: Loop
  private var addresses: NameAddresses
  private var isAsking = false
  private var lastLook: Instant
  private var timer: Timer?

  /// Nil when the endpoint has no name. Begins to look it up.
  init?(_ endpoint: Endpoint, weight: Int, options: RPCOptions, for balancer: Balancer, on loop: Loop) {
    guard let addresses = NameAddresses(endpoint), let host = endpoint.hostName else { return nil }
    self.endpoint = endpoint
    self.addresses = addresses
    self.host = host
    self.weight = weight
    self.balancer = balancer
    self.loop = loop
    (interval, resolver) = (options.resolveInterval, options.resolver)
    lastLook = loop.now
    look()
  }

  /// Whether that is one of its endpoints.
  func covers(_ endpoint: Endpoint) -> Bool { addresses.endpoints.contains(endpoint) }

  /// Ends the looking.
  func stop() {
    balancer = nil
    if let timer { loop.cancel(timer) }
  }

  /// A connection to one of its addresses was lost.
  func lost() { next(after: max(.zero, Self.shortest - (loop.now - lastLook))) }

  private func next(after pause: Duration) {
    guard !isAsking, balancer != nil, !loop.isStopped else { return }
    if let timer { loop.cancel(timer) }
    timer = loop.schedule(at: loop.now + pause, self)
  }

  func fired(_ timer: Timer) {
    self.timer = nil
    look()
  }

  private func look() {
    guard let reactor = loop.reactor else { return }
    isAsking = true
    lastLook = loop.now
    // Safe: only the loop's thread looks at it, in what is submitted.
    nonisolated(unsafe) let watch = self
    resolver.resolve(host) { answer in reactor.submit { watch.resolved(answer.addresses) } }
  }

  private func resolved(_ found: [String]) {
    isAsking = false
    guard let balancer else { return }
    let (added, removed) = addresses.resolved(found)
    if !added.isEmpty || !removed.isEmpty { balancer.change(weight, adding: added, removing: removed) }
    next(after: interval)
  }
}
