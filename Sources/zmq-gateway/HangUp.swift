import Gateway
import Logging
import Reactor
import ServiceLifecycle
import UnixSignals

/// SIGHUP, the usual request to reload: has the gateway read its configuration again.
struct HangUp: Service {
  /// The gateway, when it listens.
  let gateway: Guarded<Gateway?>
  let supervisor: Supervisor?
  let logger: Logger

  func run() async throws {
    for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
      guard let gateway = gateway.withLock({ $0 }) else {
        logger.notice("SIGHUP while starting: the configuration has just been read")
        continue
      }
      supervisor?.isReloading()
      // Why it cannot, the gateway tells.
      _ = try? await gateway.reload()
      supervisor?.isReady()
    }
  }
}
