import CLinux

/// Starts a thread for something that waits in the kernel or in a library, and so belongs neither on a reactor nor on Swift's pool.
/// Nobody can wait for its end.
package func startThread(name: String, _ body: @escaping @Sendable () -> Void) throws(ReactorError) {
  let start = Unmanaged.passRetained(Body(name: name, body))
  var attributes = pthread_attr_t()
  pthread_attr_init(&attributes)
  defer { pthread_attr_destroy(&attributes) }
  pthread_attr_setdetachstate(&attributes, CInt(PTHREAD_CREATE_DETACHED))
  var created = pthread_t()
  let failure = pthread_create(&created, &attributes, runBody, start.toOpaque())
  guard failure == 0 else {
    start.release()
    throw ReactorError(errno: failure, call: "pthread_create")
  }
}

private final class Body {
  let name: String
  let run: @Sendable () -> Void

  init(name: String, _ run: @escaping @Sendable () -> Void) {
    self.name = name
    self.run = run
  }
}

private func runBody(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  guard let argument else { return nil }
  let body = Unmanaged<Body>.fromOpaque(argument).takeRetainedValue()
  clinux_name_thread(String(body.name.prefix(15)))
  body.run()
  return nil
}
