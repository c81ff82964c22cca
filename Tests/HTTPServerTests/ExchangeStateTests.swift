import Support
import Testing

@testable import HTTPServer

@Suite("The state of an exchange", .timeLimit(.minutes(1)))
struct ExchangeStateTests {
  typealias Phase = ExchangeState.Phase
  typealias Actions = ExchangeState.Actions

  /// What can happen to an exchange and returns actions.
  enum Event: CaseIterable {
    case requestArrives, requestBegan, headAccepted, handlerReturned
    case queued, notQueued, streamQueued, streamNotQueued, answeredDirectly, drained
    case woken, readSome, readAll, readTooMuch, readNothing, readEnd
    case writtenAll, writtenSome, writtenBlocked, writtenEnd, writtenBroken, hasRoom
    case expired, hungUp, halfClosed, requestEnded, connectionClosed, drop

    func happen(to state: inout ExchangeState) -> Actions {
      switch self {
      case .requestArrives: state.requestArrives()
      case .requestBegan: state.requestBegan()
      case .headAccepted: state.headAccepted()
      case .handlerReturned: state.handlerReturned()
      case .queued: state.answered(isQueued: true, isStream: false)
      case .notQueued: state.answered(isQueued: false, isStream: false)
      case .streamQueued: state.answered(isQueued: true, isStream: true)
      case .streamNotQueued: state.answered(isQueued: false, isStream: true)
      case .answeredDirectly: state.answeredDirectly()
      case .drained: state.drained()
      case .woken: state.woken()
      case .readSome: state.readEnded(.bytes(8), room: 8)
      case .readAll: state.readEnded(.all(8), room: 8)
      case .readTooMuch: state.readEnded(.bytes(9), room: 8)
      case .readNothing: state.readEnded(.nothing, room: 8)
      case .readEnd: state.readEnded(.end, room: 8)
      case .writtenAll: state.written(.all)
      case .writtenSome: state.written(.some)
      case .writtenBlocked: state.written(.blocked)
      case .writtenEnd: state.written(.end)
      case .writtenBroken: state.written(.broken)
      case .hasRoom: state.hasRoom()
      case .expired: state.expired()
      case .hungUp: state.hungUp()
      case .halfClosed: state.halfClosed()
      case .requestEnded: state.requestEnded()
      case .connectionClosed: state.connectionClosed()
      case .drop: state.drop()
      }
    }
  }

  /// The phase after an event and what is to be done; events do nothing in phases they do not name.
  static let drops: [Phase: (Phase, Actions)] = [
    .idle: (.ended, [.expectNothing, .shutDown]),
    .arriving: (.ended, [.expectNothing, .shutDown]),
    .head: (.dropped, [.expectNothing, .shutDown]),
    .body: (.dropped, [.abandon, .expectNothing, .shutDown]),
    .handling: (.dropped, [.abandon, .expectNothing, .shutDown]),
    .pending: (.dropped, [.abandon, .expectNothing, .shutDown, .resume]),
    .answered: (.dropped, [.expectNothing, .shutDown]),
    .streaming: (.dropped, [.closeStream, .expectNothing, .shutDown]),
    .reading: (.dropped, [.closeStream, .expectNothing, .shutDown]),
    .readingWoken: (.dropped, [.closeStream, .expectNothing, .shutDown]),
    .sleeping: (.dropped, [.closeStream, .expectNothing, .shutDown, .resume]),
    .blocked: (.dropped, [.closeStream, .expectNothing, .shutDown, .resume]),
    .lingering: (.dropped, [.expectNothing, .shutDown]),
  ]
  static let streaming: [Phase] = [.streaming, .reading, .readingWoken, .sleeping, .blocked]
  static let open: [Phase] =
    [.head, .body, .handling, .pending, .answered] + streaming + [.lingering, .dropped]

  static func debts(_ phase: Phase) -> Actions {
    [.body, .handling, .pending].contains(phase) ? [.abandon] : streaming.contains(phase) ? [.closeStream] : []
  }

