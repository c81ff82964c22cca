extension LoopSocket {
  /// The value of an option. Throws `invalid` for one that libzmq does not know or does not tell.
  public func option<Value>(_ option: SocketOption<Value>) throws(ZMQError) -> Value {
    try requireInner("option").option(option)
  }

  /// Sets an option; its comment says when that counts. Throws for high-water marks when there is an endpoint.
  public func set<Value>(_ option: SocketOption<Value>, to value: Value) throws(ZMQError) {
    try set(OptionValue(option, value))
  }

  func set(_ value: OptionValue) throws(ZMQError) {
    // A name that is still being looked up has not come to libzmq yet.
    if OptionValue.fixed.contains(value.number), endpointCount > 0 { throw value.tooLate }
    try requireInner("set").set(value)
    scheduleTurn()
  }

  /// Receives what begins with the prefix; the empty one means everything. libzmq counts equal subscriptions. Throws for a
  /// prefix longer than `Socket.longestPrefix`.
  public func subscribe(_ prefix: [UInt8]) throws(ZMQError) {
    defer { scheduleTurn() }
    try requireInner("subscribe").subscribe(prefix)
  }

  /// Takes one subscription to the prefix back.
  public func unsubscribe(_ prefix: [UInt8]) throws(ZMQError) {
    defer { scheduleTurn() }
    try requireInner("unsubscribe").unsubscribe(prefix)
  }

  /// What the socket could do now.
  var readinessNow: Socket.Readiness { (try? inner?.readiness) ?? [] }

  /// How long closing will keep what waits; nil: for ever.
  var linger: Duration? { (try? inner?.option(.linger)) ?? nil }

  /// Whether it is still open with that socket, and not paused.
  func isReading(from socket: Socket) -> Bool { isReading && inner === socket }

  /// Closing will keep nothing.
  func dropsWhatWaits() { try? inner?.set(.linger, to: .zero) }

  private func requireInner(_ call: String) throws(ZMQError) -> Socket {
    guard let inner else { throw ZMQError(code: .notSocket, call: "\(call) on a closed socket") }
    return inner
  }
}
