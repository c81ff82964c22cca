import Reactor
import ZeroMQRPC

/// The socket of a service as a shard reaches it that does not have it: an endpoint can be bound once, so one shard, the service's home,
/// has the socket, and the others hand their calls over to it (`VisitingCalls`).
///
/// Each call ends there, in exactly one way, and its outcome comes back as a message; deadlines and limits are the home's. What is known at
/// once of a service without a backend is thrown at once, as by an engine. Shards send each other values, which arrive in the order in
/// which they were sent, so a call is never cancelled before it has arrived.
final class DistantSocket {
  /// What the home is asked.
  enum Request: Sendable {
    case call(TravellingCall, number: UInt32, expiry: Instant, isRepeatable: Bool, CallPriority)
    /// Nobody wants the outcome of a call any more.
    case cancel(number: UInt32)
    /// A call is to end now, as if its deadline had passed.
    case expire(number: UInt32)
    /// A call without a reply.
    case send(TravellingCall, number: UInt32)
  }

  /// What became of a call.
  enum Outcome: Sendable {
    case replied([UInt8], isException: Bool, ReplyTimes?)
    case repliedAtLength(LongReply, ReplyTimes?)
    /// With what nineteen of twenty replies of its method have not exceeded of late, if that is known.
    case timedOut(Silence, percentile95: Duration?)
    case failed(CallFailure)
    /// libzmq has taken it; there is no reply.
    case taken
  }

  private enum Waiting {
    case reply(any ReplyHandler)
    case receipt((CallFailure?) -> Void)
  }

  /// What the home told of the method of the call that timed out last, for the handler that is being told.
  private(set) var percentile95: Duration?
  /// How long the call took whose reply a handler is being told of.
  private(set) var replyTimes: ReplyTimes?
  /// Calls that were not handed over, for as many were under way from here.
  private(set) var shed = ShedCalls()
  private let shared: SharedService
  private let shard: Shard
  private let home: Shard
  private let loop: Loop
  private var waiting: [UInt32: Waiting] = [:]
  private var last: UInt32 = 0
  private var isClosed = false

  /// The socket of that service at its home, for this shard.
  init(_ service: SharedService, shard: Shard, home: Shard, loop: Loop) {
    shared = service
    self.shard = shard
    self.home = home
    self.loop = loop
  }

  /// Hands a call over; its bytes are copied. Returns its number here, to cancel it by; its handler is told in a later turn.
  func call(
    _ call: BorrowedCall, timeout: Duration, isRepeatable: Bool, priority: CallPriority,
    replyTo handler: any ReplyHandler
  ) throws(CallFailure) -> UInt32 {
    // The home counts exactly; that many from one shard are too many in any case, and wait nowhere.
    guard waiting.count < shared.inFlight.limit else {
      shed.count(priority)
      throw CallFailure(.overloaded, sent: false)
    }
    let number = try next(call)
    waiting[number] = .reply(handler)
    let expiry = loop.now + timeout
    let travelling = TravellingCall(call, in: shared.memory)
    ask(.call(travelling, number: number, expiry: expiry, isRepeatable: isRepeatable, priority))
    return number
  }

  /// Hands a call over that has no reply; its bytes are copied. Tells in a later turn that libzmq has taken it, or why not.
  func send(_ call: BorrowedCall, receipt: @escaping (CallFailure?) -> Void) throws(CallFailure) {
    let number = try next(call)
    waiting[number] = .receipt(receipt)
    ask(.send(TravellingCall(call, in: shared.memory), number: number))
  }

  /// Forgets a call: its handler hears no more.
  func cancel(_ number: UInt32) {
    if waiting.removeValue(forKey: number) != nil { ask(.cancel(number: number)) }
  }

  /// Has a call end as if its deadline had passed. Its handler is told in a later turn.
  func expire(_ number: UInt32) { ask(.expire(number: number)) }

  /// The home tells what became of a call.
  func receive(_ outcome: Outcome, of number: UInt32) {
    switch waiting.removeValue(forKey: number) {
    case .reply(let handler): tell(handler, outcome)
    case .receipt(let receipt): receipt(outcome.failure)
    case nil: break
    }
  }

  /// Whether nothing is under way that this shard has handed over.
  var isIdle: Bool { waiting.isEmpty }

  /// Ends what is under way, as far as this shard is concerned. Whether it was sent is not known here, so it may have been.
  func close() {
    isClosed = true
    for number in waiting.keys.sorted() { receive(.failed(CallFailure(.closed, sent: true)), of: number) }
  }

  private func ask(_ request: Request) { home.ask(shared, request, from: shard) }

  /// The number for the next call. Throws what is known at once.
  private func next(_ call: BorrowedCall) throws(CallFailure) -> UInt32 {
    if isClosed { throw CallFailure(.closed, sent: false) }
    guard shared.outgoing?.isUp == true else { throw shared.noBackend }
    guard shared.memory.hasRoom(for: call.count) else { throw CallFailure(.memoryFull, sent: false) }
    repeat { last &+= 1 } while waiting[last] != nil
    return last
  }

  private func tell(_ handler: any ReplyHandler, _ outcome: Outcome) {
    defer { replyTimes = nil }
    switch outcome {
    case .replied(let body, let isException, let times):
      replyTimes = times
      body.withUnsafeBytes { handler.replied($0, isException: isException) }
    case .repliedAtLength(let reply, let times):
      replyTimes = times
      handler.replied(reply)
    case .timedOut(let silence, let percentile95):
      self.percentile95 = percentile95
      handler.timedOut(silence)
    case .failed(let failure): handler.failed(failure)
    case .taken: break
    }
  }
}

extension DistantSocket.Outcome {
  fileprivate var failure: CallFailure? { if case .failed(let failure) = self { failure } else { nil } }
}

/// A call on its way from one shard to another. Its bytes count in the memory until it has arrived.
final class TravellingCall: Sendable {
  let call: CopiedCall
  private let memory: MemoryBudget

  init(_ call: BorrowedCall, in memory: MemoryBudget) {
    self.call = CopiedCall(copying: call)
    self.memory = memory
    if self.call.count >= MemoryBudget.smallest { memory.take(self.call.count) }
  }

  deinit { if call.count >= MemoryBudget.smallest { memory.give(call.count) } }
}
