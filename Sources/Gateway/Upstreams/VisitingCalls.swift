import Reactor
import ZeroMQRPC

/// The calls of other shards at the shard that has the service's socket: hands them to its engine, and tells each shard what became of
/// them (see `DistantSocket`).
final class VisitingCalls {
  fileprivate struct Visitor: Hashable {
    let shard: ObjectIdentifier
    let number: UInt32
  }

  fileprivate let service: SharedService
  fileprivate let engine: CallEngine
  private let loop: Loop
  /// The engine's numbers of the calls that are under way.
  private var numbers: [Visitor: UInt32] = [:]

  init(_ service: SharedService, at engine: CallEngine, on loop: Loop) {
    self.service = service
    self.engine = engine
    self.loop = loop
  }

  /// Does what another shard asks.
  func receive(_ request: DistantSocket.Request, from shard: Shard) {
    switch request {
    case .call(let call, let number, let expiry, let isRepeatable, let priority):
      let visitor = Visitor(shard: ObjectIdentifier(shard), number: number)
      let failure = begin(
        call, of: visitor, from: shard, until: expiry, isRepeatable: isRepeatable, priority: priority)
      if let failure { shard.tell(service, .failed(failure), of: number) }
    case .cancel(let number):
      let visitor = Visitor(shard: ObjectIdentifier(shard), number: number)
      if let number = numbers.removeValue(forKey: visitor) { engine.cancel(number) }
    case .expire(let number):
      if let number = numbers[Visitor(shard: ObjectIdentifier(shard), number: number)] { engine.expire(number) }
    case .send(_, let number): shard.tell(service, .failed(CallFailure(.closed, sent: false)), of: number)
    }
  }

  /// Returns what stands in the way.
  private func begin(
    _ call: TravellingCall, of visitor: Visitor, from shard: Shard, until expiry: Instant, isRepeatable: Bool,
    priority: CallPriority
  ) -> CallFailure? {
    // The way here has taken all the time there was.
    guard expiry > loop.now else { return CallFailure(.queueTimeout, sent: false) }
    return call.call.lend { call in
      do throws(CallFailure) {
        numbers[visitor] = try engine.call(
          call, timeout: expiry - loop.now, isRepeatable: isRepeatable, priority: priority,
          replyTo: VisitingCall(call.method, of: visitor, from: shard, at: self))
        return nil
      } catch {
        return error
      }
    }
  }

  fileprivate var replyTimes: ReplyTimes? { engine.currentReply.times(at: loop.now) }

  fileprivate func ended(_ visitor: Visitor) { numbers[visitor] = nil }
}

/// One call of another shard. The engine holds it until the call has ended.
private final class VisitingCall: ReplyHandler {
  private let method: [UInt8]
  private let visitor: VisitingCalls.Visitor
  private let shard: Shard
  // Safe: what keeps the calls of a service also keeps its engine, and closes that before it goes; a closed engine tells nothing more.
  private unowned let calls: VisitingCalls

  init(_ method: UnsafeRawBufferPointer, of visitor: VisitingCalls.Visitor, from shard: Shard, at calls: VisitingCalls)
  {
    self.method = Array(method)
    self.visitor = visitor
    self.shard = shard
    self.calls = calls
  }

  func replied(_ body: UnsafeRawBufferPointer, isException: Bool) {
    end(.replied(Array(body), isException: isException, calls.replyTimes))
  }

  func replied(_ reply: LongReply) { end(.repliedAtLength(reply, calls.replyTimes)) }

  func timedOut(_ silence: Silence) {
    end(.timedOut(silence, percentile95: calls.engine.percentile95(of: String(decoding: method, as: UTF8.self))))
  }

  func failed(_ failure: CallFailure) { end(.failed(failure)) }

  private func end(_ outcome: DistantSocket.Outcome) {
    calls.ended(visitor)
    shard.tell(calls.service, outcome, of: visitor.number)
  }
}
