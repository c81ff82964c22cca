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
    outbox.end(error ?? MessageStream.closed("drain"))
    inbox.end(error)
    outbox.wakeAll()
  }

  /// Ends the transport; what had come can still be read.
  func close(_ transport: isolated Transport) async {
    outbox.flush(to: transport)
    transport.close()
    await end(transport)
  }

  /// As `close`, and drops what is not sent yet.
  func abort(_ transport: isolated Transport) async {
    outbox.drop()
    transport.abort()
    await end(transport)
  }

  private func end(_ transport: isolated Transport) async {
    outbox.end(MessageStream.closed("drain"))
    inbox.end(nil)
    await transport.waitClosed()
  }
}