  static func reading(_ next: Phase, _ actions: Actions) -> [Phase: (Phase, Actions)] {
    [.reading: (next, actions), .readingWoken: (next, actions)]
  }

  static func table(_ event: Event) -> [Phase: (Phase, Actions)] {
    switch event {
    case .requestArrives: [.idle: (.arriving, [.expectHead])]
    case .requestBegan: [.idle: (.head, [.beginRequest, .expectHead]), .arriving: (.head, [.beginRequest])]
    case .headAccepted: [.head: (.body, [.expectBody])]
    case .handlerReturned: [.handling: (.pending, [.suspend])]
    case .queued:
      [
        .head: (.answered, [.expectReader]), .handling: (.answered, [.expectReader]),
        .pending: (.answered, [.resume, .expectReader]),
      ]
    case .notQueued:
      [
        .head: (.dropped, [.expectNothing, .shutDown]), .handling: (.dropped, [.expectNothing, .shutDown]),
        .pending: (.dropped, [.expectNothing, .shutDown, .resume]),
      ]
    case .streamQueued:
      [
        .head: (.streaming, [.expectReader]), .handling: (.streaming, [.expectReader]),
        .pending: (.streaming, [.resume, .expectReader]),
      ]
    case .streamNotQueued:
      [
        .head: (.dropped, [.closeStream, .expectNothing, .shutDown]),
        .handling: (.dropped, [.closeStream, .expectNothing, .shutDown]),
        .pending: (.dropped, [.closeStream, .expectNothing, .shutDown, .resume]),
      ]
    case .answeredDirectly:
      [.head: (.lingering, [.expectEnd]), .body: (.lingering, [.expectEnd])]
    case .drained: [.sleeping: (.sleeping, [.expectNothing])]
    case .woken: [.sleeping: (.streaming, [.write, .expectReader]), .reading: (.readingWoken, [])]
    case .writtenAll: [.reading: (.sleeping, []), .readingWoken: (.streaming, [.write])]
    case .writtenSome: reading(.streaming, [.write])
    case .writtenBlocked: reading(.blocked, [.awaitRoom])
    case .writtenEnd: reading(.streaming, [.resume])
    case .writtenBroken: reading(.dropped, [.closeStream, .expectNothing, .shutDown])
    case .hasRoom: [.blocked: (.streaming, [.write])]
    case .readSome, .readAll, .readEnd, .readTooMuch, .readNothing:
      Dictionary(
        uniqueKeysWithValues: Phase.allCases.map { phase in
          switch phase {
          case .reading where event == .readNothing: (phase, (.sleeping, [.suspend]))
          case .readingWoken where event == .readNothing: (phase, (.streaming, [.suspend, .write]))
          case .reading, .readingWoken: (phase, (.streaming, event == .readTooMuch ? [.breakStream] : []))
          default: (phase, (phase, [.breakStream]))
          }
        })
    case .expired:
      drops.merging([
        .idle: (.idle, [.shutDown]), .arriving: (.arriving, [.shutDown]), .head: (.head, [.shutDown]),
        .lingering: (.lingering, [.shutDown]), .body: (.body, [.refuse]),
      ]) { $1 }
    case .hungUp: drops.filter { ([.handling, .pending] + streaming).contains($0.key) }
    case .halfClosed:
      Dictionary(
        uniqueKeysWithValues: [.idle, .arriving, .head, .body, .handling, .pending].map { ($0, ($0, .expectEnd)) }
      ).merging(drops.filter { streaming.contains($0.key) }) { $1 }
    case .requestEnded:
      Dictionary(
        uniqueKeysWithValues: open.map { phase in
          phase == .dropped
            ? (phase, (.ended, [.endRequest]))
            : (phase, (.idle, debts(phase).union([.endRequest, .expectRequest])))
        })
    case .connectionClosed:
      Dictionary(
        uniqueKeysWithValues: Phase.allCases.filter { $0 != .closed }.map { phase in
          let request: Actions = open.contains(phase) ? debts(phase).union(.endRequest) : []
          return (phase, (.closed, request.union(.endConnection)))
        })
    case .drop: drops
    }
  }

