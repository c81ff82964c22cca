import MessagePack
import Reactor

/// What one of several calls of a request is answered with: a part of the answer.
protocol PartialAnswer {
  /// The answer to the call of that `id`, which is JSON.
  init(_ outcome: CallOutcome, id: [UInt8])
  /// About how many bytes it writes.
  var count: Int { get }
  func write(to json: inout ByteBuffer)
}

/// Several calls of one request while they are under way, and the answers to them so far.
///
/// The request is answered when the last call has ended, in the order in which the calls were added; or, when it asks for lines, with
/// each answer as it comes. Answers that wait count in `http.limits.memory`; one that has no room becomes a problem in its place.
final class CallGroup<Answer: PartialAnswer>: PendingWork {
  private let request: GatewayRequest
  private let occurrence: Problem.Occurrence
  private let memory: MemoryBudget
  private let books: CallBooks
  private let isSingle: Bool
  /// The answers in their order; nil for those to calls under way.
  private var answers: [Answer?] = []
  private var size = 0
  private var calls: [Call] = []
  private var missing = 0
  private var isStarted = false
  /// The client is gone.
  private var isCancelled = false
  /// Takes the answers as they come; nil when they wait for each other.
  private var lines: AnswerLines<Answer>?

  /// No calls yet. If there will be one that `isSingle`, its answer is the whole; else the answer is an array.
  init(_ request: GatewayRequest, isSingle: Bool = false) {
    self.request = request
    self.isSingle = isSingle
    memory = request.memory
    books = request.callBooks
    occurrence = request.occurrence
  }

  /// Whether nothing was added.
  var isEmpty: Bool { answers.isEmpty }

  /// Adds an answer in the place of a call that cannot be made of what was sent.
  func add(_ answer: Answer, because problem: Problem) { put(answer, problem, at: reserve()) }

  /// Adds a message that was handed over.
  func addAccepted(id: [UInt8]) { put(Answer(.accepted(in: memory), id: id), nil, at: reserve()) }

  /// Adds a message that another shard hands over: `begin` is given what to tell, in a later turn, when that is done, nil or why it is
  /// not. What `begin` throws is thrown, and nothing is added.
  func addReceipt(id: [UInt8], _ begin: (@escaping (Problem?) -> Void) throws(Problem) -> Void) throws(Problem) {
    let place = answers.count
    try begin { problem in
      if self.isCancelled { return }
      let outcome = problem.map { CallOutcome($0, at: self.occurrence, in: self.memory) }
      self.ended(outcome ?? .accepted(in: self.memory), id, at: place)
    }
    _ = reserve()
  }

  /// Adds a problem in the place of a call.
  func add(_ problem: Problem, id: [UInt8]) {
    put(Answer(CallOutcome(problem, at: occurrence, in: memory), id: id), problem, at: reserve())
  }

  /// Adds a call and starts it; its arguments lie in the buffer. What that throws is its answer.
  func add(
    _ method: MethodName, of upstream: RPCUpstream, id: [UInt8], _ frames: CallFrames, in buffer: borrowing ByteBuffer,
    asking timeout: Duration?
  ) {
    let place = reserve()
    let trace = request.notes?.trace?.takeCall()
    let call = Call(method, of: upstream, at: occurrence) { outcome in
      trace?.end(outcome.times, outcome.problem)
      self.request.notes?.add(outcome.times)
      self.ended(outcome, id, at: place)
    }
    do throws(Problem) {
      try call.start(frames, in: buffer, asking: timeout)
      calls.append(call)
    } catch {
      trace?.end(nil, error)
      put(Answer(CallOutcome(error, at: occurrence, in: memory), id: id), error, at: place)
    }
  }

  /// All were added: answers when all have ended.
  func answer() {
    isStarted = true
    if missing == 0 { finish() } else { request.waits(for: self) }
  }

  /// All were added: answers with a stream of lines.
  func answer(lines type: StaticString) {
    isStarted = true
    let lines = AnswerLines<Answer>(on: request.exchange, memory: memory) { self.cancel() }
    self.lines = lines
    request.answer(200, type, headers: [("Cache-Control", "no-store"), ("X-Accel-Buffering", "no")], stream: lines)
    for case let answer? in answers { lines.add(answer) }
    answers = []
    if missing == 0, self.lines != nil { finish() }
  }

  private func reserve() -> Int {
    answers.append(nil)
    missing += 1
    books.begin()
    return answers.count - 1
  }

  private func ended(_ outcome: CallOutcome, _ id: [UInt8], at place: Int) {
    let answer = Answer(outcome, id: id)
    // All of them will be joined, and are there twice then.
    if memory.hasRoom(for: size + answer.count) {
      put(answer, outcome.problem, at: place)
    } else {
      let problem = Problem.noMemory(forAnswer: outcome.body.count)
      put(Answer(CallOutcome(problem, at: occurrence, in: memory), id: id), problem, at: place)
    }
    if missing == 0, isStarted { finish() }
  }

  private func put(_ answer: Answer, _ problem: Problem?, at place: Int) {
    missing -= 1
    books.end(problem)
    if let lines { return lines.add(answer) }
    answers[place] = answer
    size += answer.count
  }

  private func finish() {
    calls = []
    if let lines = lines.take() { return lines.end() }
    var json = ByteBuffer(capacity: size + 2)
    if !isSingle { json.append(UInt8(ascii: "[")) }
    for place in answers.indices {
      if place > 0 { json.append(UInt8(ascii: ",")) }
      // Each is let go of when it is copied.
      answers[place].take()?.write(to: &json)
    }
    if !isSingle { json.append(UInt8(ascii: "]")) }
    let body = KeptBytes(json, in: memory)
    request.answer(200, "application/json", body.bytes, keptBy: body)
  }

  /// The client is gone.
  func cancel() {
    guard !isCancelled else { return }
    isCancelled = true
    books.abandon(missing)
    for call in calls { call.cancel() }
    calls = []
    lines = nil
  }
}
