import MessagePack
import Reactor
import ZeroMQ
import ZeroMQRPC

/// A reply that is longer than `http.limits.inline`, and how it becomes an outcome: beside the shard, for transcoding may take seconds,
/// and all else on the shard would wait for it. It is made once, on any thread, unless it is cancelled first.
///
/// The reply is kept, not copied, and counts in the memory until it has been read.
final class LongReplyWork: Sendable {
  /// Nil when it was taken or is not wanted any more.
  private let held: Guarded<HeldReply?>
  private let method: MethodName
  private let replies: ReplyReader
  private let format: ResultFormat
  private let isTagged: Bool
  private let times: ReplyTimes?
  private let occurrence: Problem.Occurrence
  private let memory: MemoryBudget

  /// Nil when there is no room for the reply.
  init?(
    _ reply: LongReply, to method: MethodName, _ replies: ReplyReader, as format: ResultFormat, isTagged: Bool,
    after times: ReplyTimes?, at occurrence: Problem.Occurrence, in memory: MemoryBudget
  ) {
    guard let reply = HeldReply(reply, in: memory) else { return nil }
    held = Guarded(reply)
    self.method = method
    self.replies = replies
    self.format = format
    self.isTagged = isTagged
    self.times = times
    self.occurrence = occurrence
    self.memory = memory
  }

  /// Lets the reply go, unless it is being read already.
  func cancel() { _ = held.withLock { $0.take() } }

  /// Makes the outcome; nil when nobody wants it.
  func run() -> CallOutcome? {
    var result = ByteBuffer()
    guard let problem = read(into: &result) else { return nil }
    // The reply is let go of by now, so that there is room for what was made of it.
    return .of(result, as: format, problem, isTagged: isTagged, after: times, at: occurrence, in: memory)
  }

  /// Reads the reply; nil when it was taken before.
  private func read(into result: inout ByteBuffer) -> Problem?? {
    guard let taken = held.withLock({ $0.take() }) else { return nil }
    // Its memory counts for as long as it is read.
    defer { withExtendedLifetime(taken) {} }
    let problem = taken.reply.body.withUnsafeBytes {
      replies.read($0, isException: taken.reply.isException, calling: method, as: format, into: &result)
    }
    return .some(problem)
  }
}

/// A reply that counts in the memory for as long as it is held.
private final class HeldReply: Sendable {
  let reply: LongReply
  private let memory: MemoryBudget

  /// Nil when there is no room for it.
  init?(_ reply: LongReply, in memory: MemoryBudget) {
    guard memory.hasRoom(for: reply.body.count) else { return nil }
    memory.take(reply.body.count)
    self.reply = reply
    self.memory = memory
  }

  deinit { memory.give(reply.body.count) }
}
