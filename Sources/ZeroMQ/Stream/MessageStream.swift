public import Reactor

/// A socket of any kind for tasks: they read and write whole messages, and wait where they have to.
///
/// Any task may use it; one reads at a time, and any number write. Dropping it without `close()` closes it within a turn, and drops what
/// waits to be sent, in libzmq too.
/// ```swift
/// let dealer = try await MessageStream.open(.dealer, connect: ["tcp://127.0.0.1:5555"]) { $0.linger = .seconds(1) }
/// try await dealer.send(["data", "ask", "0"])
/// let answer = try await dealer.read()
/// for try await batch in dealer.batches { for message in batch { print(message) } }
/// await dealer.close()
/// ```
///
/// Messages that have come wait in a buffer. When more than the high mark of bytes do, no more are received until readers have brought
/// them down to the low mark; libzmq's own queues fill up then, and in the end the peer's. What counts is the payload, and one byte for an
/// empty message. With a high mark of 0 a message is received only when somebody waits for it.
public final class MessageStream: Sendable {
  /// The transport below, for its endpoints, subscriptions and options. Whether it reads is the stream's matter.
  public let transport: Transport
  private let delegate: StreamDelegate
  private let inbox: StreamInbox
  private let outbox: StreamOutbox

  private init(_ transport: Transport, _ delegate: StreamDelegate) {
    self.transport = transport
    self.delegate = delegate
    (inbox, outbox) = (delegate.inbox, delegate.outbox)
  }

  /// Makes a socket, or takes one over (then its options stay as they are), and binds and connects it, as `Transport.open`.
  ///
  /// The marks are bytes; one that is not given follows from the other one, high being four times low, and both are 64 KiB and 16 KiB
  /// when neither is. Those for writing to a REQ or REP, which sends one message at a time, are 0. Throws `invalid` unless
  /// 0 <= low <= high, and what `Transport.open` throws.
  public nonisolated(nonsending) static func open<Bind: EndpointConvertible, Connect: EndpointConvertible>(
    _ kind: SocketKind, bind: [Bind] = [String](), connect: [Connect] = [String](), on reactor: Reactor = .shared,
    in context: Context = .shared, adopting adopted: SocketOffer? = nil, highRead: Int? = nil, lowRead: Int? = nil,
    highWrite: Int? = nil, lowWrite: Int? = nil, options configure: (inout SocketOptions) -> Void = { _ in },
    reporting report: @escaping @Sendable (TransportReport) -> Void = TransportReport.log
  ) async throws(ZMQError) -> MessageStream {
    let inbox = StreamInbox(try limits(of: "read", highRead, lowRead))
    let outbox = StreamOutbox(try limits(of: "write", highWrite, lowWrite), of: kind)
    let delegate = StreamDelegate(inbox, outbox)
    let transport = try await Transport.open(
      kind, bind: bind, connect: connect, on: reactor, in: context, adopting: adopted, options: configure,
      reporting: report
    ) { delegate }
    return MessageStream(transport, delegate)
  }

  private static func limits(of buffer: String, _ high: Int?, _ low: Int?) throws(ZMQError) -> BufferLimits {
    if let limits = BufferLimits(high: high, low: low) { return limits }
    throw ZMQError(code: .invalid, call: "limits of the \(buffer) buffer, which need 0 <= low <= high")
  }

  // MARK: Reading

  /// The next message, waiting for it. What had come before the stream was closed is still returned.
  ///
  /// Throws `notSupported` for a kind that receives nothing, such as PUSH, `already` while another task reads, `cancelled` when the task
  /// is cancelled, which loses no message, and at the end of a closed stream `notSocket` or the error that has closed it.
  public nonisolated(nonsending) func read() async throws(ZMQError) -> Message {
    try requireReceiver()
    if let message = try nextNow() { return message }
    if let message = try await nextLater() { return message }
    if Task.isCancelled { throw ZMQError(code: .cancelled, call: "read, by a cancelled task") }
    throw Self.closed("read")
  }

