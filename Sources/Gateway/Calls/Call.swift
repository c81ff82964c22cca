import MessagePack
import Reactor
import ZeroMQ
import ZeroMQRPC

/// A call whose outcome is kept: it tells its owner once what it came to.
///
/// It is what everything is made of that is more than one request and one reply: several calls in one request, calls that outlive
/// their request, requests that share a call. A plain call has a `PendingReply` instead, which copies less; but where its reply is
/// long it goes on as one of these.
///
/// The engine holds it until the reply comes. A reply longer than `http.limits.inline` is then turned into JSON beside the shard; all
/// shards share one thread for it, so such replies wait for each other and for nothing else. The call's deadline goes on.
final class Call: ReplyHandler, TimerHandler, PendingWork {
  let method: MethodName
  let upstream: RPCUpstream
  private let occurrence: Problem.Occurrence
  private let format: ResultFormat
  private let isTagged: Bool
  /// Nil when the call has ended or is not wanted any more.
  private var completion: ((CallOutcome) -> Void)?
  /// Its number at the engine, to cancel it by; nil when the engine has told of its end.
  private var number: UInt32?
  /// A long reply that is being read, and the deadline for it.
  private var work: LongReplyWork?
  private var deadline: Timer?

  /// A call that is not made yet. `occurrence` is the request in whose name it is made, which its problem names; a result is written
  /// in that format, and has a tag if it is to be tagged. The completion is called once, on the shard's thread and in a later turn
  /// than `start`, unless the call is cancelled first.
  init(
    _ method: MethodName, of upstream: RPCUpstream, at occurrence: Problem.Occurrence, as format: ResultFormat = .json,
    isTagged: Bool = false, completion: @escaping (CallOutcome) -> Void
  ) {
    self.method = method
    self.upstream = upstream
    self.occurrence = occurrence
    self.format = format
    self.isTagged = isTagged
    self.completion = completion
  }

  /// Hands the call to the engine. Its arguments lie in the buffer, and are copied; `timeout` is what the caller asks for, if it does.
  /// Throws what is known at once, and the completion then hears nothing.
  func start(_ frames: CallFrames, in buffer: borrowing ByteBuffer, asking timeout: Duration?) throws(Problem) {
    do throws(Problem) {
      number = try upstream.call(method, frames, in: buffer, asking: timeout, replyTo: self)
    } catch {
      completion = nil
      throw error
    }
  }

  /// Nobody wants the outcome any more: the call's place is free again, though the backend cannot be told.
  func cancel() {
    completion = nil
    if let number = number.take() { upstream.cancel(number) }
    stopReading()
  }

  /// Ends the call now, as if its deadline had passed. True when the completion has been told before this returns; false when another
  /// shard has to be asked, and it is in a later turn.
  func expire() -> Bool {
    if let number { return upstream.expire(number) }
    end(.replyTakesTooLong)
    return true
  }

  /// What one is told who stops waiting for the call while it goes on: a deadline of its own has passed.
  var overdue: Problem {
    guard let number else { return .replyTakesTooLong }
    let isSent = upstream.isSent(number)
    return Problem(CallFailure(isSent ? .timeout : .queueTimeout, sent: isSent))
  }

  // MARK: The engine tells

  func replied(_ body: UnsafeRawBufferPointer, isException: Bool) {
    var result = ByteBuffer()
    let problem = upstream.replies.read(
      body, isException: isException, calling: method, as: format, into: &result)
    end(
      .of(
        result, as: format, problem, isTagged: isTagged, after: upstream.replyTimes, at: occurrence,
        in: upstream.memory))
  }

  /// Too long for this thread: another one makes the outcome of it.
  func replied(_ reply: LongReply) {
    number = nil
    guard
      let work = LongReplyWork(
        reply, to: method, upstream.replies, as: format, isTagged: isTagged, after: upstream.replyTimes,
        at: occurrence, in: upstream.memory)
    else { return end(.noMemory(forAnswer: reply.body.count)) }
    self.work = work
    deadline = upstream.loop.schedule(at: reply.deadline, self)
    // The timer holds this object until it has ended. Safe: only the shard's thread looks at it, in what is submitted.
    nonisolated(unsafe) weak let call = self
    upstream.beside { reactor in
      guard let outcome = work.run() else { return }
      reactor.submit { call?.end(outcome) }
    }
  }

  func timedOut(_ silence: Silence) {
    let times = ReplyTimes(queued: silence.queued, waited: silence.waited, endpoint: nil)
    end(
      CallOutcome(
        Problem(silence, calling: method, at: upstream), after: times, at: occurrence, in: upstream.memory))
  }

  func failed(_ failure: CallFailure) { end(Problem(failure)) }

  /// The long reply could not be read in time.
  func fired(_ timer: Timer) {
    deadline = nil
    end(.replyTakesTooLong)
  }

  private func end(_ problem: Problem) { end(CallOutcome(problem, at: occurrence, in: upstream.memory)) }

  private func end(_ outcome: CallOutcome) {
    number = nil
    stopReading()
    completion.take()?(outcome)
  }

  private func stopReading() {
    work.take()?.cancel()
    if let deadline = deadline.take() { upstream.loop.cancel(deadline) }
  }
}
