import Reactor

/// The socket that all sockets of a context ask, at the address that ZAP gives it. A router, for a reply socket would answer one question
/// after the other.
final class ZAPSocket: LoopSocketDelegate {
  /// Only who answers questions of ZAP may bind to it: libzmq ends the process when a socket asks one of another kind.
  static let address = "inproc://zeromq.zap.01"

  private let socket: LoopSocket
  private weak var authenticator: Authenticator?

  init(for authenticator: Authenticator, in context: Context, on loop: Loop) throws(ZMQError) {
    self.authenticator = authenticator
    socket = try LoopSocket(.router, in: context, on: loop)
    socket.delegate = self
    do { try socket.bind(Endpoint(Self.address)) } catch let error as ZMQError {
      guard error.code == .addressInUse else { throw error }
      throw ZMQError(code: .addressInUse, call: "a second authenticator of one context")
    } catch {
      throw ZMQError(code: .invalid, call: "bind to \(Self.address): \(error)")
    }
  }

  /// Who is gone is answered no more.
  func send(_ frames: [[UInt8]]) { _ = try? socket.send(frames) }

  func messageReceived(_ message: borrowing ReceivedMessage, on socket: LoopSocket) {
    var frames: [[UInt8]] = []
    for index in 0..<message.count { frames.append(Array(message[index])) }
    let reading = ZAPQuestion.read(frames)
    // Sockets have their turns on the reactor, which is the authenticator's executor.
    authenticator?.assumeIsolated { $0.received(reading) }
  }
}
