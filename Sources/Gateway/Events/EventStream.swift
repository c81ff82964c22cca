import HTTPServer
import Reactor

/// Who asked for a stream. Told once, on the shard, whether it opens. It may be told after the client has left and the connection
/// has another request: then it must answer nothing, and close a stream that has opened.
protocol StreamOpener: AnyObject {
  /// The stream opens, with what follows the event of that id: hand it to the exchange.
  func opened(_ stream: EventStream, after id: EventID)
  /// It does not open, for too many topics or because the gateway stops: answer with the problem.
  func refused(_ problem: Problem)
}

/// One client's stream: a cursor into its feed's window, and nothing queued of its own.
///
/// It waits until the feed wakes it. Then the exchange reads it as fast as the client takes the bytes: the window's events
/// from the cursor on, as far as they match; none is copied before. When the window no longer holds the event at the
/// cursor, the client reads slowly: the stream goes on with pages of the hub's history, a few events at a time. What is gone from
/// there too it is told of with `lagged`, and ends or goes on with the oldest kept, as `slow` says. One that conflates gets from there
/// on, until it has come to the present, the newest event of each topic only, and `lagged` before it for those that it does not get.
///
/// A client that reads nothing at all holds one connection and one event, or the rest of one page, no more. When it takes
/// nothing of what the kernel has for it for `http.limits.write-timeout`, the connection ends (see `ConnectionWatch`).
final class EventStream: BodyStream, TimerHandler {
  private enum State {
    /// The hub has not let it open yet.
    case opening
    /// Waits for the feed to wake it.
    case waiting
    /// There may be something to read at the cursor.
    case reading
    /// Waits for a page from the hub.
    case turningPage
  }

  private enum Ending: Equatable {
    case none
    /// `bye` follows when the stream has caught up with the present.
    case farewell(Notice.Farewell)
    /// The text is the last one, `bye` or `lagged`: the stream ends when it is written.
    case lastText
  }

  let filter: TopicFilter
  let shape: EventShape
  var endsByItself: Bool { writer.isPoll }
  /// Where it is to begin.
  let start: Resumption.Start
  /// That its client may have it.
  let permit: StreamPermit
  private let feed: EventFeed
  /// Told whether it opens; nil from then on.
  private var opener: (any StreamOpener)?
  // What is unchecked is looked at for each event, and changes while no other code runs.
  /// What sends it; nil when it is closed.
  @exclusivity(unchecked) private var exchange: Exchange?
  @exclusivity(unchecked) private var state = State.opening
  @exclusivity(unchecked) private var ending = Ending.none
  /// Where it has come to, and what has become of what lies before that.
  @exclusivity(unchecked) private var cursor = EventCursor()
  /// The event that was to come next when it opened.
  private var presentAtOpening: UInt64 = 0
  /// It has fallen behind the window, and gets the newest event of each topic only.
  @exclusivity(unchecked) private var isConflating = false
  /// When it has been open for as long as it may.
  private var expiry = Instant(nanoseconds: .max)
  /// The sequence of an event that is known to match: the one it was woken for.
  @exclusivity(unchecked) private var match: UInt64 = 0
  /// While it gets the last values of its topics: those are read that came before this event, from which it then goes on.
  @exclusivity(unchecked) private var snapshotEnd: UInt64?
  @exclusivity(unchecked) private var writer: EventWriter
  /// When the client of a poll does not want to wait any longer.
  private var timer: Timer?

  /// A stream that `EventFeed.open` opens.
  init(
    _ filter: TopicFilter, _ shape: EventShape, from start: Resumption.Start, permit: StreamPermit, feed: EventFeed,
    exchange: Exchange, opener: any StreamOpener
  ) {
    self.permit = permit
    self.filter = filter
    self.shape = shape
    writer = EventWriter(shape)
    self.start = start
    self.feed = feed
    self.exchange = exchange
    self.opener = opener
  }

  // MARK: The exchange reads

