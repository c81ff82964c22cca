import Bare
import ZeroMQ

/// Receives messages; a peer pushes them, in a process of its own, or over inproc on a thread.
struct Pull {
  let endpoint: String
  let size: Int
  let count: Int
  /// Those by which both sides get under way.
  var unmeasured: Int { count / 10 }
  private let contexts = Contexts()

  init(endpoint: String, size: Int, count: Int) {
    self.endpoint = endpoint
    self.size = size
    self.count = count
  }

  func run(_ door: String) async throws {
    switch door {
    case "c":
      let socket = contexts.bind(.pull, endpoint)
      var (begin, end) = (bare_clocks(), bare_clocks())
      startPeer()
      bare_pull(socket, unmeasured, count, &begin, &end)
      report(from: begin, to: end, count: count - unmeasured)
    case "delegate":
      let (done, end) = AsyncStream.makeStream(of: Void.self)
      let transport = try await Transport.open(.pull, bind: [endpoint], in: contexts.context) {
        [count, unmeasured] in Receiver(Progress(unmeasured: unmeasured, count: count), end)
      }
      announce("\(await transport.bindings[0])")
      startPeer()
      for await _ in done {}
    case "batches":
      let stream = try await open()
      var progress = Progress(unmeasured: unmeasured, count: count)
      for try await batch in stream.batches where progress.received(batch.count) { break }
    case "read":
      let stream = try await open()
      var progress = Progress(unmeasured: unmeasured, count: count)
      repeat { _ = try await stream.read() } while !progress.received(1)
    default: fail(usage)
    }
  }

  private func open() async throws -> MessageStream {
    let stream = try await MessageStream.open(.pull, bind: [endpoint], in: contexts.context)
    announce("\(await stream.transport.bindings[0])")
    startPeer()
    return stream
  }

  private func startPeer() {
    if endpoint.hasPrefix("inproc:") { bare_push_beside(contexts.raw, endpoint, size, count) }
  }

  private final class Receiver: TransportDelegate {
    // Nothing else runs while they change: what is measured is not the check of that.
    @exclusivity(unchecked) private var progress: Progress
    /// How many come before there is something to do, as little a message as the loop in C does.
    @exclusivity(unchecked) private var left: Int
    private let end: AsyncStream<Void>.Continuation

    init(_ progress: Progress, _ end: AsyncStream<Void>.Continuation) {
      self.progress = progress
      self.end = end
      left = progress.next
    }

    func messageReceived(_ message: Message, on transport: isolated Transport) {
      left -= 1
      if left == 0 { reached() }
    }

    private func reached() {
      if progress.received(progress.next) { return end.finish() }
      left = progress.next
    }
  }
}

/// Counts to the end, and reads the clocks on the way.
struct Progress {
  private let unmeasured: Int
  private let count: Int
  private var received = 0
  private var begin: (clocks: bare_clocks, received: Int)?

  init(unmeasured: Int, count: Int) {
    self.unmeasured = unmeasured
    self.count = count
  }

  /// So many more, and there is something to do.
  var next: Int { (begin == nil ? unmeasured : count) - received }

  /// True when the last one has come; that is reported.
  mutating func received(_ more: Int) -> Bool {
    received += more
    if begin == nil, received >= unmeasured { begin = (bare_now(0), received) }
    guard received >= count else { return false }
    if let begin { report(from: begin.clocks, to: bare_now(0), count: received - begin.received) }
    return true
  }
}
