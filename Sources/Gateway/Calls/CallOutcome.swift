import HTTPServer
import MessagePack
import Reactor
import ZeroMQRPC

/// What a call came to: its result, or the problem in its place; of one without a reply, that it was accepted. Nobody changes it any
/// more, so it may be kept, shared and passed between threads; its bytes count in the memory for as long as it lives.
final class CallOutcome: Sendable {
  /// Nil for a result.
  let problem: Problem?
  /// The tag of a result, if it was asked for.
  let tag: String?
  /// The result in the format that was asked for, or the document of the problem.
  let body: KeptBytes
  let status: Int
  /// The format of a result.
  let format: ResultFormat
  /// How long the call took; nil when it has no reply.
  let times: ReplyTimes?

  /// A call that has no result.
  init(
    _ problem: Problem, after times: ReplyTimes? = nil, at occurrence: Problem.Occurrence, in memory: MemoryBudget
  ) {
    self.times = times
    self.problem = problem.at(occurrence)
    status = problem.status
    format = .json
    tag = nil
    var document = ByteBuffer()
    problem.at(occurrence).json(prefix: occurrence.prefix).withUnsafeBytes { document.append($0) }
    body = KeptBytes(document, in: memory)
  }

  /// A result.
  private init(
    _ result: consuming ByteBuffer, as format: ResultFormat = .json, status: Int = 200, isTagged: Bool,
    after times: ReplyTimes? = nil, in memory: MemoryBudget
  ) {
    self.times = times
    problem = nil
    self.status = status
    self.format = format
    tag = isTagged ? result.withUnsafeBytes(EntityTag.of) : nil
    body = KeptBytes(result, in: memory)
  }

  /// A message was handed over, to which there is no reply.
  static func accepted(in memory: MemoryBudget) -> CallOutcome {
    var json = ByteBuffer(capacity: 32)
    json.append(#"{"accepted":true}"#)
    return CallOutcome(json, status: 202, isTagged: false, in: memory)
  }

  /// What was made of a reply; when there is no room for it, the problem that says so.
  static func of(
    _ result: consuming ByteBuffer, as format: ResultFormat, _ problem: Problem?, isTagged: Bool,
    after times: ReplyTimes?, at occurrence: Problem.Occurrence, in memory: MemoryBudget
  ) -> CallOutcome {
    if let problem { return CallOutcome(problem, after: times, at: occurrence, in: memory) }
    let count = result.count
    guard memory.hasRoom(for: count) else {
      return CallOutcome(.noMemory(forAnswer: count), after: times, at: occurrence, in: memory)
    }
    return CallOutcome(result, as: format, isTagged: isTagged, after: times, in: memory)
  }
}

extension GatewayRequest {
  /// Answers with what a call came to. Nothing is copied.
  func answer(_ outcome: CallOutcome, headers: [(StaticString, String)] = []) {
    if let problem = outcome.problem {
      answer(problem, document: outcome.body.bytes, headers: headers, keptBy: outcome.body)
    } else {
      answer(result: outcome.body.bytes, as: outcome.format, tag: outcome.tag, headers: headers, keptBy: outcome.body)
    }
  }
}

/// Bytes that nobody changes any more. They count in the memory for as long as they are kept, short ones too: there may be many.
final class KeptBytes: Sendable {
  private let buffer: ByteBuffer
  private let memory: MemoryBudget

  /// Keeps them whether there is room or not: they are there already.
  init(_ buffer: consuming ByteBuffer, in memory: MemoryBudget) {
    memory.take(buffer.count)
    self.buffer = buffer
    self.memory = memory
  }

  deinit { memory.give(buffer.count) }

  var count: Int { buffer.count }

  /// Valid for as long as this object lives.
  var bytes: UnsafeRawBufferPointer { buffer.withUnsafeBytes { $0 } }
}
