/// What a transport tells, on its reactor: the transport is isolated there, so everything of it can be called without `await`. Each
/// method has an empty default.
///
/// `connectionMade` comes first and once, `connectionLost` last and once; `pauseWriting` and `resumeWriting` come in turn. A method
/// that throws is reported (see `TransportReport`), and the transport goes on.
///
/// The transport keeps its delegate. One that keeps the transport too has to do so weakly: else neither goes before `close()`.
public protocol TransportDelegate: AnyObject {
  /// The socket is there, not bound or connected yet.
  func connectionMade(on transport: isolated Transport) throws
  /// A message came.
  func messageReceived(_ message: Message, on transport: isolated Transport) throws
  /// The transport is at its end: closed or aborted, ended by an error, or dropped. Told a turn after it was. One that was dropped is gone: it is
  /// told of another one, with the same socket.
  func connectionLost(_ error: ZMQError?, on transport: isolated Transport) throws
  /// More waits to be sent than the high mark allows: told within `write`.
  func pauseWriting(on transport: isolated Transport) throws
  /// What waits has fallen to the low mark.
  func resumeWriting(on transport: isolated Transport) throws
}

extension TransportDelegate {
  public func connectionMade(on transport: isolated Transport) throws {}
  public func messageReceived(_ message: Message, on transport: isolated Transport) throws {}
  public func connectionLost(_ error: ZMQError?, on transport: isolated Transport) throws {}
  public func pauseWriting(on transport: isolated Transport) throws {}
  public func resumeWriting(on transport: isolated Transport) throws {}
}
