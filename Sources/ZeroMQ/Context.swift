import CZeroMQ

/// Owns one libzmq context: its I/O threads, and the namespace of `inproc` endpoints. Any thread may use it.
///
/// One context serves a process (`zmq(7)`). Dropping the last reference waits until the messages of closed sockets are
/// sent or their linger runs out; sockets hold a reference, so they close first.
public final class Context: Sendable {
  // Safe: libzmq contexts are thread safe by contract.
  nonisolated(unsafe) let raw: UnsafeMutableRawPointer

  /// Creates a context with that many I/O threads and room for that many sockets.
  public init(threads: Int = 1, sockets: Int = 1_023) throws(ZMQError) {
    guard let raw = zmq_ctx_new() else { throw .last("zmq_ctx_new") }
    self.raw = raw
    try check("zmq_ctx_set(ZMQ_IO_THREADS, \(threads))") { zmq_ctx_set(raw, ZMQ_IO_THREADS, CInt(clamping: threads)) }
    try check("zmq_ctx_set(ZMQ_MAX_SOCKETS, \(sockets))") { zmq_ctx_set(raw, ZMQ_MAX_SOCKETS, CInt(clamping: sockets)) }
  }

  deinit { zmq_ctx_term(raw) }
}
