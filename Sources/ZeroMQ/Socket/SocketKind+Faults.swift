extension SocketKind {
  /// Why a socket of this kind must not send a message of so many frames: libzmq 4.3.4 takes it, and drops it without a word or, worse, what
  /// is sent afterwards.
  @inline(__always)
  func fault(ofFrames count: Int, _ frame: (Int) -> UnsafeRawBufferPointer) -> String? {
    if self == .stream, count != 2 { return Self.wrongCount(count) }
    if self == .router, count == 1 {
      return "send on a ROUTER socket: a message has two frames or more, the first is whom it goes to"
    }
    if self == .xSubscribe {
      for index in 0..<count { if let fault = Self.fault(ofSubscription: frame(index)) { return fault } }
    }
    return nil
  }

  /// A frame that counts as the end of one message and the beginning of the next.
  static func wrongCount(_ count: Int) -> String {
    "send on a STREAM socket: a message has two frames, whom it goes to and the bytes, not \(count)"
  }

  /// libzmq writes a subscription of 246...255 bytes in a way that spoils all that follow on the same connection. Any frame of a message may
  /// be one.
  static func fault(ofSubscription frame: UnsafeRawBufferPointer) -> String? {
    guard PeerSubscriptions.isOne(frame), (Socket.longestPrefix + 1...255).contains(frame.count - 1) else { return nil }
    return
      "send on an XSUB socket: a subscription to a prefix of \(frame.count - 1) bytes, where libzmq carries at most"
      + " \(Socket.longestPrefix)"
  }
}
