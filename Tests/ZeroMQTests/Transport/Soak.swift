import Foundation
import Testing

/// How long the stress tests go on: in CI for seconds, with `make soak` ten times as long.
enum Soak {
  /// What is multiplied with it: messages, sockets, connections.
  static let factor = ProcessInfo.processInfo.environment["ZMQ_GATEWAY_SOAK"].flatMap { Int($0) } ?? 1
  /// The time limit of their suites.
  static let limit = TimeLimitTrait.Duration.minutes(5 * factor)
}
