import Logging
import ServiceLifecycle
import UnixSignals

/// Keeps SIGHUP, the usual request to reload, from ending the process.
struct HangUp: Service {
  let logger: Logger

  func run() async throws {
    for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
      logger.notice("SIGHUP ignored: this version does not reload; restart it to change its configuration")
    }
  }
}