  private func requireReceiver() throws(ZMQError) {
    guard !transport.kind.receives else { return }
    throw ZMQError(code: .notSupported, call: "read on a \(transport.kind) socket, which receives nothing")
  }

  nonisolated(nonsending) func next() async throws(ZMQError) -> Message? {
    try requireReceiver()
    if let message = try nextNow() { return message }
    return try await nextLater()
  }

  /// Mostly a message is there: then nothing is begun that might wait.
  private func nextNow() throws(ZMQError) -> Message? {
    Task.isCancelled ? nil : try inbox.take(from: transport) { $0.removeFirst() }
  }

  private nonisolated(nonsending) func nextLater() async throws(ZMQError) -> Message? {
    try await inbox.read(from: transport) { $0.removeFirst() }
  }

  nonisolated(nonsending) func nextBatch(atMost limit: Int) async throws(ZMQError) -> [Message]? {
    try requireReceiver()
    return try await inbox.read(from: transport) { $0.removeFirst(atMost: limit) }
  }

  /// A task waits for a message.
  var isAwaited: Bool { inbox.isAwaited }

  /// Bytes that have come and wait to be read.
  public var readBufferSize: Int { inbox.byteCount }

  /// Bytes at which receiving goes on, and beyond which it pauses. Default: 16 KiB and 64 KiB.
  public var readBufferLimits: (low: Int, high: Int) { (inbox.limits.low, inbox.limits.high) }

  /// Sets the marks for reading, by the rules of `open`. They count at once. Those for writing are the transport's.
  public func setReadBufferLimits(high: Int? = nil, low: Int? = nil) throws(ZMQError) {
    inbox.setLimits(try Self.limits(of: "read", high, low), of: transport)
  }

  // MARK: Writing

  /// Sends a message, and never waits: what the socket has no room for is kept, without a bound, so whoever writes much should `send`,
  /// or `drain` now and then. What one task writes leaves in its order. As `Transport.write` in all else.
  public func write(_ message: Message) {
    guard outbox.write(message, to: transport) == .refused else { return }
    // The transport counts what is written after its end.
    transport.reactor.submit { [transport] in transport.assumeIsolated { $0.write(message) } }
  }

  /// Writes a message, and then drains. When it returns, the message is sent also if the stream is closed meanwhile. When it throws
  /// `cancelled`, the message is written nevertheless. Throws `notSupported` for a kind that sends nothing, such as PULL.
  public nonisolated(nonsending) func send(_ message: Message) async throws(ZMQError) {
    guard transport.kind.sends else {
      throw ZMQError(code: .notSupported, call: "send on a \(transport.kind) socket, which sends nothing")
    }
    if outbox.write(message, to: transport) != .taken { try await drain() }
  }

  /// Returns at once unless more than the high mark of bytes wait to be sent; then waits until it is no more than the low mark. Of REQ and
  /// REP it also waits until the socket has taken what was written, as with a peer that comes, and throws `wrongState` when that was out
  /// of turn.
  ///
  /// Throws `cancelled` when the task is cancelled while it waits, and after the end `notSocket` or the error that has closed the stream.
  public nonisolated(nonsending) func drain() async throws(ZMQError) { try await outbox.drain() }

  // MARK: The end

  /// Closes, and returns when libzmq has taken what was written before, at most after `SocketOptions.linger`. libzmq then sends it, for as long,
  /// on a thread of its own; to wait for that before the process ends, call `Context.close(within:)`. Nothing more is received from the
  /// call on; what had come can still be read, and a task that waits in `read` is told at once. A second call only waits.
  public nonisolated(nonsending) func close() async { await delegate.close(transport) }

  /// Closes at once: what waits to be sent is dropped. What had come can still be read.
  public nonisolated(nonsending) func abort() async { await delegate.abort(transport) }

  /// It is closed, and all that had come is read.
  public var atClosing: Bool { inbox.isOver }

  /// What has closed the stream, if that was an error.
  public var exception: ZMQError? { inbox.error }

  static func closed(_ call: String) -> ZMQError { ZMQError(code: .notSocket, call: "\(call) on a closed stream") }
}
