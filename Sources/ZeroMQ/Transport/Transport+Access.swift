import CZeroMQ

extension Transport {
  /// Runs something with the delegate, where that lives; nil after `connectionLost`.
  public func withDelegate<Result: Sendable, Failure: Error>(
    _ body: @Sendable (any TransportDelegate, isolated Transport) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    guard let delegate else { return nil }
    return try body(delegate, self)
  }

  /// The value of an option.
  public func option<Value>(_ option: SocketOption<Value>) throws(ZMQError) -> Value {
    try openSocket(for: "option").option(option)
  }

  /// Sets an option; its comment says when that counts. Throws for high-water marks when there is an endpoint.
  public func set<Value>(_ option: SocketOption<Value>, to value: Value) throws(ZMQError) {
    try set(OptionValue(option, value))
  }

  func set(_ setting: OptionValue) throws(ZMQError) {
    let socket = try openSocket(for: "set")
    switch setting.number {
    case ZMQ_SUBSCRIBE: try subscribe(setting.bytes)
    case ZMQ_UNSUBSCRIBE: try unsubscribe(setting.bytes)
    default: try socket.set(setting)
    }
  }

  /// libzmq's socket, to read from it what has no name here; nil after the end. To send, to receive or to close through it breaks the
  /// transport.
  public var inner: Socket? { socket?.inner }

  func openSocket(for call: String, only required: SocketKind? = nil) throws(ZMQError) -> LoopSocket {
    if let required, required != kind {
      throw ZMQError(code: .notSupported, call: "\(call) on a \(kind) socket; only \(required) can do that")
    }
    guard isOpen, let socket else { throw ZMQError(code: .notSocket, call: "\(call) on a closed transport") }
    return socket
  }

  /// Bytes in the buffer for what is written.
  public var writeBufferSize: Int { buffer.byteCount }

  /// Bytes of the buffer at which `resumeWriting` is told, and beyond which `pauseWriting` is; a message without any counts as one. Default:
  /// 16 KiB and 64 KiB.
  public var writeBufferLimits: (low: Int, high: Int) { (buffer.limits.low, buffer.limits.high) }

  /// The kind, the state, and how much waits, in one line.
  public var description: String {
    let readiness = socket?.readinessNow ?? []
    let reads = isReadingPaused ? "paused" : readiness.contains(.input) ? "ready" : "idle"
    let writes = readiness.contains(.output) ? "ready" : "idle"
    return
      "Transport(\(kind), \(isOpen ? "open" : "closed"), read=\(reads), write=\(writes), bufsize=\(writeBufferSize))"
  }
}
