/// Where the request on one connection stands. A value without I/O: it takes what happened and returns what to do.
struct ExchangeState {
  enum Phase: UInt8, CaseIterable {
    /// No request in progress.
    case idle
    /// A request has begun to arrive, but its request line is not complete.
    case arriving
    /// The request line is there.
    case head
    /// The head was accepted; the body is on its way.
    case body
    /// The handler is being given the request, and owes the answer.
    case handling
    /// The handler owes the answer; the connection is suspended until it comes.
    case pending
    /// The answer is queued, and is bytes.
    case answered
    /// The answer is queued, and is a stream that will be read: by libmicrohttpd, or at the end of the turn.
    case streaming
    /// The stream is being read, by libmicrohttpd or, when that has the connection suspended, past it.
    case reading
    /// The stream is being read, and was woken meanwhile.
    case readingWoken
    /// The stream had nothing, and waits until it is woken.
    case sleeping
    /// The client does not take what was read: that waits until there is room in the socket.
    case blocked
    /// The answer was written past libmicrohttpd; what still arrives is thrown away until the client closes.
    case lingering
    /// Nothing more is owed, but libmicrohttpd has not ended the request yet.
    case dropped
    /// No request follows: the connection is about to be closed.
    case ended
    /// The connection is closed.
    case closed
  }

  private(set) var phase: Phase
  /// The client has shut down its half: it closed, or it sends no more and still reads.
  private(set) var isHalfClosed: Bool
  /// The connection is suspended. That of a stream stays so, from when it had nothing for the first time until its end.
  private(set) var isSuspended = false
  /// The clock of a reader runs, and goes on when its stream is woken again.
  private var isReaderTimed = false
  /// The answer is a stream whose end is awaited by a client that has half-closed, too.
  private var streamEndsByItself = false

  /// A connection has just been opened: what it takes until its first head is complete counts as that head's time.
  init(_ phase: Phase = .arriving, isHalfClosed: Bool = false) {
    self.phase = phase
    self.isHalfClosed = isHalfClosed
    isSuspended = phase == .pending || phase == .sleeping || phase == .blocked
  }

  /// Whether the answer was given, or has no taker any more.
  var isAnswered: Bool { phase.rawValue >= Phase.answered.rawValue }

  /// Whether the handler has the request and owes the answer.
  var owesAnswer: Bool { phase == .handling || phase == .pending }

  /// Whether libmicrohttpd has announced a request and not yet its end.
  var isOpen: Bool { phase.rawValue > Phase.arriving.rawValue && phase.rawValue < Phase.ended.rawValue }

  /// Whether the connection is about to be closed, or is.
  var isGivenUp: Bool { phase.rawValue >= Phase.dropped.rawValue }

  // MARK: The request

  /// The first bytes of a request are there. Not told of every request: one whose line comes with them has just begun.
  mutating func requestArrives() -> Actions {
    guard phase == .idle else { return [] }
    phase = .arriving
    return unlessHalfClosed(.expectHead)
  }

  /// The request line is there.
  mutating func requestBegan() -> Actions {
    switch phase {
    case .idle:
      phase = .head
      return unlessHalfClosed(.expectHead).union(.beginRequest)
    // The deadline runs from the first byte.
    case .arriving:
      phase = .head
      return .beginRequest
    default: return []
    }
  }

  /// libmicrohttpd passes on the head, a piece of the body, or nothing: then the request is complete.
  mutating func arrived(bytes: Int) -> Arrival {
    switch phase {
    case .head: return .head
    case .body where bytes > 0: return .body
    case .body:
      phase = .handling
      return .complete
    case .idle, .arriving, .handling, .pending, .dropped, .ended, .closed: return .close
    default: return bytes > 0 ? .discard : .close
    }
  }

  /// The head is sound, and was not answered.
  mutating func headAccepted() -> Actions {
    guard phase == .head else { return [] }
    phase = .body
    return unlessHalfClosed(.expectBody)
  }

  /// The handler was given the request.
  mutating func handlerReturned() -> Actions {
    guard phase == .handling else { return [] }
    phase = .pending
    isSuspended = true
    return isHalfClosed ? [.expectEnd, .suspend] : [.suspend]
  }

  /// libmicrohttpd refuses the request by itself; the answer is given at once, and takes that path. Nil when none is owed.
  mutating func libraryRefuses(_ path: Path) -> Actions? {
    guard phase.rawValue <= Phase.body.rawValue else { return nil }
    let actions: Actions = isOpen ? [] : [.beginRequest]
    phase = path == .socket ? .body : .head
    return actions
  }

  // MARK: The answer

  /// How an answer given now reaches the client. `bodyFollows`: the client announced a body, and sends it without asking.
  func path(bodyFollows: Bool) -> Path {
    switch phase {
    case .handling, .pending: .library
    case .head: bodyFollows ? .socket : .library
    case .body: .socket
    default: .none
    }
  }

  /// An answer was handed to libmicrohttpd, or could not be.
  mutating func answered(isQueued: Bool, isStream: Bool, endsByItself: Bool = false) -> Actions {
    guard owesAnswer || phase == .head else { return [] }
    streamEndsByItself = endsByItself
    let actions: Actions = isSuspended ? [.resume] : []
    isSuspended = false
    if isQueued {
      phase = isStream ? .streaming : .answered
      isReaderTimed = true
      return actions.union(isStream && !endsByItself ? .expectListener : .expectReader)
    }
    phase = .dropped
    return actions.union(isStream ? [.closeStream, .expectNothing, .shutDown] : [.expectNothing, .shutDown])
  }