  @Test("each event in each phase does what it should", arguments: Event.allCases)
  func event(_ event: Event) {
    let table = Self.table(event)
    for phase in Phase.allCases {
      var state = ExchangeState(phase)
      let actions = event.happen(to: &state)
      let (next, expected) = table[phase] ?? (phase, [])
      #expect(state.phase == next, "\(event) in \(phase)")
      #expect(actions == expected, "\(event) in \(phase)")
      #expect(state.isHalfClosed == (event == .halfClosed))
    }
  }

  @Test("what arrives goes where it belongs", arguments: Phase.allCases)
  func arrival(phase: Phase) {
    for bytes in [0, 1] {
      var state = ExchangeState(phase)
      let arrival = state.arrived(bytes: bytes)
      switch phase {
      case .head: #expect(arrival == .head)
      case .body: #expect(arrival == (bytes > 0 ? .body : .complete))
      case .answered, .streaming, .reading, .readingWoken, .sleeping, .blocked, .lingering:
        #expect(arrival == (bytes > 0 ? .discard : .close))
      case .idle, .arriving, .handling, .pending, .dropped, .ended, .closed: #expect(arrival == .close)
      }
      #expect(state.phase == (arrival == .complete ? .handling : phase))
    }
  }

  @Test("an answer takes its way", arguments: Phase.allCases)
  func path(phase: Phase) {
    let state = ExchangeState(phase)
    for bodyFollows in [false, true] {
      let path = state.path(bodyFollows: bodyFollows)
      switch phase {
      case .head: #expect(path == (bodyFollows ? .socket : .library))
      case .body: #expect(path == .socket)
      case .handling, .pending: #expect(path == .library)
      default: #expect(path == .none)
      }
    }
    #expect(state.isAnswered == ![.idle, .arriving, .head, .body, .handling, .pending].contains(phase))
  }

  @Test(
    "what libmicrohttpd refuses by itself is answered in its place, unless an answer was given",
    arguments: Phase.allCases)
  func libraryRefuses(phase: Phase) {
    for path in [ExchangeState.Path.library, .socket] {
      var state = ExchangeState(phase)
      let actions = state.libraryRefuses(path)
      guard [.idle, .arriving, .head, .body].contains(phase) else {
        #expect(actions == nil)
        #expect(state.phase == phase)
        continue
      }
      #expect(actions == ([.idle, .arriving].contains(phase) ? [.beginRequest] : []))
      #expect(state.path(bodyFollows: false) == path)
    }
  }

  @Test("a client that half-closes keeps its grace, and is told so once")
  func halfClosed() {
    var state = ExchangeState(.handling, isHalfClosed: true)
    #expect(state.halfClosed() == [])
    #expect(state.handlerReturned() == [.expectEnd, .suspend])
    #expect(state.halfClosed() == [])
    #expect(state.path(bodyFollows: false) == .library)
    #expect(state.answered(isQueued: true, isStream: false) == [.resume, .expectReader])
    // Another request may stand behind it.
    #expect(state.requestEnded() == [.endRequest, .expectEnd])
    #expect(state.requestBegan() == [.beginRequest])
    #expect(state.isHalfClosed)
  }

  @Test("nothing gives a client that has half-closed more than its grace")
  func grace() {
    var state = ExchangeState(.idle)
    #expect(state.halfClosed() == [.expectEnd])
    #expect(state.requestArrives() == [])
    #expect(state.requestBegan() == [.beginRequest])
    #expect(state.headAccepted() == [])
    var late = state
    // A body that will not come is no matter of its speed.
    #expect(late.expired() == [.abandon, .expectNothing, .shutDown])
    #expect(late.phase == .dropped)
    #expect(state.arrived(bytes: 0) == .complete)
    #expect(state.path(bodyFollows: false) == .library)
    #expect(state.answered(isQueued: true, isStream: false) == [.expectReader])
    #expect(state.requestEnded() == [.endRequest, .expectEnd])
  }

