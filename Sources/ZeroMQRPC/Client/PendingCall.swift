import Reactor
import ZeroMQ

extension PendingCalls<PendingCall> {
  /// The bytes of a call, if they are kept.
  func kept(_ number: UInt32) -> KeptCall? { with(number) { $0.kept } ?? nil }

  /// The time is over that a call might wait: one that was sent meanwhile has its own deadline from then on. False when that is over too, or
  /// the call still waits.
  mutating func extend(_ number: UInt32, _ handler: any TimerHandler, on loop: Loop) -> Bool {
    guard let call = self[number], call.isSent, loop.now < call.expiry else { return false }
    return update(number) { $0.deadline = loop.schedule(at: call.expiry, handler, tag: number) }
  }
}

/// A call that waits for a backend or for its reply, as the engine keeps it.
struct PendingCall {
  let handler: any ReplyHandler
  /// Its own, or that for its wait.
  var deadline: Timer
  let expiry: Instant
  /// The connection it was sent on; nil while it waits.
  var connection: BackendConnection?
  let called: Instant
  /// When it was sent; until then, when it was called.
  var sent: Instant
  /// How many calls its connection had answered when it was sent.
  var answeredBefore: UInt32
  let measurement: MethodLatencies.Measurement
  /// Its bytes, while it waits or may be sent once more.
  var kept: KeptCall?
  /// Whether it may have run: it is sent, or was.
  var isSent: Bool { connection != nil || kept?.wasSent == true }

  /// Another connection has it now, or it waits.
  mutating func moves(to other: BackendConnection?, at now: Instant) {
    connection = other
    sent = now
    answeredBefore = other?.answeredCalls ?? 0
  }

  /// Hands over the second frame of a reply, in the way that is for one of its length.
  func replied(_ message: borrowing ReceivedMessage, _ isException: Bool, _ longest: Int, _ longestShort: Int) {
    let length = message[1].count
    guard length <= longest else { return handler.failed(CallFailure(.replyTooLarge, sent: true)) }
    if length <= longestShort { return handler.replied(message[1], isException: isException) }
    handler.replied(LongReply(body: message.keep(1), isException: isException, deadline: expiry))
  }
}
