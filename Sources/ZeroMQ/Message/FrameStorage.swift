import CZeroMQ

/// Frames as libzmq has them (`zmq_msg_init(3)`), of one message or of several short ones, in one block of memory.
///
/// Whoever makes one fills places and makes sure that they may be shared: short frames may be anyhow, others after `share()`. Then
/// messages of these places go anywhere: nobody changes the places any more while there are any, and any thread may read and copy the
/// frames. libzmq counts who shares the bytes of a long frame.
final class FrameStorage: ManagedBuffer<Int, zmq_msg_t> {
  /// A frame with fewer bytes than this has them within itself: libzmq copies it as a whole (`msg.hpp`, max_vsm_size; one of just that
  /// size that was received may refer to others, too).
  static let shortest = 33

  /// That many empty frames.
  static func make(_ count: Int) -> FrameStorage {
    let storage = unsafeDowncast(FrameStorage.create(minimumCapacity: count) { _ in count }, to: FrameStorage.self)
    for index in 0..<count { zmq_msg_init(storage.place(index)) }
    return storage
  }

  deinit { for index in 0..<header { zmq_msg_close(place(index)) } }

  func place(_ index: Int) -> UnsafeMutablePointer<zmq_msg_t> { withUnsafeMutablePointerToElements { $0 + index } }

  /// The bytes of a frame, for as long as the storage lives.
  func bytes(_ index: Int) -> UnsafeRawBufferPointer {
    let place = place(index)
    return UnsafeRawBufferPointer(start: zmq_msg_data(place), count: zmq_msg_size(place))
  }

  /// Copies the bytes into a frame that is empty.
  func fill(_ index: Int, with bytes: UnsafeRawBufferPointer) {
    let place = place(index)
    guard zmq_msg_init_size(place, bytes.count) == 0 else { preconditionFailure("no memory for a frame") }
    guard let start = bytes.baseAddress, !bytes.isEmpty else { return }
    zmq_msg_data(place)?.copyMemory(from: start, byteCount: bytes.count)
  }

  /// Lets a frame that is empty refer to the bytes of an array, which is kept until libzmq lets go of them.
  func fill(_ index: Int, keeping bytes: [UInt8]) {
    let kept = Unmanaged.passRetained(KeptArray(bytes))
    // Safe: the array's own block, which the holder keeps. Nobody changes it: a change of the array would copy it first.
    let start = bytes.withUnsafeBytes { UnsafeMutableRawPointer(mutating: $0.baseAddress) }
    guard zmq_msg_init_data(place(index), start, bytes.count, releaseBytes, kept.toOpaque()) == 0 else {
      preconditionFailure("no memory for a frame")
    }
  }

  /// Moves frames of another storage here, to the first places; there they are empty afterwards.
  func take(_ count: Int, from other: FrameStorage, at start: Int) {
    // It fails for what is no message only.
    for index in 0..<count { zmq_msg_move(place(index), other.place(start + index)) }
  }

  /// Makes it safe to copy the frames from several threads. The first copy of a long frame turns it into one that is shared, which
  /// is a write: it is made here, before anybody else sees the frame.
  func share() {
    for index in 0..<header where zmq_msg_size(place(index)) >= Self.shortest {
      var copy = zmq_msg_t()
      zmq_msg_init(&copy)
      zmq_msg_copy(&copy, place(index))
      zmq_msg_close(&copy)
    }
  }
}

/// Holds an array for libzmq.
private final class KeptArray {
  private let bytes: [UInt8]
  init(_ bytes: [UInt8]) { self.bytes = bytes }
}

/// Called by libzmq, from a thread of its own, when nobody needs the bytes any more.
private func releaseBytes(_ data: UnsafeMutableRawPointer?, _ hint: UnsafeMutableRawPointer?) {
  if let hint { Unmanaged<KeptArray>.fromOpaque(hint).release() }
}