  @Test("a client that half-closes gets the rest of a stream that ends by itself, and the grace while that has nothing")
  func halfClosedPieces() {
    var state = ExchangeState(.handling)
    #expect(state.answered(isQueued: true, isStream: true, endsByItself: true) == [.expectReader])
    var early = state
    #expect(early.halfClosed() == [])
    let before = early.readBegan(byLibrary: true)
    #expect(before && early.readEnded(.nothing, room: 8) == [.suspend])
    #expect(early.drained() == [.expectEnd])
    let during = state.readBegan(byLibrary: true)
    #expect(during && state.readEnded(.nothing, room: 8) == [.suspend])
    var untaken = state
    #expect(untaken.halfClosed() == [], "what it has not taken yet has the reader's clock")
    #expect(untaken.drained() == [.expectEnd])
    #expect(state.drained() == [.expectNothing])
    #expect(state.halfClosed() == [.expectEnd])
    #expect(state.woken() == [.write, .expectReader])
    #expect(state.requestEnded() == [.closeStream, .endRequest, .expectEnd])
    var next = ExchangeState(.handling, isHalfClosed: true)
    #expect(next.answered(isQueued: true, isStream: true) == [.expectReader])
    #expect(early.expired() == [.closeStream, .expectNothing, .shutDown, .resume])
  }

  @Test(
    "the clock of a stream's reader starts with the answer, and again with the first wake after the client has taken all"
  )
  func readerClock() {
    var state = ExchangeState(.pending)
    let answered = state.answered(isQueued: true, isStream: true)
    #expect(answered == [.resume, .expectReader])
    let isRead = state.readBegan(byLibrary: true)
    #expect(isRead && state.readEnded(.nothing, room: 100) == [.suspend])
    for hasDrained in [false, true, false] {
      if hasDrained { _ = state.drained() }
      let woken = state.woken()
      #expect(woken == (hasDrained ? [.write, .expectReader] : [.write]))
      let isWritten = state.readBegan(byLibrary: false)
      #expect(isWritten && state.written(.all) == [])
    }
    _ = state.woken()
    _ = state.readBegan(byLibrary: false)
    #expect(state.written(.blocked) == [.awaitRoom])
    #expect(state.drained() == [], "the rest of what was read is not taken yet")
  }

  @Test("a wake-up while the stream is read is not lost, and several make one")
  func woken() {
    var state = ExchangeState(.streaming)
    #expect(state.woken() == [])
    #expect(state.readBegan(byLibrary: false) == false)
    #expect(state.readBegan(byLibrary: true) == true)
    #expect(state.readBegan(byLibrary: true) == false)
    #expect(state.woken() == [])
    #expect(state.woken() == [])
    #expect(state.readEnded(.nothing, room: 1) == [.suspend, .write])
    #expect(state.readBegan(byLibrary: true) == false)
    #expect(state.readBegan(byLibrary: false) == true)
    #expect(state.woken() == [])
    #expect(state.written(.all) == [.write])
    #expect(state.readBegan(byLibrary: false) == true)
    #expect(state.written(.all) == [])
    #expect(state.readBegan(byLibrary: false) == false)
    #expect(state.woken() == [.write, .expectReader])
    #expect(state.woken() == [])
    #expect(state.readBegan(byLibrary: false) == true)
    #expect(state.written(.end) == [.resume])
    #expect(state.readBegan(byLibrary: false) == false, "libmicrohttpd writes what ends it")
    #expect(state.readBegan(byLibrary: true) == true)
  }

  @Test("whatever happens, in whatever order, the rules are kept", arguments: 0..<64 as Range<UInt64>)
  func random(seed: UInt64) {
    var random = SplitMix(state: seed)
    for _ in 0..<50 {
      var run = RandomRun()
      for _ in 0..<200 { run.step(&random) }
      run.close()
    }
  }
}
