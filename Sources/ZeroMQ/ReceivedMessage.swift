import CZeroMQ

/// The frames of one received message, read in place: libzmq's own buffers, valid until the next `receive`.
public struct ReceivedMessage: ~Copyable {
  /// ReceivedMessage beyond these are read and dropped, and only counted.
  public static let capacity = 32

  /// How many frames the message had, which can be more than `capacity`.
  public private(set) var count = 0
  private let storage: UnsafeMutablePointer<zmq_msg_t>

  /// No message yet.
  public init() {
    storage = .allocate(capacity: Self.capacity)
    for index in 0..<Self.capacity { zmq_msg_init(storage + index) }
  }

  deinit {
    for index in 0..<Self.capacity { zmq_msg_close(storage + index) }
    storage.deallocate()
  }

  /// The bytes of a frame that was kept.
  public subscript(index: Int) -> UnsafeRawBufferPointer {
    precondition(index < min(count, Self.capacity), "no such frame")
    return UnsafeRawBufferPointer(start: zmq_msg_data(storage + index), count: zmq_msg_size(storage + index))
  }

  /// Lets the memory of the last message go.
  public mutating func clear() {
    for index in 0..<min(count, Self.capacity) {
      zmq_msg_close(storage + index)
      zmq_msg_init(storage + index)
    }
    count = 0
  }

  /// Takes the next message; false when there is none. A message is taken whole or not at all.
  public mutating func receive(from socket: borrowing Socket) throws(ZMQError) -> Bool {
    count = 0
    let raw = socket.raw
    repeat {
      // libzmq closes what a frame held before; the last place takes whatever is too many.
      let frame = storage + min(count, Self.capacity - 1)
      guard try attempt("zmq_msg_recv", { zmq_msg_recv(frame, raw, ZMQ_DONTWAIT) }) != nil else { return false }
      count += 1
    } while zmq_msg_more(storage + min(count, Self.capacity) - 1) != 0
    return true
  }
}
