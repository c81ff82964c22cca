import Logging
import Reactor

/// Reads a configuration from where it comes from. It may block the calling thread; throws what is wrong with the configuration.
public typealias ConfigurationSource = @Sendable () throws -> Configuration

/// Why a configuration cannot take the place of the one that is served.
public struct ReloadError: Error, CustomStringConvertible {
  public let description: String

  init(_ description: String) { self.description = description }
}

/// What a reload has changed: names of services, and settings.
public struct ReloadOutcome: Sendable, Hashable {
  /// Services whose sockets are new: the service is, or what its sockets are told.
  public var opened: [String] = []
  /// Services that have other settings for their callers, and the sockets that they had.
  public var altered: [String] = []
  /// Services that are not served any more.
  public var removed: [String] = []
  /// Settings outside of services that differ, and hold from now on.
  public var changed: [String] = []
  /// Settings that differ, and stay as they were at the start of the program.
  public var fixed: [String] = []

  /// As a line of the log tells it.
  var metadata: Logger.Metadata {
    var metadata: Logger.Metadata = [:]
    for (name, list) in [("opened", opened), ("altered", altered), ("removed", removed), ("changed", changed)]
    where !list.isEmpty {
      metadata[name] = "\(list.joined(separator: " "))"
    }
    return metadata
  }
}

/// What has become of the reloads of a gateway.
public final class ReloadLog: Sendable {
  /// What is known of them.
  public struct Record: Sendable, Hashable {
    /// How many have been made.
    public internal(set) var succeeded = 0
    /// How many could not be made.
    public internal(set) var failed = 0
    /// What the last one has changed; nil when it could not be made, or there was none.
    public internal(set) var outcome: ReloadOutcome?
    /// Why the last one could not be made; nil when it was.
    public internal(set) var fault: String?
    /// When the last one ended.
    public internal(set) var at: WallTime?
  }

  private let guarded = Guarded(Record())

  /// What is known now.
  public var record: Record { guarded.withLock { $0 } }

  func succeeded(_ outcome: ReloadOutcome) {
    guarded.withLock {
      $0.succeeded += 1
      ($0.outcome, $0.fault, $0.at) = (outcome, nil, .now)
    }
  }

  func failed(_ fault: String) {
    guarded.withLock {
      $0.failed += 1
      ($0.outcome, $0.fault, $0.at) = (nil, fault, .now)
    }
  }
}