  /// An answer goes past libmicrohttpd, to the socket.
  mutating func answeredDirectly() -> Actions {
    guard phase == .head || phase == .body else { return [] }
    phase = .lingering
    return [.expectEnd]
  }

  /// The client has taken all that was written so far.
  mutating func drained() -> Actions {
    guard phase == .sleeping else { return [] }
    isReaderTimed = false
    return isHalfClosed ? [.expectEnd] : [.expectNothing]
  }

  // MARK: The stream

  /// The stream has something again.
  mutating func woken() -> Actions {
    switch phase {
    case .sleeping:
      phase = .streaming
      defer { isReaderTimed = true }
      return isReaderTimed ? [.write] : [.write, .expectReader]
    case .reading:
      phase = .readingWoken
      return []
    default: return []
    }
  }

  /// The stream is about to be read: by libmicrohttpd, or past it; false when that one is not to read it.
  mutating func readBegan(byLibrary: Bool) -> Bool {
    guard phase == .streaming, isSuspended != byLibrary else { return false }
    phase = .reading
    return true
  }

  /// libmicrohttpd was given what the stream had; `room` is how many bytes it has asked for.
  mutating func readEnded(_ read: StreamRead, room: Int) -> Actions {
    guard phase == .reading || phase == .readingWoken else { return [.breakStream] }
    let wasWoken = phase == .readingWoken
    phase = .streaming
    switch read {
    case .bytes(let count), .all(let count): return 1 <= count && count <= room ? [] : [.breakStream]
    case .end: return []
    case .nothing:
      isSuspended = true
      // Woken while it was read: that wake-up must not be lost.
      if wasWoken { return [.suspend, .write] }
      phase = .sleeping
      return [.suspend]
    }
  }

  /// What the stream had was written past libmicrohttpd, or as much of it as the client takes.
  mutating func written(_ written: ChunkWriter.Written) -> Actions {
    guard phase == .reading || phase == .readingWoken else { return [] }
    let wasWoken = phase == .readingWoken
    phase = .streaming
    switch written {
    case .all where wasWoken, .some: return [.write]
    case .all:
      phase = .sleeping
      return []
    case .blocked:
      phase = .blocked
      return [.awaitRoom]
    case .end:
      isSuspended = false
      return [.resume]
    case .broken: return drop()
    }
  }

  /// The client has taken so much that there is room in the socket again.
  mutating func hasRoom() -> Actions {
    guard phase == .blocked else { return [] }
    phase = .streaming
    return [.write]
  }

  // MARK: The end

  /// The time of what the connection's watch expects is over.
  mutating func expired() -> Actions {
    switch phase {
    case .idle, .arriving, .head, .lingering, .ended: [.shutDown]
    case .body: isHalfClosed ? drop() : [.refuse]
    case .handling, .pending, .answered, .streaming, .reading, .readingWoken, .sleeping, .blocked: drop()
    case .dropped, .closed: []
    }
  }

  /// Both directions are gone. Between requests the library may have been the one who ended it, and not come across it again.
  mutating func hungUp() -> Actions {
    switch phase {
    case .idle, .arriving, .ended: [.shutDown]
    default: owesAnswer || isStreaming ? drop() : []
    }
  }

  /// The client sends no more. One that waits for an answer may still read it, also one that comes piece by piece; one that reads an
  /// endless stream has left. What it has sent of a request may be all of it, and not read yet: it gets the grace as well.
  mutating func halfClosed() -> Actions {
    guard !isHalfClosed else { return [] }
    isHalfClosed = true
    switch phase {
    case .idle, .arriving, .head, .body, .handling, .pending: return [.expectEnd]
    case .sleeping where streamEndsByItself: return isReaderTimed ? [] : [.expectEnd]
    case .streaming, .reading, .readingWoken, .sleeping, .blocked: return streamEndsByItself ? [] : drop()
    case .answered, .lingering, .dropped, .ended, .closed: return []
    }
  }

  /// libmicrohttpd is done with the request; the connection may see another. The grace of one that lingers goes on.
  mutating func requestEnded() -> Actions {
    guard isOpen else { return [] }
    let actions = debts.union(.endRequest)
    let isLast = phase == .dropped || phase == .lingering
    phase = isLast ? .ended : .idle
    return isLast ? actions : actions.union(isHalfClosed ? .expectEnd : .expectRequest)
  }

  /// The connection is about to be closed: nothing follows.
  mutating func connectionClosed() -> Actions {
    guard phase != .closed else { return [] }
    let actions = isOpen ? debts.union(.endRequest) : []
    phase = .closed
    return actions.union(.endConnection)
  }

  /// The connection is to end without any more of an answer.
  mutating func drop() -> Actions {
    guard !isGivenUp else { return [] }
    let actions = debts.union(isSuspended ? [.expectNothing, .shutDown, .resume] : [.expectNothing, .shutDown])
    isSuspended = false
    phase = isOpen ? .dropped : .ended
    return actions
  }

  /// The grace of a client that has half-closed is all it gets.
  private func unlessHalfClosed(_ actions: Actions) -> Actions { isHalfClosed ? [] : actions }

  private var isStreaming: Bool { Phase.streaming.rawValue...Phase.blocked.rawValue ~= phase.rawValue }

  /// Who has to be told when the request ends now.
  private var debts: Actions { owesAnswer || phase == .body ? [.abandon] : isStreaming ? [.closeStream] : [] }
}
