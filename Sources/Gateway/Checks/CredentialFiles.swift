import ConfigurationReader
import GatewaySecurity
import Logging

/// Rereads the files of `auth` when they change, on no shard's thread.
///
/// A file that cannot be read, or is wrong, changes nothing: what it said before stays, and the log says why. Each shard is told when something has changed, so that
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
    var (keys, sets) = (auth.keys, auth.issuers.map(\.keys))
    while !Task.isCancelled {
      let now = paths.map { FileStamp($0) }
      if stamps != now {
        stamps = now
        await reread(&keys, &sets)
      }
      guard (try? await Task.sleep(for: auth.refresh)) != nil else { return }
    }
  }

  /// Reads each file for itself: what one says that has a fault must not keep alive what was taken out of another one.
  private func reread(_ keys: inout [Configuration.Key], _ sets: inout [[KeyDescription]]) async {
    do { keys = try auth.reloadedKeys() } catch { report(error) }
    for (index, issuer) in auth.issuers.enumerated() {
      do {
        let set = try issuer.reloadedKeys()
        _ = try await TokenIssuer.keys(set, for: Set(issuer.algorithms), keeping: [])
        sets[index] = set
      } catch {
        report(error)
      }
    }
    do {
      try await directory.replace(keys, sets)
      for shard in shards { shard.endStreamsWithoutCredentials() }
      logger.debug("the files of auth were read", metadata: ["keys": .stringConvertible(keys.count)])
    } catch {
      report(error)
    }
  }

  private func report(_ error: any Error) {
    logger.warning(
      "a file of auth has changed and cannot be used; what it said before still counts", metadata: ["error": "\(error)"]
    )
  }
}
