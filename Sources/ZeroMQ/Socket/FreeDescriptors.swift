import Glibc

/// Whether the process may open more descriptors, for what libzmq does not do without them but ends the process.
enum FreeDescriptors {
  /// Throws EMFILE, or what the kernel says, unless that many are free now. Another thread may take them in the next moment.
  static func require(_ count: Int, for call: @autoclosure () -> String) throws(ZMQError) {
    var taken: [CInt] = []
    defer { for descriptor in taken { close(descriptor) } }
    for _ in 0..<count {
      let descriptor = socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
      guard descriptor >= 0 else {
        let code = ZMQError.Code(rawValue: errno)
        throw ZMQError(
          code: code, call: "\(call()), which needs \(count) descriptors; raise the limit on them (ulimit -n)")
      }
      taken.append(descriptor)
    }
  }
}
