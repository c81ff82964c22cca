import CZeroMQ

/// Takes messages out of a socket as values. Confined to the socket's thread.
///
/// Messages of short frames share a block of memory, which is used again when nobody has kept any of them. Any other has memory of its
/// own, so that who keeps a short one keeps no long one beside it.
struct MessageIntake: ~Copyable {
  /// How many short frames share a block: 2 KiB.
  private static let room = 32
  /// A message of more frames has memory of its own.
  private static let mostShared = 8

  /// The last message of short frames. Behind it in its block there is room for more.
  private var short = Message(.make(0), at: 0, count: 0)
  /// How many places that block has.
  private var places = 0
  /// The last other one.
  private var long: Message?

  /// Lends the next message, and tells how many bytes it has; false when there is none. A message is taken whole or not at all.
  @inline(__always)
  mutating func next(from socket: Socket, _ use: (Message, Int) -> Void) throws(ZMQError) -> Bool {
    guard try socket.hasTurnToReceive else { return false }
    let start = short.end
    var (first, byteCount): (Int?, Int) = (nil, 0)
    // Most messages are one short frame.
    if start < places {
      let place = short.storage.place(start)
      guard let size = try socket.receive(into: place) else { return false }
      if size < FrameStorage.shortest, zmq_msg_get(place, ZMQ_MORE) == 0 {
        short.refer(to: start, count: 1)
        use(short, size)
        return true
      }
      first = size
    }
    guard let isShort = try receive(from: socket, first, &byteCount) else { return false }
    if isShort { use(short, byteCount) } else if let long { use(long, byteCount) }
    return true
  }

  /// Lets the memory of the last long message go.
  mutating func clear() { if long != nil { long = nil } }

  /// Whether the message that came is a short one; nil when there is none. Its first frame may have come, with so many bytes.
  private mutating func receive(
    from socket: Socket, _ first: Int?, _ byteCount: inout Int
  ) throws(ZMQError) -> Bool? {
    var (start, count, isShort, come) = (short.end, 0, true, first)
    var place: UnsafeMutablePointer<zmq_msg_t>
    repeat {
      if start + count == places { start = makeRoom(keeping: count, at: start) }
      place = short.storage.place(start + count)
      let size: Int
      if let first = come.take() {
        size = first
      } else if let next = try socket.receive(into: place) {
        size = next
      } else {
        return nil
      }
      if size >= FrameStorage.shortest { isShort = false }
      byteCount += size
      count += 1
    } while zmq_msg_more(place) != 0
    if isShort, count <= Self.mostShared {
      short.refer(to: start, count: count)
      return true
    }
    moveOut(count, at: start)
    return false
  }

  /// Takes a block with room, to whose start those frames move that have come of the next message.
  private mutating func makeRoom(keeping count: Int, at start: Int) -> Int {
    if start > 0, short.isAlone() {
      short.storage.take(count, from: short.storage, at: start)
    } else {
      places = max(Self.room, 2 * count)
      let more = FrameStorage.make(places)
      more.take(count, from: short.storage, at: start)
      short = Message(more, at: 0, count: 0)
    }
    return 0
  }

  private mutating func moveOut(_ count: Int, at start: Int) {
    if long?.count != count || long?.isAlone() != true { long = Message(.make(count), at: 0, count: count) }
    long?.storage.take(count, from: short.storage, at: start)
    long?.storage.share()
    if places > Self.room { (short, places) = (Message(.make(0), at: 0, count: 0), 0) }
  }
}
