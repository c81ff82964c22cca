/// Hands what a stream's transport tells to those who read and those who write.
final class StreamDelegate: BatchDelegate, Sendable {
  let inbox: StreamInbox
  let outbox: StreamOutbox

  init(_ inbox: StreamInbox, _ outbox: StreamOutbox) { (self.inbox, self.outbox) = (inbox, outbox) }

  func connectionMade(on transport: isolated Transport) throws {
    try outbox.setLimits(of: transport)
    inbox.settle(transport)
  }

  func room(on transport: isolated Transport) -> Int { inbox.room(on: transport) }

  func messagesReceived(_ batches: [MessageBatch], on transport: isolated Transport) {
    inbox.received(batches, on: transport)
  }

  func pauseWriting(on transport: isolated Transport) { outbox.pause() }

  func resumeWriting(on transport: isolated Transport) { outbox.resume(transport) }

  func connectionLost(_ error: ZMQError?, on transport: isolated Transport) {
    // Whoever is woken finds the end everywhere.
    outbox.end(error)
    inbox.end(error)
    outbox.wakeAll()
  }

  /// Ends the transport; what had come can still be read.
  func close(_ transport: isolated Transport) async {
    // First of all, so that nothing is taken that would not be handed over any more.
    outbox.end(nil)
    outbox.flush(to: transport)
    transport.close()
    inbox.end(nil)
    await transport.waitClosed()
  }

  /// As `close`, and drops what is not sent yet.
  func abort(_ transport: isolated Transport) async {
    outbox.end(nil)
    outbox.drop()
    transport.abort()
    inbox.end(nil)
    await transport.waitClosed()
  }
}
