/// A stream's place among the events of its service, and its books: each number that it comes past is counted in one way, once. A value
/// without I/O.
///
/// What it leaves out is counted as lost when the client is told, and not before.
struct EventCursor {
  /// The sequence of the event to look at next, behind all of the page.
  private(set) var next: UInt64 = 0
  /// The first event that the stream was to be given, or told of.
  private var first: UInt64 = 0
  /// What is left of a page, in reverse, so that the next one is the last. All of it lies before `next`.
  private var pageReversed: [EventPage.Item] = []
  /// Events that are left out, of which the client is still to be told.
  private(set) var missed = 0
  private var accounts = EventAccounts()

  /// That of a stream that is not open.
  init() {}

  /// Begins where the hub says. Those of which a gap says how many they are belong to the stream.
  init(_ beginning: StreamBeginning, isSnapshot: Bool) {
    let evicted = beginning.gap?.missed ?? 0
    next = beginning.page.first
    first = next - UInt64(evicted)
    accounts.lost = evicted
    accounts.streams = 1
    read(beginning.page, isSnapshot: isSnapshot)
  }

  /// Goes on with a page, which begins with `next`; of a snapshot's it is not known what it leaves out.
  mutating func read(_ page: EventPage, isSnapshot: Bool = false) {
    pageReversed = page.items.reversed()
    let others = Int(page.next - page.first) - numbersInPage
    if isSnapshot { accounts.superseded += others } else { accounts.filtered += others }
    next = page.next
  }

  /// The next event of the page; those before it are left out.
  mutating func eventInPage(besides isSuperseded: (Event) -> Bool) -> Event? {
    while let item = pageReversed.last {
      switch item {
      case .event(let event) where !isSuperseded(event): return event
      case .event: missed += 1
      case .superseded(let count): missed += count
      }
      pageReversed.removeLast()
    }
    return nil
  }

  /// The next event, of the page or behind it, is handed to the connection.
  mutating func hand(_ event: Event) {
    if event.isLoss { accounts.lost += 1 } else { accounts.delivered += 1 }
    if pageReversed.popLast() == nil { next += 1 }
  }

  /// All before that event, which stand behind the page, are not for the stream.
  mutating func pass(to sequence: UInt64) {
    accounts.filtered += Int(sequence - next)
    next = sequence
  }

  /// All before that event, which stand behind the page, are left out.
  mutating func leaveOut(to sequence: UInt64) {
    missed += Int(sequence - next)
    next = sequence
  }

  /// The client is told of all that is left out. Returns how many they are.
  mutating func tell() -> UInt64 {
    accounts.lost += missed
    defer { missed = 0 }
    return UInt64(missed)
  }

  /// What has become of all before that event, of which some may still be to come.
  func accounts(before end: UInt64) -> EventAccounts {
    var accounts = accounts
    let end = max(next, end)
    accounts.passed = Int(end - first)
    accounts.unsent = Int(end - next) + numbersInPage + missed
    if !accounts.areBalanced { accounts.unbalancedStreams = 1 }
    return accounts
  }

  private var numbersInPage: Int {
    pageReversed.reduce(0) { sum, item in
      if case .superseded(let count) = item { sum + count } else { sum + 1 }
    }
  }
}
