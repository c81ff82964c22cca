import Dispatch
import Glibc
import Reactor

/// SIGTERM and SIGINT: the first asks to stop, a second one ends the program at once.
///
/// They are heard on a queue of their own, so that the second one works whatever the rest of the program waits for.
final class StopSignals: Sendable {
  private let sources = Guarded<[any DispatchSourceSignal]>([])
  private let request = Guarded(StopRequest())

  /// Hears both from now on, to the end of the process; `stop` is called at the first, with its name.
  init(stop: @escaping @Sendable (String) -> Void) {
    let queue = DispatchQueue(label: "signals")
    for number in [SIGTERM, SIGINT] {
      let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
      source.setEventHandler { [self] in received(number, stop) }
      source.resume()
      sources.withLock { $0.append(source) }
    }
  }

  private func received(_ number: CInt, _ stop: (String) -> Void) {
    let name = number == SIGINT ? "SIGINT" : "SIGTERM"
    switch request.withLock({ $0.received(at: .monotonic()) }) {
    case .stop: stop(name)
    case .nothing: break
    case .end: Self.end(by: number, name)
    }
  }

  /// Ends the process as the signal would have by itself: a shell sees 128 and its number.
  private static func end(by number: CInt, _ name: String) -> Never {
    // Not through the log: a standard error that nobody empties holds up whoever writes to it.
    var output = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
    if poll(&output, 1, 0) == 1 {
      let text = "zmq-gateway: \(name) while stopping: ended at once, calls and streams are cut off\n"
      _ = write(STDERR_FILENO, text, text.utf8.count)
    }
    signal(number, SIG_DFL)
    var own = sigset_t()
    sigemptyset(&own)
    sigaddset(&own, number)
    pthread_sigmask(SIG_UNBLOCK, &own, nil)
    raise(number)
    // The first process of a container is not ended by such a signal.
    _exit(128 + number)
  }
}
