import HTTPServer
import MessagePack
import Reactor

/// What a call came to: its result, or the problem in its place. Nobody changes it any more, so it may be kept, shared and passed
/// between threads; its bytes count in the memory for as long as it lives.
final class CallOutcome: Sendable {
  /// Nil for a result.
  let problem: Problem?
  /// The tag of a result, if it was asked for.
  let tag: String?
  /// The result in the format that was asked for, or the document of the problem.
  let body: KeptBytes

  var status: Int { problem?.status ?? 200 }

  /// A call that has no result.
  init(_ problem: Problem, at occurrence: Problem.Occurrence, in memory: MemoryBudget) {
    self.problem = problem.at(occurrence)
    tag = nil
    var document = ByteBuffer()
    problem.at(occurrence).json(prefix: occurrence.prefix).withUnsafeBytes { document.append($0) }
    body = KeptBytes(document, in: memory)
  }

  /// A result.
  private init(_ result: consuming ByteBuffer, isTagged: Bool, in memory: MemoryBudget) {
    problem = nil
    tag = isTagged ? result.withUnsafeBytes(EntityTag.of) : nil
    body = KeptBytes(result, in: memory)
  }

  /// What was made of a reply; when there is no room for it, the problem that says so.
  static func of(
    _ result: consuming ByteBuffer, _ problem: Problem?, isTagged: Bool, at occurrence: Problem.Occurrence,
    in memory: MemoryBudget
  ) -> CallOutcome {
    if let problem { return CallOutcome(problem, at: occurrence, in: memory) }
    let count = result.count
    guard memory.hasRoom(for: count) else {
      return CallOutcome(.noMemory(forAnswer: count), at: occurrence, in: memory)
    }
    return CallOutcome(result, isTagged: isTagged, in: memory)
  }
}

extension GatewayRequest {
  /// Answers with what a call came to. Nothing is copied.
  func answer(_ outcome: CallOutcome) {
    if let problem = outcome.problem {
      answer(problem, document: outcome.body.bytes, keptBy: outcome.body)
    } else {
      answer(result: outcome.body.bytes, tag: outcome.tag, keptBy: outcome.body)
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
