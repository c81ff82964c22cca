/// Calls the methods of a transport's delegate, and reports what they throw, and what else goes wrong.
struct DelegateCalls {
  /// How many batches a turn may have: a message of them costs less than one that is handed over alone, and whoever waits is woken once.
  private static let batchesPerTurn = 4

  /// Nil after the last call.
  private(set) var delegate: (any TransportDelegate)?
  private var batchDelegate: (any BatchDelegate)?
  private let kind: SocketKind
  /// While what has waited is sent.
  private var gone: GonePeers?
  private let report: @Sendable (TransportReport) -> Void

  init(_ kind: SocketKind, _ report: @escaping @Sendable (TransportReport) -> Void) {
    self.kind = kind
    self.report = report
  }

  /// Who is told from now on. It tells nothing yet: a delegate uses its transport, which then asks for it.
  mutating func begin(with delegate: any TransportDelegate) {
    (self.delegate, batchDelegate) = (delegate, delegate as? any BatchDelegate)
  }

  func made(on transport: isolated Transport) {
    call("connectionMade") { delegate throws in try delegate.connectionMade(on: transport) }
  }

  /// Hands over messages, at most that many, for as long as the socket reads. Returns what is left, or the error of a call of
  /// libzmq's.
  func deliver(
    atMost limit: Int, from socket: LoopSocket, _ intake: inout MessageIntake, on transport: isolated Transport
  ) -> Result<MessagesLeft, ZMQError> {
    guard let delegate, let inner = socket.inner else { return .success(.unknown) }
    defer { intake.clear() }
    do throws(ZMQError) {
      if let batchDelegate {
        let most = max(Self.batchesPerTurn, limit / MessageBatch.limit)
        return .success(
          try deliver(atMost: most, from: inner, socket.subscribers, &intake, to: batchDelegate, on: transport))
      }
      let subscribers = socket.subscribers
      for _ in 0..<limit {
        // The delegate may pause or close the transport at any message.
        guard socket.isReading(from: inner) else { return .success(.unknown) }
        let isThere = try intake.next(from: inner) { message, _ in
          subscribers?.take(message)
          do { try delegate.messageReceived(message, on: transport) } catch { threw("messageReceived", error) }
        }
        guard isThere else { return .success(.none) }
      }
      return .success(.some)
    } catch {
      return .failure(error)
    }
  }

  private func deliver(
    atMost limit: Int, from socket: Socket, _ subscribers: Subscribers?, _ intake: inout MessageIntake,
    to delegate: any BatchDelegate, on transport: isolated Transport
  ) throws(ZMQError) -> MessagesLeft {
    var (room, batches, batch) = (delegate.room(on: transport), [MessageBatch](), MessageBatch())
    // What had come before an error is handed over too.
    defer {
      if !batch.messages.isEmpty { batches.append(batch) }
      if !batches.isEmpty { delegate.messagesReceived(batches, on: transport) }
    }
    while batch.weight <= room {
      if batch.messages.count == MessageBatch.limit {
        batches.append(batch)
        room -= batch.weight
        batch = MessageBatch(expectsMany: true)
        if batches.count == limit { return .some }
      }
      let isThere = try intake.next(from: socket) { message, byteCount in
        subscribers?.take(message)
        batch.append(message, byteCount: byteCount)
      }
      guard isThere else { return .none }
    }
    return .unknown
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

  mutating func end() { (delegate, batchDelegate) = (nil, nil) }

  /// Reports an error that concerns the message only, which is dropped; false when the socket cannot go on.
  mutating func dropped(_ message: Message, for error: ZMQError) -> Bool {
    switch error.code {
    case .unreachable:
      let isGathering = gone != nil
      gone = gone ?? GonePeers()
      gone?.add(message[0])
      if !isGathering { tellGone() }
    case .invalid: report(.failed(error))
    default: return false
    }
    return true
  }

  /// Until `tellGone`, messages that are dropped are only counted.
  mutating func gatherGone() { gone = GonePeers() }

  /// Reports each peer that is gone once, with how many messages were dropped.
  mutating func tellGone() { for error in gone.take()?.errors ?? [] { report(.failed(error)) } }

  func report(_ event: TransportReport.Event) { report(TransportReport(event: event, kind: kind)) }

  private func call(_ method: String, _ body: (any TransportDelegate) throws -> Void) {
    guard let delegate else { return }
    do { try body(delegate) } catch { threw(method, error) }
  }

  private func threw(_ method: String, _ error: any Error) { report(.delegateThrew(method: method, error)) }
}
