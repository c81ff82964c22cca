import Logging

/// What goes wrong at a transport beside the calls that are made: what asyncio hands to its loop's exception handler.
public struct TransportReport: Sendable, CustomStringConvertible {
  /// What happened.
  public enum Event: Sendable {
    /// This method of the delegate threw. The transport goes on.
    case delegateThrew(method: String, any Error)
    /// libzmq refused something; the transport goes on. A message to a router's peer that is gone is dropped.
    case failed(ZMQError)
    /// The error ends the transport: `connectionLost` tells it too.
    case ended(ZMQError)
    /// Something is written after the end, this often by now. Told from the fifth time on.
    case writtenAfterEnd(count: Int)
  }

  /// What happened.
  public let event: Event
  /// The kind of the transport's socket.
  public let kind: SocketKind

  /// What happened, in a sentence.
  public var description: String {
    switch event {
    case .delegateThrew(let method, let error): "\(method) of the delegate of a \(kind) socket threw: \(error)"
    case .failed(let error): "a \(kind) socket: \(error)"
    case .ended(let error): "a \(kind) socket was closed by an error: \(error)"
    case .writtenAfterEnd(let count): "a closed \(kind) socket was written to, \(count) times by now"
    }
  }

  /// Logs a report under the label "zeromq": writing after the end as a warning, else an error.
  @Sendable public static func log(_ report: TransportReport) {
    if case .writtenAfterEnd = report.event { logger.warning("\(report)") } else { logger.error("\(report)") }
  }

  private static let logger = Logger(label: "zeromq")
}
