import DequeModule
import Reactor

/// Which topics a service is subscribed to upstream, and which streams an event is for. A value without I/O: it says what to tell the
/// publishers.
///
/// Streams with equal filters are counted together: only the first and the end of the last cost more than a moment. When the last has
/// closed, the filter lingers with all its prefixes. Those that streams ask for and those that linger never exceed the limit together.
/// A stream is refused only when those that streams ask for would exceed it: filters that merely linger are given up when their
/// room is needed, those first that have lingered longest.
///
/// Each step works on one filter. `Work` says how many prefixes that were, so that its caller can stop after so many in a turn.
struct Subscriptions {
  /// What to tell the publishers.
  enum Action: Hashable, Sendable {
    case subscribe([UInt8])
    case unsubscribe([UInt8])
  }

  /// What a step asks for.
  struct Work: Hashable, Sendable {
    /// What to tell the publishers, in this order.
    var actions: [Action] = []
    /// How many prefixes were looked at.
    var prefixes = 0
  }

  /// What comes of a stream that wants to open.
  enum Opening: Hashable, Sendable {
    /// It opens.
    case opened(Work)
    /// A filter that lingered has been given up to make room: ask again.
    case makingRoom(Work)
    /// All streams together would ask for more prefixes than the limit allows.
    case refused
  }

  /// Which streams to wake for events.
  struct Wakes: Sendable {
    /// Filters that match one of the events: the sequence of the first such event.
    var filters: [TopicFilter: UInt64] = [:]
    /// The sequence of the first event that is for all streams, which comes after those of `filters`; nil for none.
    var all: UInt64?
  }

  /// A prefix that is subscribed to.
  private struct Prefix {
    /// No other one has it.
    let number: UInt64
    /// Those that name it.
    var filters: Set<TopicFilter> = []
    /// How many of them match only some of what begins with it.
    var choosy = 0
  }

  /// A filter whose prefixes are subscribed to.
  private struct Interest {
    /// How many streams have it; it lingers while there are none.
    var streams = 1
    /// When it has lingered long enough, since its last stream closed.
    var deadline = Instant(nanoseconds: .min)
    /// Whether it stands in `farewells`.
    var isLeaving = false
  }

  /// libzmq keeps some 35 bytes for each byte of a prefix: so many bytes for each topic of the limit, on the average.
  private static let bytesPerTopic = 32
  /// But so many in any case.
  private static let fewestBytes = 64 << 10

  private var limit: Int
  private var byteLimit: Int { max(Self.fewestBytes, limit * Self.bytesPerTopic) }
  private var linger: Duration
  private var prefixes = PrefixTrie<Prefix>()
  /// How many bytes the prefixes have that are subscribed to.
  private var bytes = 0
  private var lastNumber: UInt64 = 0
  private var interests: [TopicFilter: Interest] = [:]
  /// Filters that linger, each once, about in the order of their deadlines; among them some that a stream has come back to.
  private var farewells: Deque<(filter: TopicFilter, deadline: Instant)> = []
  /// How many prefixes those that linger name, each counted for each filter.
  private var lingering = 0

  /// Nothing is subscribed to yet. At most `limit` different prefixes, of 32 bytes on the average, or 64 KiB together; `linger` is how long a subscription outlives the
  /// last stream that needs it.
  init(limit: Int, linger: Duration) {
    self.limit = limit
    self.linger = linger
  }

  /// Another limit holds for streams that open from now on, and another linger for those that close.
  mutating func use(limit: Int, linger: Duration) { (self.limit, self.linger) = (limit, linger) }

  /// How many different prefixes are subscribed to.
  var count: Int { prefixes.count }
  /// When `expire(at:)` has something to do at the earliest; nil for never.
  var nextExpiry: Instant? {
    guard let oldest = farewells.first else { return nil }
    return lingering > limit ? Instant(nanoseconds: .min) : oldest.deadline
  }

