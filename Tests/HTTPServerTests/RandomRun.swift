import Support
import Testing

@testable import HTTPServer

/// Plays libmicrohttpd, client and handler against a state, and keeps the books that the rules are about.
struct RandomRun {
  private var state = ExchangeState()
  private var isSuspended = false
  /// The handler was given the head, and its answer is missing.
  private var handlerOwes = false
  private var streams = 0
  private var requests = 0
  private var isClosed = false

  mutating func step(_ random: inout SplitMix) {
    switch UInt8.random(in: 0..<22, using: &random) {
    case 0...2: perform(state.requestBegan())
    case 3...5: arrive(bytes: Int.random(in: 0...1, using: &random), &random)
    case 6: answer(isStream: false, &random)
    case 7: answer(isStream: true, &random)
    case 8...9: perform(state.woken())
    // A suspended connection is not read, and libmicrohttpd ends no request of it.
    case 10...12 where !isSuspended: read(&random)
    case 13 where !isSuspended: perform(state.requestEnded())
    case 14: perform(state.expired())
    case 15 where Bool.random(using: &random): perform(state.hungUp())
    case 16 where Bool.random(using: &random): perform(state.halfClosed())
    case 17 where UInt8.random(in: 0..<8, using: &random) == 0: perform(state.drop())
    case 18: perform(state.requestArrives())
    case 19: perform(state.drained())
    case 20 where isSuspended: write(&random)
    case 21: perform(state.hasRoom())
    default: break
    }
  }

  /// As the server stops: all that is suspended is resumed, and every request and connection is ended.
  mutating func close() {
    perform(state.drop())
    #expect(!isSuspended)
    perform(state.requestEnded())
    perform(state.connectionClosed())
    #expect(isClosed && !handlerOwes && streams == 0 && requests == 0)
    for event in ExchangeTable.Event.allCases {
      #expect(event.happen(to: &state).subtracting(.breakStream) == [])
    }
  }

  private mutating func arrive(bytes: Int, _ random: inout SplitMix) {
    guard !isSuspended else { return }
    switch state.arrived(bytes: bytes) {
    case .head:
      handlerOwes = true
      if Bool.random(using: &random) { answer(isStream: false, &random) }
      if !state.isAnswered { perform(state.headAccepted()) }
    case .complete:
      #expect(handlerOwes)
      if Bool.random(using: &random) { answer(isStream: Bool.random(using: &random), &random) }
      perform(state.handlerReturned())
    case .body, .discard: break
    case .close: perform(state.requestEnded())
    }
  }

  private mutating func answer(isStream: Bool, _ random: inout SplitMix) {
    if isStream, state.owesAnswer {
      streams += 1
      handlerOwes = false
      let isQueued = !state.isHalfClosed && UInt8.random(in: 0..<8, using: &random) > 0
      return perform(state.answered(isQueued: isQueued, isStream: true))
    }
    switch state.path(bodyFollows: Bool.random(using: &random)) {
    case .library:
      handlerOwes = false
      perform(state.answered(isQueued: UInt8.random(in: 0..<8, using: &random) > 0, isStream: false))
    case .socket:
      handlerOwes = false
      perform(state.answeredDirectly())
    case .none: #expect(!handlerOwes)
    }
  }

  private mutating func read(_ random: inout SplitMix) {
    guard state.readBegan(byLibrary: true) else { return }
    #expect(streams == 1)
    if Bool.random(using: &random) { perform(state.woken()) }
    if UInt8.random(in: 0..<16, using: &random) == 0 { perform(state.drop()) }
    let reads: [StreamRead] = [.bytes(1), .all(1), .nothing, .nothing, .end, .bytes(0)]
    perform(state.readEnded(reads.randomElement(using: &random) ?? .end, room: 1))
  }

  private mutating func write(_ random: inout SplitMix) {
    guard state.readBegan(byLibrary: false) else { return }
    #expect(streams == 1)
    if Bool.random(using: &random) { perform(state.woken()) }
    if UInt8.random(in: 0..<16, using: &random) == 0 { perform(state.drop()) }
    perform(state.written(ChunkWriter.Written.allCases.randomElement(using: &random) ?? .all))
  }

  private mutating func perform(_ actions: ExchangeState.Actions) {
    #expect(!isClosed || actions == [])
    if actions.contains(.beginRequest) {
      #expect(requests == 0)
      requests += 1
    }
    if actions.contains(.abandon) {
      #expect(handlerOwes)
      handlerOwes = false
    }
    if actions.contains(.closeStream) {
      #expect(streams == 1)
      streams -= 1
    }
    if actions.contains(.endRequest) {
      #expect(requests == 1 && !handlerOwes && streams == 0)
      requests -= 1
    }
    if actions.contains(.suspend) {
      #expect(!isSuspended)
      isSuspended = true
    }
    if actions.contains(.resume) {
      #expect(isSuspended)
      isSuspended = false
    }
    if actions.contains(.refuse), state.path(bodyFollows: true) == .socket {
      handlerOwes = false
      perform(state.answeredDirectly())
    }
    if actions.contains(.endConnection) { isClosed = true }
    #expect(state.isSuspended == isSuspended)
  }
}
