import CLinux
import Logging
public import Reactor

/// One request and its answer. There is one object for a connection, used again for each request on it, so a handler keeps
/// it no longer than until the answer is complete or `abandoned` was called.
///
/// The body is gathered, and the handler gets the complete request. While it owes the answer the connection is suspended: libmicrohttpd
/// does not look at it, and `ConnectionWatch` sees whether the client leaves. `respond` resumes it, and the daemon writes the answer in
/// its run at the end of the turn. A stream's connection is suspended when it has nothing to say, and from then on until it ends: after
/// each `wake`, `ChunkWriter` writes what it has. What may happen when is decided by `ExchangeState`; `perform` does what it says.
public final class Exchange {
  private let server: Server, daemon: NestedDaemon
  @exclusivity(unchecked) private var connection: Daemon.Connection
  private let descriptor: CInt
  /// As what it was let in.
  let admission: Admission
  private var state = ExchangeState()
  @exclusivity(unchecked) private var watch: ConnectionWatch?
  private var stream: (any BodyStream)?
  private let head = RequestHead()
  private let bytes: ExchangeBytes
  /// Where libmicrohttpd has the head, until it closes the connection.
  @exclusivity(unchecked) private var libraryMemory: ConnectionMemory
  /// The handler's own object. It survives from request to request on this connection.
  public var context: AnyObject?
  /// What every answer to this request has, a rejection too; nil: what is usual. Forgotten at the request's end.
  @exclusivity(unchecked) public var standingHeaders: StandingHeaders?

  init(_ connection: Daemon.Connection, of daemon: NestedDaemon, admission: Admission, server: Server) {
    self.daemon = daemon
    self.connection = connection
    descriptor = connection.descriptor
    self.admission = admission
    self.server = server
    bytes = ExchangeBytes(in: server.memory)
    libraryMemory = ConnectionMemory(size: daemon.connectionMemory, beginsWithLine: admission.beginsWithLine)
  }

  /// The method of the request.
  public var method: HTTPMethod { head.method }

  /// Path and query of the request as the client wrote them, undecoded. Valid until the request was answered.
  public var target: UnsafeRawBufferPointer { head.path }

  /// Whom the request is for, a host with or without a port: from the absolute form of the target, else from `Host`
  /// (RFC 9112, 3.2.2); nil when there is neither. Valid until the request was answered.
  public var host: UnsafeRawBufferPointer? { head.host }

  /// The first value of a header, without blanks around it. Valid until the request was answered.
  public func header(_ name: KnownHeader) -> UnsafeRawBufferPointer? { head.value(name) }

  /// The values of all lines of that name, which are one list (RFC 9110, 5.3). Valid until the request was answered.
  public func values(of name: KnownHeader) -> [UnsafeRawBufferPointer] { head.values(name) }

  /// How many lines of that name the request has.
  public func count(of name: KnownHeader) -> Int { head.count(name) }

  /// The body of the request: complete within `RequestHandler.handle`, perhaps a part within `RequestHandler.refused`, else empty.
  public var body: UnsafeRawBufferPointer { bytes.body }
  /// Called within `RequestHandler.handle`: keeps the body, which counts in the memory, until `false` is passed or the request ends.
  public func holdBody(_ holds: Bool) { bytes.isBodyHeld = holds }

  /// Whether the request has a body that is not empty, or is chunked.
  public var announcesBody: Bool { head.announcesBody }
  /// Whether the declared length of the body is beyond the server's limit: unless `RequestHandler.begin` answers, the request is refused.
  public var isBodyTooLong: Bool { (head.declaredLength ?? 0) > server.options.bodyLimit }
  /// Where bodies and answers count until they are read.
  public var memory: MemoryBudget { server.memory }

  /// Names the request, in the `X-Request-Id` of its answer and wherever else: as the client did, if with 1 to 128 visible
  /// characters of ASCII, else as no other request of this server. Valid until the request was answered.
  public var requestID: String { head.requestID(orElse: &server.requestIDs) }

