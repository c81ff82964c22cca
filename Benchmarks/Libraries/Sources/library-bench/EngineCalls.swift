import Bare
import Reactor
import ZeroMQ
import ZeroMQRPC

/// Calls through the engine, where it lives: no task for any of them.
actor EngineCalls {
  nonisolated let unownedExecutor = Reactor.shared.asUnownedSerialExecutor()
  private let calling: Calling
  private var engine: CallEngine?

  init(_ calling: Calling) { self.calling = calling }

  func run() async throws {
    let engine = try CallEngine(
      connect: [Endpoint(calling.endpoint)], inFlight: SharedLimit(limit: 1_000), in: .shared, on: Reactor.shared.loop)
    self.engine = engine
    while engine.connectedEndpoints == 0 { try await Task.sleep(for: .milliseconds(1)) }
    let (done, end) = AsyncStream.makeStream(of: Void.self)
    let caller = Caller(engine, calling) { end.finish() }
    for _ in 0..<calling.atATime { caller.call() }
    for await _ in done {}
    engine.close()
  }

  /// Makes the next call when one is answered.
  private final class Caller: ReplyHandler {
    private let engine: CallEngine
    private let calling: Calling
    private let finished: () -> Void
    private let frames: (name: [UInt8], arguments: [UInt8], keywords: [UInt8]) = (
      Array("add".utf8), [0x92, 1, 2], [0x80]
    )
    private var left: Int
    private var answered = 0
    private var begin = bare_clocks()

    init(_ engine: CallEngine, _ calling: Calling, _ finished: @escaping () -> Void) {
      self.engine = engine
      self.calling = calling
      self.finished = finished
      left = calling.count
    }

    func call() {
      guard left > 0 else { return }
      left -= 1
      frames.name.withUnsafeBytes { name in
        frames.arguments.withUnsafeBytes { arguments in
          frames.keywords.withUnsafeBytes { keywords in
            let call = BorrowedCall(method: name, arguments: arguments, keywords: keywords)
            do { _ = try engine.call(call, timeout: .seconds(60), replyTo: self) } catch { fail("\(error)") }
          }
        }
      }
    }

    func replied(_ body: UnsafeRawBufferPointer, isException: Bool) {
      guard body.count == 1, body[0] == 3 else { fail("add(1, 2) is something else") }
      answered += 1
      if answered == calling.unmeasured { begin = bare_now(calling.other) }
      if answered == calling.count {
        report(from: begin, to: bare_now(calling.other), count: calling.count - calling.unmeasured)
        finished()
      }
      call()
    }

    func failed(_ failure: CallFailure) { fail("\(failure)") }
  }
}
