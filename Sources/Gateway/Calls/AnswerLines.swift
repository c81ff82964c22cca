import DequeModule
import HTTPServer
import MessagePack
import Reactor

/// Answers to several calls as a stream, each on a line of its own and as soon as it is there.
///
/// A client that reads slowly leaves the answers waiting, which count in the memory, and only the one being written is there twice.
final class AnswerLines<Answer: PartialAnswer>: BodyStream {
  let endsByItself = true
  private let memory: MemoryBudget
  /// What sends it; nil when it is closed.
  private var exchange: Exchange?
  private var whenClosed: (() -> Void)?
  private var waiting: Deque<Answer> = []
  /// No more will come.
  private var isComplete = false
  /// What is being written, and how far.
  private var line: KeptBytes?
  private var offset = 0

  /// A stream that is about to be answered with. It says when it is over, whoever ended it.
  init(on exchange: Exchange, memory: MemoryBudget, whenClosed: @escaping () -> Void) {
    self.exchange = exchange
    self.memory = memory
    self.whenClosed = whenClosed
  }

  func add(_ answer: Answer) {
    guard let exchange else { return }
    waiting.append(answer)
    exchange.wake()
  }

  /// No more will come.
  func end() {
    isComplete = true
    exchange?.wake()
  }

  func read(into room: UnsafeMutableRawBufferPointer) -> StreamRead {
    var free = room
    while !free.isEmpty, let line = line ?? nextLine() {
      offset += free.fill(with: line.bytes, from: offset)
      if offset == line.count { self.line = nil }
    }
    if free.count < room.count { return .bytes(room.count - free.count) }
    return isComplete ? .end : .nothing
  }

  private func nextLine() -> KeptBytes? {
    guard let answer = waiting.popFirst() else { return nil }
    var json = ByteBuffer(capacity: answer.count + 1)
    answer.write(to: &json)
    json.append(UInt8(ascii: "\n"))
    line = KeptBytes(json, in: memory)
    offset = 0
    return line
  }

  func closed() {
    exchange = nil
    waiting = []
    line = nil
    whenClosed.take()?()
  }
}