  func read(into room: UnsafeMutableRawBufferPointer) -> StreamRead {
    var free = room
    while true {
      if !writer.goOn(&free) { return .bytes(room.count - free.count) }
      if ending == .lastText || !advance(&free) { break }
    }
    let count = room.count - free.count
    if ending == .lastText { return count > 0 ? .bytes(count) : .end }
    return count > 0 ? .all(count) : .nothing
  }

  /// Writes the next event, or begins it; false when there is none for now.
  private func advance(_ free: inout UnsafeMutableRawBufferPointer) -> Bool {
    if writer.isFull { return endPoll() }
    if case .farewell(let reason) = ending, reason.isOfCredentials { return sayFarewell(reason) }
    if let event = cursor.eventInPage(besides: { isConflating && feed.isSuperseded($0) }) {
      write(event, to: &free)
      return true
    }
    if let snapshotEnd, state == .reading { return goOn(withSnapshotBefore: snapshotEnd) }
    while state == .reading {
      guard let event = feed.event(cursor.next) else {
        if feed.isPast(cursor.next) {
          state = .turningPage
          // What came before it opened, it gets whole.
          isConflating = feed.settings.slow == .conflate && cursor.next >= presentAtOpening
          feed.requestPage(.history(conflating: isConflating), from: cursor.next, for: self)
          return false
        }
        state = .waiting
        isConflating = false
        if tellLag() { return true }
        break
      }
      if event.sequence != match, !filter.matches(event) {
        cursor.pass(to: event.sequence + 1)
      } else if isConflating, feed.isSuperseded(event) {
        cursor.leaveOut(to: event.sequence + 1)
      } else {
        write(event, to: &free)
        return true
      }
    }
    if writer.isPoll { return endPoll() }
    guard case .farewell(let reason) = ending, state == .waiting else { return false }
    passSilence()
    return sayFarewell(reason)
  }

  private func sayFarewell(_ reason: Notice.Farewell) -> Bool {
    end(with: .farewell(reason, retry: feed.settings.retry, id: feed.id(before: cursor.next)))
    return true
  }

  /// Writes the event, and before it that others are left out.
  private func write(_ event: Event, to free: inout UnsafeMutableRawBufferPointer) {
    if let lagged = lagged(before: event.sequence) {
      writer.tell(lagged, before: event)
    } else {
      writer.write(event, to: &free)
    }
    cursor.hand(event)
  }

  /// Tells of the events that are left out; false when there are none.
  private func tellLag() -> Bool {
    guard let lagged = lagged(before: cursor.next) else { return false }
    writer.tell(lagged, upTo: cursor.next - 1)
    return true
  }

  private func lagged(before sequence: UInt64) -> Notice? {
    guard cursor.missed > 0 else { return nil }
    feed.noteLag()
    return .lagged(id: feed.id(before: sequence), missed: cursor.tell())
  }

  /// The next last values; or, behind the last of them, where the stream has come to with all it was told.
  private func goOn(withSnapshotBefore end: UInt64) -> Bool {
    guard cursor.next >= end else {
      state = .turningPage
      feed.requestPage(.lastValues(before: end), from: cursor.next, for: self)
      return false
    }
    snapshotEnd = nil
    writer.comment(.heartbeat(id: feed.id(before: end)))
    return true
  }

  /// Ends a poll that is full, or has nothing more to tell; false when it goes on waiting.
  private func endPoll() -> Bool {
    guard writer.isFull || state == .waiting && (writer.isDue || ending != .none) else { return false }
    passSilence()
    // Of a page that is left, the next poll gets the rest.
    let last = writer.isFull ? writer.lastInPoll : nil
    writer.endPoll(at: feed.id(before: last.map { $0 + 1 } ?? cursor.next))
    ending = .lastText
    return true
  }

  /// While it waits, all that has come to its shard behind the cursor was not for it.
  private func passSilence() {
    guard state == .waiting, cursor.next < feed.end else { return }
    cursor.pass(to: feed.end)
  }

  private func end(with notice: Notice) {
    writer.tell(notice)
    end()
  }

