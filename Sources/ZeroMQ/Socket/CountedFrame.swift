import CZeroMQ
import Reactor

/// A frame whose bytes count in a budget from when libzmq is given them until it lets go of them: when they have been sent, or dropped
/// with a connection (`zmq_msg_init_data(3)`).
///
/// libzmq calls back from its own thread. What it needs there stands before the bytes, in one block with them.
enum CountedFrame {
  private struct Head {
    let budget: Unmanaged<MemoryBudget>
    let count: Int
  }

  /// Copies a frame and sends the copy. False when there is no room or no peer: then nothing was sent.
  static func send(
    _ frame: UnsafeRawBufferPointer, on socket: UnsafeMutableRawPointer, flags: CInt, budget: MemoryBudget
  ) throws(ZMQError) -> Bool {
    let size = MemoryLayout<Head>.stride
    let block = UnsafeMutableRawPointer.allocate(byteCount: size + frame.count, alignment: 16)
    block.storeBytes(of: Head(budget: .passRetained(budget), count: frame.count), as: Head.self)
    if let start = frame.baseAddress { (block + size).copyMemory(from: start, byteCount: frame.count) }
    budget.take(frame.count)
    var message = zmq_msg_t()
    guard
      zmq_msg_init_data(&message, block + size, frame.count, { _, block in CountedFrame.release(block) }, block) == 0
    else {
      release(block)
      throw .last("zmq_msg_init_data")
    }
    // A message that was taken is left empty; closing it is then nothing. One that was not lets go of its bytes.
    defer { zmq_msg_close(&message) }
    return try attempt("zmq_msg_send") { zmq_msg_send(&message, socket, flags) } != nil
  }

  private static func release(_ block: UnsafeMutableRawPointer?) {
    guard let block else { return }
    let head = block.load(as: Head.self)
    head.budget.takeRetainedValue().give(head.count)
    block.deallocate()
  }
}