  /// Whether an answer was given, or has no taker any more.
  public var isAnswered: Bool { state.isAnswered }
  /// Whether only this machine can reach the server.
  public var isServerLoopback: Bool { server.isLoopback }
  /// Where the server listens.
  public var listenAddress: ListenAddress { server.address }
  /// Whether the server accepts no more requests; the answer to this one closes its connection.
  public var isServerQuiesced: Bool { server.isQuiesced }
  /// Answers with bytes. They are copied, unless an owner is named: then they live, unchanged, as long as it does, it counts them in
  /// the memory, and the exchange holds it while it needs them. Called inside a handler's call or later, once; when the client is gone,
  /// or an answer was given before, it does nothing. Answered before the body was read, the connection closes after it. The answer has
  /// the headers of every answer as well: `X-Request-Id`, and what keeps foreign pages from reading it.
  public func respond(
    _ status: Int, contentType: StaticString, headers: [(StaticString, String)] = [], body: UnsafeRawBufferPointer,
    keptBy owner: AnyObject? = nil
  ) {
    let answerHead = answerHead(status, contentType, headers)
    switch state.path(bodyFollows: head.bodyFollows) {
    case .library:
      let isQueued = connection.queue(
        answerHead, body: bytes.keep(body, by: owner), closes: daemon.closesAfterAnswer(admission),
        logger: server.logger)
      perform { $0.answered(isQueued: isQueued, isStream: false) }
    case .socket:
      perform { $0.answeredDirectly() }
      EarlyAnswer(answerHead, body: body, toHEAD: method == .head, logger: server.logger).write(to: descriptor)
    case .none: break
    }
  }

  /// Answers with a stream. To HEAD goes the same head, without a length, and no body; stream and connection are closed at once.
  public func respond(
    _ status: Int, contentType: StaticString, headers: [(StaticString, String)] = [], stream: any BodyStream
  ) {
    // Before the request is complete libmicrohttpd takes no stream: such an answer has no body.
    guard state.owesAnswer else {
      respond(status, contentType: contentType, headers: headers, body: UnsafeRawBufferPointer(start: nil, count: 0))
      return stream.closed()
    }
    let answerHead = answerHead(status, contentType, headers)
    if method == .head {
      let isQueued = connection.queue(headOnly: answerHead, of: self, logger: server.logger)
      perform { $0.answered(isQueued: isQueued, isStream: false) }
      return stream.closed()
    }
    self.stream = stream
    // A client that has half-closed before an endless stream starts is treated as gone, as one that does so later is.
    let ends = daemon.closesAfterAnswer(admission)
    let isQueued =
      (stream.endsByItself || !state.isHalfClosed)
      && connection.queue(answerHead, readingFrom: self, asChunks: !head.isHTTP10, closes: ends, logger: server.logger)
    perform { $0.answered(isQueued: isQueued, isStream: true, endsByItself: stream.endsByItself) }
  }

  private func answerHead(_ status: Int, _ type: StaticString, _ headers: [(StaticString, String)]) -> AnswerHead {
    .init(status: status, contentType: type, requestID: requestID, headers: headers, standing: standingHeaders)
  }

  /// Says that the stream has something again. Any number of calls before the stream is read make one.
  public func wake() { perform { $0.woken() } }

  // MARK: From the daemon

  /// The request line is there. Called before anything was taken apart in place.
  func requestBegan(_ target: UnsafeRawBufferPointer) {
    daemon.calledBack()
    let actions = told { $0.requestBegan() }
    if actions.contains(.beginRequest) {
      head.begin(target: target)
      InPlaceLayout.hideQuery(of: target)
    }
    carryOut(actions)
  }

  /// The head is there, or a piece of the body, or its end: an empty piece. False when the connection is to be closed.
  func arrived(_ line: RequestHead.Line, _ piece: UnsafeRawBufferPointer) -> Bool {
    daemon.calledBack()
    switch told({ $0.arrived(bytes: piece.count) }) {
    case .head: takeHead(line)
    case .body: takeBody(piece)
    case .complete: return complete()
    case .discard: break
    case .close: return false
    }
    return true
  }

  private func takeHead(_ line: RequestHead.Line) {
    head.read(line)
    libraryMemory.began(line)
    let rejection = HeadValidator.rejection(
      of: head, line, size: connection.headSize, rules: server.rules
    ) { connection.readHeaders(into: &$0) }
    let isSurplus = admission.refuses(announcingBody: head.announcesBody)
    if let rejection = rejection ?? (isSurplus ? .overloaded : nil) { return refuse(rejection) }
    server.handler.begin(self)
    guard !isAnswered else { return }
    if isBodyTooLong { return refuse(.bodyTooLarge(server.options.bodyLimit)) }
    if head.announcesBody, !server.memory.hasRoom(for: head.declaredLength ?? MemoryBudget.smallest) {
      return refuse(.memory)
    }
    perform { $0.headAccepted() }
  }

  private func takeBody(_ piece: UnsafeRawBufferPointer) {
    if let rejection = bytes.append(piece, of: head, upTo: server.options.bodyLimit) { return refuse(rejection) }
    watch?.bodyArrived(bytes: piece.count)
  }

  private func complete() -> Bool {
    watch?.expect(.nothing)
    server.handler.handle(self)
    bytes.clearBody()  // What waits for a backend is the call, not the body that it came in.
    perform { $0.handlerReturned() }
    return state.phase != .dropped
  }

