import CLinux

/// Asks a gateway over HTTP whether it lives: what a container's health check runs.
struct LivenessProbe: Sendable {
  private let url: GatewayURL

  /// A probe of the gateway there.
  init(_ url: GatewayURL) { self.url = url }

  /// Whether `GET /live` answers 200 in time, at one of the addresses of the host. Blocks the calling thread, so it belongs on no
  /// reactor.
  func succeeds(within limit: Duration) -> Bool {
    url.withConnection(within: limit) { answers(on: $0) ? () : nil } != nil
  }

  private func answers(on descriptor: CInt) -> Bool {
    let request = "GET \(url.prefix)/live HTTP/1.1\r\nHost: \(url.authority)\r\nConnection: close\r\n\r\n"
    guard send(descriptor, request, request.utf8.count, CInt(MSG_NOSIGNAL)) == request.utf8.count else {
      return false
    }
    let expected = Array("HTTP/1.1 200".utf8)
    var answer = [UInt8](repeating: 0, count: expected.count)
    return recv(descriptor, &answer, answer.count, CInt(MSG_WAITALL)) == answer.count && answer == expected
  }
}
