@testable import HTTPServer

/// What each event does to an exchange in each phase.
enum ExchangeTable {
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
        .head: (.streaming, [.expectListener]), .handling: (.streaming, [.expectListener]),
        .pending: (.streaming, [.resume, .expectListener]),
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
        .lingering: (.lingering, [.shutDown]), .ended: (.ended, [.shutDown]), .body: (.body, [.refuse]),
      ]) { $1 }
    case .hungUp:
      Dictionary(uniqueKeysWithValues: [.idle, .arriving, .ended].map { ($0, ($0, .shutDown)) })
        .merging(drops.filter { ([.handling, .pending] + streaming).contains($0.key) }) { $1 }
    case .halfClosed:
      Dictionary(
        uniqueKeysWithValues: [.idle, .arriving, .head, .body, .handling, .pending].map { ($0, ($0, .expectEnd)) }
      ).merging(drops.filter { streaming.contains($0.key) }) { $1 }
    case .requestEnded:
      Dictionary(
        uniqueKeysWithValues: open.map { phase in
          switch phase {
          case .dropped, .lingering: (phase, (.ended, [.endRequest]))
          default: (phase, (.idle, debts(phase).union([.endRequest, .expectRequest])))
          }
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
}