  /// More of the stream is asked for; nil when it is broken.
  func read(into room: UnsafeMutableRawBufferPointer) -> StreamRead? {
    daemon.calledBack()
    connection.goFirst(false)
    guard let stream, told({ $0.readBegan(byLibrary: true) }) else {
      // The stream was dropped, perhaps while suspended: libmicrohttpd 1.0 sets no timeout then.
      giveUp()
      return nil
    }
    let read = stream.read(into: room)
    let actions = told { $0.readEnded(read, room: room.count) }
    carryOut(actions)
    let isBroken = actions.contains(.breakStream)
    if isBroken || read == .end && head.isHTTP10 { giveUp() }
    return isBroken ? nil : read
  }

  /// Writes what the stream has to the socket. At the end of a turn.
  func writeStream() {
    guard let stream, told({ $0.readBegan(byLibrary: false) }) else { return }
    let written = server.chunks.write(stream, asChunks: !head.isHTTP10, rest: bytes, to: descriptor)
    perform { $0.written(written) }
  }

  /// libmicrohttpd refuses the request by itself, with that status: this answers in its place, in that way; or does not.
  func libraryRefuses(_ status: Int) -> ExchangeState.Path {
    guard let rejection = Rejection.ofLibrary(status: status, server.options) else { return .none }
    // With a head that is complete, 0.9.75 would send the head of the answer twice.
    let path: ExchangeState.Path = connection.headSize > 0 ? .socket : .library
    guard let actions = told({ $0.libraryRefuses(path) }) else { return .none }
    carryOut(actions)
    refuse(rejection)
    return path
  }

  /// The daemon is done with the request; the connection may see another.
  func requestEnded() {
    daemon.calledBack()
    perform { $0.requestEnded() }
  }

  // MARK: From the server and the connection's watch

  /// Watches the socket and the clock from here on. The first head has been waited for since the connection was accepted.
  func start(_ watch: ConnectionWatch, acceptedAt start: Instant) {
    self.watch = watch
    watch.expect(.head, since: start)
  }

  /// The daemon has run since the connection was resumed; with a next request it may be suspended again.
  func hasRun() { if !state.isSuspended && !state.isGivenUp { connection.goFirst(false) } }

  /// No request has begun for a while, but libmicrohttpd may hold part of one, of which it has not told yet, or have closed the connection.
  func rests() {
    if connection.isClosed { return perform { $0.expired() } }
    if !libraryMemory.giveBack() { perform { $0.requestArrives() } }
  }

  /// Tells the state what has happened, and does what it says.
  func perform(_ event: (inout ExchangeState) -> ExchangeState.Actions) { carryOut(told(event)) }

  /// Changes a copy: no access to the state lasts while other code runs.
  private func told<Answer>(_ event: (inout ExchangeState) -> Answer) -> Answer {
    var next = state
    let answer = event(&next)
    state = next
    return answer
  }

  private func carryOut(_ actions: ExchangeState.Actions) {
    if actions.isEmpty { return }
    if actions.contains(.beginRequest) { daemon.requestBegan() }
    if actions.contains(.abandon) { server.handler.abandoned(self) }
    if actions.contains(.closeStream) { stream.take()?.closed() }
    if actions.contains(.endRequest) {
      head.clear()
      bytes.clear()
      standingHeaders = nil
      daemon.requestEnded()
    }
    if let wait = actions.expectation { watch?.expect(wait) }
    if actions.contains(.shutDown) {
      shutdown(descriptor, CInt(SHUT_RDWR))
      giveUp()
    }
    if actions.contains(.suspend), state.owesAnswer { connection.goFirst(true) }
    if actions.contains(.suspend) { connection.suspend() }
    if actions.contains(.resume) { daemon.resume(connection, of: self) }
    if actions.contains(.write) { daemon.writeStream(of: self) }
    if actions.contains(.awaitRoom) { watch?.reportRoom() }
    if actions.contains(.refuse) { refuse(.timeout) }
    if actions.contains(.endConnection) {
      watch.take()?.cancel()
      context = nil
    }
  }

  private func giveUp() {
    connection.giveUp()
    daemon.schedule()  // Of what it does not read the library learns nothing else.
  }

  /// Lets the handler answer a request the server will not pass on.
  private func refuse(_ rejection: Rejection) {
    server.logger.debug("request refused", metadata: ["code": "\(rejection.code)", "detail": "\(rejection.detail)"])
    server.handler.refused(self, rejection)
    if !isAnswered { respond(rejection.status, contentType: "", body: UnsafeRawBufferPointer(start: nil, count: 0)) }
  }
}
