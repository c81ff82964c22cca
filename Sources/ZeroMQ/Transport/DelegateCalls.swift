/// Calls the methods of a transport's delegate, and reports what they throw, and what else goes wrong.
struct DelegateCalls {
  /// Nil after the last call.
  private(set) var delegate: (any TransportDelegate)?
  private let kind: SocketKind
  private let report: @Sendable (TransportReport) -> Void

  init(_ kind: SocketKind, _ report: @escaping @Sendable (TransportReport) -> Void) {
    self.kind = kind
    self.report = report
  }

  mutating func made(_ delegate: any TransportDelegate, on transport: isolated Transport) {
    self.delegate = delegate
    call("connectionMade") { delegate throws in try delegate.connectionMade(on: transport) }
  }

  func received(_ message: Message, on transport: isolated Transport) {
    call("messageReceived") { delegate throws in try delegate.messageReceived(message, on: transport) }
  }

  func change(_ change: WriteBuffer.Change, on transport: isolated Transport) {
    switch change {
    case .pause: call("pauseWriting") { delegate throws in try delegate.pauseWriting(on: transport) }
    case .resume: call("resumeWriting") { delegate throws in try delegate.resumeWriting(on: transport) }
    }
  }

  func lost(_ error: ZMQError?, on transport: isolated Transport) {
    call("connectionLost") { delegate throws in try delegate.connectionLost(error, on: transport) }
  }

  mutating func end() { delegate = nil }

  func report(_ event: TransportReport.Event) { report(TransportReport(event: event, kind: kind)) }

  private func call(_ method: String, _ body: (any TransportDelegate) throws -> Void) {
    guard let delegate else { return }
    do { try body(delegate) } catch { report(.delegateThrew(method: method, error)) }
  }
}
