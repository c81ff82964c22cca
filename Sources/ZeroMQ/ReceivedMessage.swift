import CZeroMQ

/// The frames of one received message, read in place: libzmq's own buffers, valid until the next `receive`.
public struct ReceivedMessage: ~Copyable {
  /// Room for so many frames is kept; a message with more gets room for itself.
  private static let usualFrames = 32

  /// How many frames the message has.
  public private(set) var count = 0
  /// How many places hold a frame to be freed: those of the message before too, after a `receive` that found nothing.
  private var held = 0
  private var capacity = 0
  private var places = Self.allocate(0)

  /// No message yet.
  public init() {}

  deinit { Self.free(places, capacity) }

  /// The bytes of a frame.
  public subscript(index: Int) -> UnsafeRawBufferPointer {
    precondition((0..<count).contains(index), "no such frame")
    return UnsafeRawBufferPointer(start: zmq_msg_data(places + index), count: zmq_msg_size(places + index))
  }

  /// Keeps a frame beyond the message. A long one is shared with the message, not copied.
  public func keep(_ index: Int) -> KeptFrame {
    precondition((0..<count).contains(index), "no such frame")
    return KeptFrame(sharing: places + index)
  }

  /// What is known of the connection that it came over, such as `Peer-Address` or `User-Id`; nil when that is not (`zmq_msg_gets(3)`).
  public func property(_ name: String) -> String? {
    guard count > 0, let value = zmq_msg_gets(places + count - 1, name) else { return nil }
    return String(cString: value)
  }

  /// How many bytes it has.
  var bytes: Int { (0..<count).reduce(0) { $0 + zmq_msg_size(places + $1) } }

  /// Passes the message on: its frames are moved, not copied, and it has none afterwards. One that is refused, or throws, stays.
  mutating func pass(to socket: borrowing Socket) throws(ZMQError) -> Socket.Offering {
    let (raw, places) = (socket.raw, places)
    let offering = try socket.offer(count, { self[$0] }) { index, more throws(ZMQError) in
      try attempt("zmq_msg_send") { zmq_msg_send(places + index, raw, ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0)) } != nil
    }
    if offering != .refused { count = 0 }
    return offering
  }

  /// Sends the message and keeps it; false when there is no room or no peer. Long frames are shared, not copied.
  func copy(to socket: Socket) throws(ZMQError) -> Bool {
    try socket.offer(count, { self[$0] }) { index, more throws(ZMQError) in
      try socket.send(copyOf: places + index, more: more)
    } == .whole
  }

  /// Lets the memory of the last message go.
  public mutating func clear() {
    count = 0
    if capacity > Self.usualFrames {
      Self.free(places, capacity)
      capacity = Self.usualFrames
      places = Self.allocate(capacity)
    } else {
      for index in 0..<held {
        zmq_msg_close(places + index)
        zmq_msg_init(places + index)
      }
    }
    held = 0
  }

  /// Takes the next message; false when there is none. A message is taken whole or not at all.
  public mutating func receive(from socket: borrowing Socket) throws(ZMQError) -> Bool {
    count = 0
    guard try socket.hasTurnToReceive else { return false }
    var received = 0
    repeat {
      if received == capacity { grow() }
      guard try socket.receive(into: places + received) != nil else { return false }
      received += 1
      held = max(held, received)
    } while zmq_msg_more(places + received - 1) != 0
    count = received
    return true
  }

  private mutating func grow() {
    let larger = max(Self.usualFrames, capacity * 2)
    let more = Self.allocate(larger)
    for index in 0..<capacity { zmq_msg_move(more + index, places + index) }
    Self.free(places, capacity)
    (places, capacity) = (more, larger)
  }

  private static func allocate(_ capacity: Int) -> UnsafeMutablePointer<zmq_msg_t> {
    let places = UnsafeMutablePointer<zmq_msg_t>.allocate(capacity: capacity)
    for index in 0..<capacity { zmq_msg_init(places + index) }
    return places
  }

  private static func free(_ places: UnsafeMutablePointer<zmq_msg_t>, _ capacity: Int) {
    for index in 0..<capacity { zmq_msg_close(places + index) }
    places.deallocate()
  }
}

/// A frame that outlives its message, to be read on any thread.
// Sendable although it holds a pointer: libzmq counts who shares a frame atomically, and nobody changes its bytes.
public final class KeptFrame: @unchecked Sendable {
  private let place = UnsafeMutablePointer<zmq_msg_t>.allocate(capacity: 1)

  fileprivate init(sharing frame: UnsafeMutablePointer<zmq_msg_t>) {
    zmq_msg_init(place)
    // It fails for what is no message only.
    zmq_msg_copy(place, frame)
  }

  deinit {
    zmq_msg_close(place)
    place.deallocate()
  }

  /// How many bytes it has.
  public var count: Int { zmq_msg_size(place) }

  /// Lends the bytes; the pointer is valid only inside `body`.
  public func withUnsafeBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try body(UnsafeRawBufferPointer(start: zmq_msg_data(place), count: zmq_msg_size(place)))
  }
}
