import HTTPServer

/// What a stream is writing, in its shape, and how much of it is written. A value without I/O.
///
/// Events of the usual shape are copied from their text, which all streams share. Others are cut from it while they are written.
struct EventWriter {
  /// Nil for the usual shape, whose bytes are those of the events.
  private let shape: EventShape?
  /// Nil for a stream that is no poll.
  private var poll: EventPoll?
  /// What is to be written, and how much of it is; and the event it is of, or that comes behind it. That counts in the memory until it
  /// is written.
  private var text: [UInt8] = []
  private var event: Event?
  private var offset = 0

  init(_ shape: EventShape) {
    self.shape = shape.isUsual ? nil : shape
    if shape.wait != nil { poll = EventPoll() }
  }

  /// Whether all is written.
  var isAtRest: Bool { offset == text.count && event == nil }
  /// Whether it writes a poll.
  var isPoll: Bool { poll != nil }
  /// Whether no more goes into the poll.
  var isFull: Bool { poll?.isFull ?? false }
  /// Whether the poll ends as soon as there is nothing more.
  var isDue: Bool { poll?.isDue ?? false }
  /// The sequence of the last event of a poll.
  var lastInPoll: UInt64? { poll?.last }

  /// Goes on with what is begun; false when there is no room for the rest.
  mutating func goOn(_ free: inout UnsafeMutableRawBufferPointer) -> Bool {
    if offset < text.count {
      offset += text.withUnsafeBytes { free.fill(with: $0, from: offset) }
      if offset < text.count { return false }
      (text, offset) = ([], 0)
      if shape == nil { event = nil }
    }
    guard let shape, let event, let parts = event.parts else { return true }
    offset += shape.fill(&free, with: event, parts, from: offset)
    if offset < shape.length(of: event, parts) { return false }
    letGo()
    return true
  }

  /// Copies an event that fits. Of one that does not, the rest is held until there is room for it.
  mutating func write(_ event: Event, to free: inout UnsafeMutableRawBufferPointer) {
    if shape == nil, event.text.count <= free.count {
      _ = event.text.withUnsafeBytes { free.fill(with: $0) }
    } else {
      begin(event)
    }
  }

  private mutating func begin(_ event: Event) {
    guard let shape else {
      (text, self.event) = (event.text, event)
      return
    }
    text = poll?.add(event) ?? []
    if let notice = event.notice { text += shape.text(of: notice) } else { self.event = event }
  }

  /// Begins a stream, of which the gateway tells this. A poll tells of the gap only.
  mutating func open(_ opening: Notice, gap: Notice?, _ upstream: Notice?) {
    if poll == nil {
      text = [opening, gap, upstream].compactMap(\.self).flatMap(text(of:))
    } else {
      text = EventPoll.beginning
      if let gap { text += (poll?.add() ?? []) + text(of: gap) }
    }
  }

  /// Begins an event of the gateway itself, which stands for all up to that sequence, if it stands for any.
  mutating func tell(_ notice: Notice, upTo sequence: UInt64? = nil) {
    text = (poll?.add(upTo: sequence) ?? []) + text(of: notice)
    offset = 0
  }

  /// Begins an event of the gateway itself that stands for all before the event, and then that: nothing comes between them.
  mutating func tell(_ notice: Notice, before event: Event) {
    tell(notice, upTo: event.sequence - 1)
    let before = text
    begin(event)
    text = before + text
  }

  /// Begins a comment; in a poll it is white space.
  mutating func comment(_ notice: Notice) {
    text = poll == nil ? text(of: notice) : [UInt8(ascii: "\n")]
    offset = 0
  }

  /// Adds what ends a poll, which has come to the event of that id.
  mutating func endPoll(at cursor: EventID) { text += EventPoll.end(cursor) }

  /// The client of a poll does not want to wait any longer.
  mutating func timeIsUp() { poll?.isTimeUp = true }

  /// Lets go of what is begun.
  mutating func letGo() {
    (text, offset) = ([], 0)
    event = nil
  }

  private func text(of notice: Notice) -> [UInt8] { shape?.text(of: notice) ?? notice.lines }
}

extension UnsafeMutableRawBufferPointer {
  /// Copies the bytes from that place on, as many as there is room for, and goes on behind them. Returns how many they were.
  mutating func fill(with bytes: UnsafeRawBufferPointer, from start: Int = 0) -> Int {
    let part = UnsafeRawBufferPointer(rebasing: bytes[start...].prefix(count))
    copyMemory(from: part)
    self = UnsafeMutableRawBufferPointer(rebasing: self[part.count...])
    return part.count
  }
}
