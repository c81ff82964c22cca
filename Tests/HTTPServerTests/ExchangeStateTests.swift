import Support
import Testing

@testable import HTTPServer

@Suite("The state of an exchange", .inTurn(minutes: 3))
struct ExchangeStateTests {
  typealias Phase = ExchangeState.Phase

  @Test("each event in each phase does what it should", arguments: ExchangeTable.Event.allCases)
  func event(_ event: ExchangeTable.Event) {
    let table = ExchangeTable.table(event)
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
    #expect(next.answered(isQueued: true, isStream: true) == [.expectListener])
    #expect(early.expired() == [.closeStream, .expectNothing, .shutDown, .resume])
  }

  @Test(
    "the clock of a stream's reader starts with the answer, and again with the first wake after the client has taken all"
  )
  func readerClock() {
    var state = ExchangeState(.pending)
    let answered = state.answered(isQueued: true, isStream: true)
    #expect(answered == [.resume, .expectListener])
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
