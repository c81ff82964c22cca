import ConfigurationReader
import GatewaySecurity
import Logging

/// Rereads the files of `auth` when they change, on no shard's thread.
///
/// A file that cannot be read, or is wrong, changes nothing: what was known stays, and the log says why. Each shard is told when something has changed, so that
/// streams end whose credentials are gone.
struct CredentialFiles: Sendable {
  let auth: Configuration.Auth
  let directory: CallerDirectory
  let shards: [Shard]
  let logger: Logger

  private var paths: [String] { (auth.keysFile.map { [$0] } ?? []) + auth.issuers.map(\.file) }

  /// Looks at the files each `auth.refresh` until the task is cancelled.
  func run() async {
    // What the configuration was read from may have changed since.
    var stamps: [FileStamp?]?
    while !Task.isCancelled {
      let now = paths.map { FileStamp($0) }
      if stamps != now {
        stamps = now
        await reread()
      }
      guard (try? await Task.sleep(for: auth.refresh)) != nil else { return }
    }
  }

  private func reread() async {
    do {
      let (keys, sets) = try (auth.reloadedKeys(), auth.issuers.map { try $0.reloadedKeys() })
      try await directory.replace(keys, sets)
      for shard in shards { shard.endStreamsWithoutCredentials() }
      logger.debug("the files of auth were read", metadata: ["keys": .stringConvertible(keys.count)])
    } catch {
      logger.warning(
        "a file of auth has changed and cannot be used; what was known before still counts",
        metadata: ["error": "\(error)"])
    }
  }
}
