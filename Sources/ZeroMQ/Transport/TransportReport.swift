import Logging

/// What goes wrong at a transport beside the calls that are made: what asyncio hands to its loop's exception handler.
public struct TransportReport: Sendable, CustomStringConvertible {
  /// What happened.
  public enum Event: Sendable {
    /// This method of the delegate threw. The transport goes on.
    case delegateThrew(method: String, any Error)
    /// Something was refused; the transport goes on. A message that was refused is dropped: to a router's peer that is gone (those that have
    /// waited for one peer are told of together), of one frame on a ROUTER, of other than two on a STREAM, and a subscription of an XSUB to a prefix of 246...255 bytes.
    case failed(ZMQError)
    /// The host of an endpoint that is connected to has no address, for that reason. It is looked up again, after one second to thirty.
    /// Told once until it has one.
    case unresolved(Endpoint, reason: String)
    /// So many messages waited to be sent when the time was over that `SocketOptions.linger` gives a close, and are dropped. Not told where it
    /// gives none.
    case unsent(count: Int)
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
    case .unresolved(let endpoint, let reason):
      "a \(kind) socket cannot connect to \(endpoint), whose host has no address (\(reason)); check the name; it is looked up again"
    case .unsent(let count):
      "a \(kind) socket was closed with \(count == 1 ? "a message" : "\(count) messages") that could not be sent within linger; dropped"
    case .ended(let error): "a \(kind) socket was closed by an error: \(error)"
    case .writtenAfterEnd(let count): "a closed \(kind) socket was written to, \(count) times by now"
    }
  }

  /// Logs a report under the label "zeromq": writing after the end, messages that are dropped at it, and a host without an address, as a
  /// warning, else an error.
  @Sendable public static func log(_ report: TransportReport) {
    switch report.event {
    case .writtenAfterEnd, .unsent, .unresolved: logger.warning("\(report)")
    case .delegateThrew, .failed, .ended: logger.error("\(report)")
    }
  }

  private static let logger = Logger(label: "zeromq")
}
