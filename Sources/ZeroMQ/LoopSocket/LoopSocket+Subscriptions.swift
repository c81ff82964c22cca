extension LoopSocket {
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

  private func requireInner(_ call: String) throws(ZMQError) -> Socket {
    guard let inner else { throw ZMQError(code: .notSocket, call: "\(call) on a closed socket") }
    return inner
  }
}