  /// Ends with what is begun.
  private func end() {
    if writer.isPoll { writer.endPoll(at: feed.id(before: cursor.next)) }
    ending = .lastText
  }

  /// The stream is over, whoever ended it.
  func closed() {
    exchange = nil
    permit.giveBack()
    passSilence()
    writer.letGo()
    feed.stopWaiting(&timer)
    feed.remove(self)
    cursor = EventCursor()
  }

  /// What has become of the events that have come to its shard.
  var accounts: EventAccounts { cursor.accounts(before: feed.end) }

  // MARK: The feed tells

  /// The hub lets it open; it ends about then.
  func opened(_ beginning: StreamBeginning, until expiry: Instant) {
    self.expiry = expiry
    presentAtOpening = beginning.end
    // A gap has the id: a client that loses the connection before it has read of the gap is to be told again. One that loses it before
    // it has the snapshot asks for that again.
    if start == .snapshot { snapshotEnd = beginning.end }
    let id = beginning.gap == nil && start != .snapshot ? beginning.id : nil
    // A stream that is told nothing of publishers has them all.
    let missing = beginning.publishers.flatMap { $0.areComplete ? nil : $0 }.map(Notice.upstream)
    let gap = beginning.gap.map { Notice.gap(id: beginning.id, $0) }
    writer.open(.opening(retry: feed.settings.retry, id: id), gap: gap, missing)
    timer = permit.schedule(self, after: shape.wait, on: feed.loop)
    cursor = EventCursor(beginning, isSnapshot: snapshotEnd != nil)
    state = .reading
    permit.opened { [unowned self] in end(because: .refused) }  // Safe: it is given back first. Weak: slow retains.
    opener.take()?.opened(self, after: beginning.id)
  }

  /// The hub refuses it.
  func refused(_ problem: Problem) {
    exchange = nil
    permit.giveBack()
    opener.take()?.refused(problem)
  }

  /// An event that matches is in the window: read on from there, unless the stream is still reading older ones.
  func wake(at sequence: UInt64) {
    guard state == .waiting else { return }
    // The event may lie before the cursor: the last page had it already.
    if sequence > cursor.next { cursor.pass(to: sequence) }
    match = sequence
    state = .reading
    exchange?.wake()
  }

  /// The page came: the events asked for, or newer ones when the history has gone on without the stream.
  func received(_ page: EventPage) {
    guard let exchange else { return }
    defer { exchange.wake() }
    // Which of those that are gone were for it can no longer be told: all of the service are counted.
    if page.first > cursor.next { cursor.leaveOut(to: feed.oldest(historyFrom: page.first)) }
    // One that conflates tells of them with those that it leaves out besides.
    if !isConflating, tellLag(), feed.settings.slow == .disconnect {
      return end()
    }
    state = .reading
    // Otherwise the window reaches back further than the history.
    if page.first == cursor.next { cursor.read(page, isSnapshot: snapshotEnd != nil) }
  }

  /// It is time for a comment, unless there is something to be read anyway; or for the end.
  func beat(at now: Instant) {
    if now >= expiry { return end(because: .aged) }
    guard state == .waiting, writer.isAtRest, ending == .none else { return }
    // When events have come that were not for it, it says to which it has come: they are not missing to a client that resumes.
    let before = cursor.next
    passSilence()
    let hasPassed = cursor.next > before
    writer.comment(.heartbeat(id: hasPassed ? feed.id(before: cursor.next) : nil))
    exchange?.wake()
  }

  /// Ends with `bye`, after what is still to be read.
  func end(because reason: Notice.Farewell) {
    if ending == .none || reason.isOfCredentials && ending != .lastText { ending = .farewell(reason) }
    exchange?.wake()
  }

  /// The client of a poll does not want to wait any longer; or the credentials of a stream end.
  func fired(_ timer: Timer) {
    self.timer = nil
    guard timer.tag == StreamPermit.ofClient else { return end(because: .expired) }
    writer.timeIsUp()
    exchange?.wake()
  }
}
