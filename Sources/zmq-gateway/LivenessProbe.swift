/// Asks a gateway over HTTP whether it lives: what a container's health check runs.
struct LivenessProbe: Sendable {
  private let url: GatewayURL

  /// A probe of the gateway there.
  init(_ url: GatewayURL) { self.url = url }

  /// Whether `GET /live` answers 200 in time, at one of the addresses of the host. Blocks the calling thread, so it belongs on no
  /// reactor.
  func succeeds(within limit: Duration) -> Bool {
    let head = try? HTTPRequest(verb: "GET", target: "/live").send(to: url, within: limit) { _, _ in false }
    return head?.status == 200
  }
}
