/// With which event a stream begins, and what its client has to be told first. A value without I/O.
struct Resumption: Hashable, Sendable {
  /// What the client asks for.
  enum Start: Hashable, Sendable {
    /// The next event to come.
    case latest
    /// The oldest event that is kept.
    case earliest
    /// The last event of each topic, and then what comes.
    case snapshot
    /// What follows the event with that id.
    case after(String)
  }

  /// The number of the first event that the stream looks at.
  let next: UInt64
  /// What comes in between and is not to be had; nil when nothing is missing.
  let gap: EventGap?

  private init(_ next: UInt64, _ gap: EventGap? = nil) {
    self.next = next
    self.gap = gap
  }

  /// Decides by what the history has.
  ///
  /// A client whose id is of another epoch has seen nothing of this one: it gets all that is kept. One whose id tells nothing begins
  /// with the next event, as if it had sent none. Where no history is kept, the topics that no stream asks for are not subscribed to,
  /// so what came meanwhile is not counted in the numbers. `isWhole` says whether that was so behind an event that is kept.
  init(
    _ start: Start, epoch: String, in history: EventHistory, isWhole: (_ after: UInt64) -> Bool = { _ in true }
  ) {
    guard case .after(let text) = start else {
      self.init(start == .earliest ? history.first : history.end)
      return
    }
    guard let id = EventID(text), id.epoch != epoch || id.number < history.end else {
      self.init(history.end, EventGap(reason: .unknownID, missed: nil))
      return
    }
    if id.epoch != epoch {
      self.init(history.first, EventGap(reason: .restart, missed: nil))
    } else if !history.keepsEvents {
      self.init(history.end, EventGap(reason: .evicted, missed: nil))
    } else if id.number + 1 < history.first {
      self.init(history.first, EventGap(reason: .evicted, missed: Int(history.first - id.number - 1)))
    } else {
      self.init(id.number + 1, isWhole(id.number) ? nil : EventGap(reason: .evicted, missed: nil))
    }
  }
}

/// How a stream begins: what the hub answers to a feed that wants to open one.
struct StreamBeginning: Sendable {
  /// The id that stands for all before the first event of the stream.
  let id: EventID
  /// What is told first.
  let gap: EventGap?
  /// How many of the publishers are connected before the first event; nil when a later one tells it.
  let publishers: Publishers?
  /// The first events, as far as a page goes.
  let page: EventPage
  /// The number of the next event to come.
  let end: UInt64
}