  /// A stream with the filter wants to open.
  mutating func add(_ filter: TopicFilter) -> Opening {
    if let streams = interests[filter]?.streams {
      interests[filter]?.streams += 1
      if streams == 0 { lingering -= filter.prefixes.count }
      return .opened(Work())
    }
    let new = filter.prefixes.filter { prefixes[$0] == nil }
    let newBytes = new.reduce(0) { $0 + $1.count }
    guard count + new.count <= limit, bytes + newBytes <= byteLimit else {
      while let oldest = farewells.popFirst() {
        if let work = end(oldest.filter) { return .makingRoom(work) }
      }
      return .refused
    }
    interests[filter] = Interest()
    bytes += newBytes
    for prefix in filter.prefixes {
      lastNumber += 1
      let number = lastNumber
      prefixes.update(prefix) { known in
        if known == nil { known = Prefix(number: number) }
        known?.filters.insert(filter)
        if filter.isChoosy { known?.choosy += 1 }
      }
    }
    return .opened(Work(actions: new.map(Action.subscribe), prefixes: filter.prefixes.count))
  }

  /// A stream with the filter has closed.
  mutating func remove(_ filter: TopicFilter, at now: Instant) {
    guard var interest = interests[filter], interest.streams > 0 else { return }
    interest.streams -= 1
    if interest.streams == 0 {
      interest.deadline = now + linger
      lingering += filter.prefixes.count
      if !interest.isLeaving { farewells.append((filter, interest.deadline)) }
      interest.isLeaving = true
    }
    interests[filter] = interest
  }

  /// Gives up the next filter that has lingered long enough, or is too much; nil when there is none.
  mutating func expire(at now: Instant) -> Work? {
    while let due = nextExpiry, due <= now, let oldest = farewells.popFirst() {
      // Streams may have come and gone since.
      if let interest = interests[oldest.filter], interest.streams == 0, lingering <= limit, interest.deadline > now {
        farewells.append((oldest.filter, interest.deadline))
      } else if let work = end(oldest.filter) {
        return work
      }
    }
    return nil
  }

  /// Gives up a filter that has left `farewells`, unless a stream has come back to it.
  private mutating func end(_ filter: TopicFilter) -> Work? {
    interests[filter]?.isLeaving = false
    guard interests[filter]?.streams == 0 else { return nil }
    interests[filter] = nil
    lingering -= filter.prefixes.count
    var work = Work(prefixes: filter.prefixes.count)
    var bytesEnded = 0
    defer { bytes -= bytesEnded }
    for prefix in filter.prefixes {
      prefixes.update(prefix) { known in
        known?.filters.remove(filter)
        if filter.isChoosy { known?.choosy -= 1 }
        guard known?.filters.isEmpty == true else { return }
        known = nil
        work.actions.append(.unsubscribe(prefix))
        bytesEnded += prefix.count
      }
    }
    return work
  }

  /// The prefixes that streams ask for, with how many do: the first `LiveTopics.most` of them, or fewer when many filters name them. `access`
  /// says which of them are told of; nil: all.
  func live(seen access: TopicAccess? = nil) -> LiveTopics {
    var live = LiveTopics()
    var looks = 0
    var seen: Set<TopicFilter> = []
    prefixes.forEach { string, prefix in
      looks += 1
      guard access?.allows(string) ?? true else { return looks < LiveTopics.mostLooks }
      looks += prefix.filters.count
      let streams = prefix.filters.reduce(0) { $0 + (interests[$1]?.streams ?? 0) }
      // Nobody asks for one that lingers.
      if streams == 0 { return looks < LiveTopics.mostLooks }
      live.isWhole = live.topics.count < LiveTopics.most && looks <= LiveTopics.mostLooks
      if live.isWhole {
        live.topics.append(.init(prefix: string, streams: streams))
        if access != nil { seen.formUnion(prefix.filters) }
      }
      return live.isWhole
    }
    if looks >= LiveTopics.mostLooks { live.isWhole = false }
    live.streams = seen.reduce(0) { $0 + (interests[$1]?.streams ?? 0) }
    return live
  }

  /// Which streams the events are for. Those of filters that linger are among them.
  func wakes(for events: [Event]) -> Wakes {
    var wakes = Wakes()
    var seen: Set<UInt64> = []
    // Once all are to be woken, later events wake nobody else.
    for event in events where wakes.filters.count < interests.count {
      guard let topic = event.topic else {
        wakes.all = event.sequence
        return wakes
      }
      prefixes.forEachPrefix(of: topic) { prefix in
        guard seen.insert(prefix.number).inserted || prefix.choosy > 0 else { return }
        for filter in prefix.filters where wakes.filters[filter] == nil {
          if filter.isChoosy, !filter.matches(event) { continue }
          wakes.filters[filter] = event.sequence
        }
      }
    }
    return wakes
  }
}
