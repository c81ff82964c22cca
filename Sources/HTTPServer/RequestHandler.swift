/// What answers the requests of a server. All its calls come on the server's reactor.
public protocol RequestHandler: AnyObject {
  /// A request's head is complete and sane; its body has not been read. May respond, which closes the connection after
  /// the answer, or do nothing.
  func begin(_ exchange: Exchange)
  /// The request is complete. Respond now or later, exactly once.
  func handle(_ exchange: Exchange)
  /// The server refuses the request. Respond at once, with the rejection's status and any body.
  func refused(_ exchange: Exchange, _ rejection: Rejection)
  /// The client went away before the answer to a request that `begin` was given: release what it holds. Do not respond.
  func abandoned(_ exchange: Exchange)
}

extension RequestHandler {
  public func begin(_ exchange: Exchange) {}
}

/// The body of an answer that comes piece by piece.
public protocol BodyStream: AnyObject {
  /// Whether it comes to its end by itself, as a long answer does. Then a client that has shut down its sending half still gets it, and
  /// waits for more of it at most `ServerOptions.halfCloseGrace` at a time. Else such a client is taken to have left.
  var endsByItself: Bool { get }
  /// Writes what there is. After `.nothing` and `.all` it is asked again when `Exchange.wake()` was called, and may be before; after
  /// `.end` perhaps once more.
  func read(into room: UnsafeMutableRawBufferPointer) -> StreamRead
  /// The stream is over, whoever ended it. Called exactly once.
  func closed()
}

/// What a stream had to give.
public enum StreamRead: Hashable, Sendable {
  /// That many bytes were written; at least one.
  case bytes(Int)
  /// That many bytes were written, at least one, and there is nothing more for now.
  case all(Int)
  /// Nothing for now.
  case nothing
  /// Nothing ever again: ends the answer.
  case end
}
