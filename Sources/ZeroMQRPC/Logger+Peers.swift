import Logging
import ZeroMQ

/// What every kind of client tells the operator in the same words.
extension Logger {
  /// A peer came, went, or could not be agreed with.
  func report(_ event: Monitor.Event, connected: Int, endpoints: [String]) {
    let metadata: Metadata = ["endpoints": "\(endpoints.joined(separator: " "))", "connected": "\(connected)"]
    switch event {
    case .connected: info("peer connected", metadata: metadata)
    case .disconnected: info("peer disconnected", metadata: metadata)
    case .refused: error("peer refused the credentials, or its own were refused", metadata: metadata)
    }
  }

  /// A peer sends what is no message of the protocol. Not every one is told (see `PowerOfTwoCounter`), so that such a peer does not
  /// fill the log.
  func reportMalformed(_ count: Int, endpoints: [String]) {
    warning(
      "a message is not of the protocol and is dropped",
      metadata: ["endpoints": "\(endpoints.joined(separator: " "))", "so-far": "\(count)"])
  }
}
