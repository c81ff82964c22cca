/// The routing IDs that a ROUTER or STREAM socket gives to peers that it connects to (ZMQ_CONNECT_ROUTING_ID). A value without I/O.
///
/// libzmq 4.3.4 ends the process when a connection gets an ID that another peer of the socket has, and tells neither who has which nor until
/// when. So an ID is given once, and a ROUTER gives none when peers may have come that bring their own.
struct GivenRoutingIDs {
  private static let longest = 255
  /// How many one socket gives in its life: each is remembered.
  static let most = 16_384

  private let kind: SocketKind
  private var given: Set<[UInt8]> = []
  /// For the next connection. libzmq does not know it yet: it cannot be taken back there.
  private(set) var next: [UInt8]?
  /// There may be peers whose IDs are unknown. Those of a STREAM begin with 0.
  private var hasOthers = false
  /// libzmq has an ID from a connection that failed, and would give it to the next.
  private var isLeftOver = false

  init(_ kind: SocketKind) { self.kind = kind }

  /// The next connection is to give its peer that ID. Throws why it cannot.
  mutating func set(_ id: [UInt8]) throws(ZMQError) {
    guard (1...Self.longest).contains(id.count), id[0] != 0 else {
      throw refused("it has 1...\(Self.longest) bytes, and does not begin with 0, as those do that libzmq makes")
    }
    guard !given.contains(id) else {
      throw refused("a connection of this socket has had \(id) already, and libzmq does not tell whether it still has")
    }
    guard given.count < Self.most else {
      throw refused("this socket has given \(Self.most), which is the most; open another socket")
    }
    try requireAlone()
    next = id
  }

  /// The ID for the connection that is being made, if one was set. Throws when it cannot be given any more.
  mutating func take() throws(ZMQError) -> [UInt8]? {
    guard let id = next.take() else {
      try passOver()
      return nil
    }
    try requireAlone()
    given.insert(id)
    isLeftOver = false
    return id
  }

  /// The connection that was to have it failed after libzmq was told: the ID is that of the next.
  mutating func wasNotGiven(_ id: [UInt8]) {
    given.remove(id)
    next = id
    isLeftOver = true
  }

  /// A connection is made without an ID, though one may be set. Throws when libzmq would give it one.
  mutating func passOver() throws(ZMQError) {
    guard !isLeftOver else {
      throw refused("libzmq has one for a connection that failed; make that one first, or open another socket")
    }
    hasOthers = true
  }

  /// Peers may come that bring their own IDs.
  mutating func expectOthers() { hasOthers = true }

  private func requireAlone() throws(ZMQError) {
    guard hasOthers, kind == .router else { return }
    throw refused("a ROUTER that is bound, or connected without one, may have a peer with that ID; give IDs first")
  }

  private func refused(_ reason: String) -> ZMQError {
    ZMQError(code: .invalid, call: "ZMQ_CONNECT_ROUTING_ID: \(reason)")
  }
}
