import ZeroMQ
import ZeroMQRPC

/// Whether a peer that speaks CURVE takes the keys of a service, which only a handshake tells.
enum CurveTrial {
  private static let patience = Duration.seconds(3)

  /// Why it does not; nil when it does. Returns within three seconds.
  static func fault(
    at endpoint: Endpoint, for role: EndpointStates.Role, with security: SocketSecurity
  ) async -> ConnectFault? {
    let kind: SocketKind =
      switch role {
      case .rpc: .dealer
      case .pipeline: .push
      case .publish: .publish
      case .subscribe: .subscribe
      }
    do {
      let context = try Context(sockets: 1)
      let stream = try await MessageStream.open(kind, in: context, options: { $0.security = security })
      let monitor = try await stream.transport.monitor()
      try await stream.transport.connect(endpoint)
      let isTaken = await isTaken(monitor)
      await stream.abort()
      _ = await context.close(within: patience)
      return isTaken ? nil : ConnectFault.keysRefused
    } catch {
      return ConnectFault.keysRefused
    }
  }

  private static func isTaken(_ monitor: Monitor) async -> Bool {
    await withTaskGroup(of: Bool.self) { group in
      group.addTask {
        for await event in monitor {
          switch event.kind {
          case .handshakeSucceeded: return true
          case .handshakeFailed, .handshakeBroken, .handshakeRefused: return false
          default: break
          }
        }
        return false
      }
      group.addTask {
        try? await Task.sleep(for: patience)
        return false
      }
      defer { group.cancelAll() }
      return await group.next() ?? false
    }
  }
}
