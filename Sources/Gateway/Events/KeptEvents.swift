import Reactor

/// What the hub of a service keeps of its events, within bounds that may change: the history, and the last call of each topic.
///
/// Its timer lets go what has become too old, and what is beyond bounds that have become narrower, a few events in each turn.
final class KeptEvents: TimerHandler {
  /// So many are let go at once; there may be millions.
  private static let expiriesPerTurn = 1_024
  private static let untilNextTurn = Duration.milliseconds(1)

  private(set) var history: EventHistory
  /// The last call of each topic; nil where the service keeps none.
  private(set) var last: LastValues?
  private var settings: Configuration.Subscribe
  /// Whether nothing is beyond the bounds of the settings.
  private var isWithinBounds = true
  private let loop: Loop
  private var timer: Timer?

  init(_ settings: Configuration.Subscribe, on loop: Loop) {
    self.settings = settings
    self.loop = loop
    history = EventHistory(settings.history, conflates: settings.slow == .conflate)
    last = settings.last.map(LastValues.init)
  }

  /// Other bounds hold from now on. The numbers of events go on.
  func use(_ settings: Configuration.Subscribe) {
    self.settings = settings
    if settings.slow == .conflate { history.beginToConflate() }
    if settings.last != nil, last == nil { last = settings.last.map(LastValues.init) }
    approachBounds()
    stop()
    schedule()
  }

  /// Ends the timer.
  func stop() { if let timer = timer.take() { loop.cancel(timer) } }

  /// Takes the event that follows the last one.
  func keep(_ event: Event) {
    history.append(event)
    history.trim()
    if timer == nil { schedule() }
  }

  /// Takes the event as the last call of its topic.
  func keepAsLast(_ event: Event) { last?.keep(event) }

  /// Lets the oldest go, to make room; false when nothing is kept.
  func removeOldest() -> Bool { history.removeOldest() || last?.removeOldest() == true }

  func fired(_ timer: Timer) {
    self.timer = nil
    history.expire(at: loop.now, atMost: Self.expiriesPerTurn)
    if !isWithinBounds { approachBounds() }
    schedule()
  }

  private func approachBounds() {
    let isHistoryWithin = history.approach(settings.history, atMost: Self.expiriesPerTurn)
    let isLastWithin = last?.approach(settings.last, atMost: Self.expiriesPerTurn) ?? true
    if isLastWithin, settings.last == nil { last = nil }
    isWithinBounds = isHistoryWithin && isLastWithin
  }

  /// Looks at the age of events once a second at most, so that many go at once; they stay up to a second longer than configured.
  private func schedule() {
    let soon = loop.now + Self.untilNextTurn
    if !isWithinBounds { return timer = loop.schedule(at: soon, self) }
    guard let expiry = history.nextExpiry else { return }
    timer = loop.schedule(at: expiry < loop.now ? soon : max(expiry, loop.now + .seconds(1)), self)
  }
}
