import ConfigurationReader
import HTTPServer
import MessagePack

/// What GET does that POST does not: it shares calls, and watches their results.
extension CallResponder {
  /// Control parameters of GET.
  static let fetchControls = controls.union([Watches.parameter, Watches.lastEventID])

  /// Answers a GET or HEAD in one of these ways, with the arguments that lie in its buffer; false when it is a call like any other. Of the
  /// time that it asks for, what is `left` is for one call; each call that is watched has all of it.
  func fetch(
    _ request: GatewayRequest, _ query: Query?, _ frames: CallFrames, asking asked: Duration?, left: Duration?
  ) throws(Problem) -> Bool {
    let settings = upstream.settings(of: method)
    if let text = query?.control(Watches.parameter) {
      try watch(request, query, frames, timeout: settings.timeout(asked: asked), every: try Self.interval(text))
      return true
    }
    if query?.control(Watches.lastEventID) != nil {
      throw Problem(.unknownParameter, "\"\(Watches.lastEventID)\" goes with \"\(Watches.parameter)\".")
    }
    try chooseResultFormat(request)
    guard settings.sharesCalls else { return false }
    try upstream.sharedCalls.answer(
      request, calling: self, frames, timeout: settings.timeout(asked: left), keep: settings.keep)
    return true
  }

  private func chooseResultFormat(_ request: GatewayRequest) throws(Problem) {
    do throws(Problem) {
      try request.chooseResultFormat()
    } catch {
      guard MediaType.accepts(request.values(of: .accept), "text/event-stream") else { throw error }
      throw Problem(
        .notAcceptable,
        "A result is no stream; add \(Watches.parameter)=2s to have it watched, or accept application/json or application/msgpack."
      )
    }
  }

  private func watch(
    _ request: GatewayRequest, _ query: Query?, _ frames: CallFrames, timeout: Duration, every interval: Duration
  ) throws(Problem) {
    try request.checkAccept("text/event-stream")
    guard request.method == .get else {
      return request.answer(200, StreamResponder.type, headers: StreamResponder.headers, stream: EmptyStream())
    }
    let header = request.header(.lastEventID).map { String(decoding: $0, as: UTF8.self) }
    try upstream.watches.open(
      request, calling: self, frames, timeout: timeout, every: interval,
      after: header ?? query?.control(Watches.lastEventID))
  }

  /// How often a client wants to look.
  private static func interval(_ text: String) throws(Problem) -> Duration {
    do throws(InvalidText) {
      let interval = try Quantity.duration(text)
      if interval > .zero, interval <= .seconds(24 * 3_600) { return interval }
    } catch {
      throw Problem(.badQuery, "\"\(Watches.parameter)\": \(error.description).")
    }
    throw Problem(.badQuery, "\"\(Watches.parameter)\" is a duration above zero and of a day at most, such as 2s.")
  }
}
