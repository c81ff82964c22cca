import CLinux
import CMicroHTTPD
import Logging

/// One libmicrohttpd daemon without threads. Only this file calls the library, and the library calls back only into this file;
/// all others see values of Swift. All of it runs on the reactor's thread, the callbacks inside `run`.
struct Daemon {
  /// The library's limits.
  struct Limits {
    var idleSeconds: Int64
    /// Bytes of each connection's head, records of headers, and answer's head.
    var connectionMemory: Int
  }

  /// The release of the library that is linked.
  static var release: String { String(cString: MHD_get_version()) }

  /// What a response over no bytes points to: the library wants an address even then.
  static var emptyBody: UnsafeRawPointer { UnsafeRawPointer(("" as StaticString).utf8Start) }

  /// The words that stand behind a status; none for a status the library does not know.
  static func reason(_ status: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(text: MHD_get_reason_phrase_for(UInt32(clamping: status)))
  }

  private let raw: OpaquePointer

  /// Starts a daemon that is handed its connections. The owner has to live until `stop` has returned. Throws when the library
  /// does not know how to be that strict.
  init(limits: Limits, strictness: ParserStrictness, owner: NestedDaemon) throws(HTTPServerError) {
    cmhd_ignore_broken_pipes()
    cmhd_stand_in_front(refusing)
    let settings = cmhd_settings(
      timeout_seconds: UInt32(clamping: limits.idleSeconds), connection_memory: limits.connectionMemory,
      is_strict: strictness == .strict ? 1 : 0)
    let owner = Unmanaged.passUnretained(owner).toOpaque()
    guard let raw = cmhd_start(settings, arrived, requestBegan, requestEnded, connectionChanged, logged, owner) else {
      throw .last("MHD_start_daemon")
    }
    self.raw = raw
  }

  /// Hands a connection over; false when the library has closed it. Else it calls `NestedDaemon.opened`, before this returns or in
  /// its next run, or closes it then.
  func add(_ accepted: Accepted) -> Bool {
    withUnsafePointer(to: accepted.peer.address) { cmhd_add(raw, accepted.descriptor, $0, accepted.peer.length) != 0 }
  }

  /// Readable when the daemon wants to run.
  var epollDescriptor: CInt { cmhd_epoll_descriptor(raw) }

  /// Reads, calls back and writes, for every connection that is ready.
  func run() { cmhd_run(raw) }

  /// Milliseconds after which it wants to run although nothing is ready; nil: it does not.
  var patience: Int64? {
    let wait = cmhd_wait(raw)
    return wait < 0 ? nil : wait
  }

  /// Closes all connections and frees the daemon. The library aborts the process when a connection is still suspended.
  func stop() { MHD_stop_daemon(raw) }
}

extension Daemon {
  /// One connection, for as long as the daemon has it.
  struct Connection {
    /// Bytes of a stream that the kernel takes and has not sent yet, roughly.
    private static let unsentOfStream: CInt = 128 << 10

    fileprivate let raw: OpaquePointer
    private(set) var isFirst = false

    fileprivate init(_ raw: OpaquePointer) { self.raw = raw }

    var descriptor: CInt { cmhd_descriptor(raw) }

    /// Bytes of the request's head.
    var headSize: Int { cmhd_head_size(raw) }

    /// Hands each header line to the validator, until it takes no more.
    func readHeaders(into validator: inout HeadValidator) {
      _ = withUnsafeMutablePointer(to: &validator) { cmhd_headers(raw, headerRead, $0) }
    }

    /// Has the library come to the connection before all others in each of its runs, or in its order again. Only when not suspended.
    /// A connection that was resumed is read before its answer is written, and at the end of input the library closes it: a client
    /// that has sent all it will would lose its answer. One that comes first has its answer made ready before that, and then the
    /// library writes, and reads only when all is written.
    mutating func goFirst(_ first: Bool) {
      if first != isFirst { cmhd_go_first(raw, first ? 1 : 0) }
      isFirst = first
    }

    /// Only inside `Exchange.arrived` and `Exchange.read`, and only when not suspended.
    func suspend() { MHD_suspend_connection(raw) }

    /// Only when suspended. The daemon goes on with the connection in its next run.
    func resume() { MHD_resume_connection(raw) }

    /// Has the library close, within a second, a connection on which no answer is owed any more. Called after the shutdown, or at
    /// the stream's end.
    ///
    /// When a stream breaks, or ends in HTTP/1.0, libmicrohttpd marks the connection as closed, and frees it only when it
    /// comes across it again. Without a timeout of its own that is when no older connection is at rest; with one, in each run.
    func giveUp() { cmhd_give_up(raw) }

    /// Whether the library has closed the connection, which it may tell only when it comes across it again, or is about to: it shuts down
    /// the sending half, and frees the memory, without a word to the client when it makes no request out of what came.
    var isClosed: Bool { send(descriptor, nil, 0, CInt(MSG_NOSIGNAL)) != 0 }

    /// Queues an answer over bytes that stay where they are until the request has ended; false when it is not taken.
    func queue(_ head: AnswerHead, body: UnsafeRawBufferPointer, closes: Bool, logger: Logger) -> Bool {
      queue(head, cmhd_bytes(body.baseAddress ?? emptyBody, body.count), closes, logger)
    }

    /// Queues an answer whose body is read from the exchange, piece by piece; false when it is not taken.
    func queue(
      _ head: AnswerHead, readingFrom exchange: Exchange, asChunks: Bool, closes: Bool, logger: Logger
    ) -> Bool {
      // Without it the kernel takes up to 4 MB for a client that reads slowly, which is old when that gets it.
      var unsent = Self.unsentOfStream
      setsockopt(descriptor, CInt(IPPROTO_TCP), TCP_NOTSENT_LOWAT, &unsent, socklen_t(MemoryLayout<CInt>.size))
      let response = cmhd_stream(streamRead, Unmanaged.passUnretained(exchange).toOpaque(), asChunks ? 1 : 0)
      return queue(head, response, closes, logger)
    }

    /// Queues the head of a stream, which closes the connection; false when it is not taken.
    func queue(headOnly head: AnswerHead, of exchange: Exchange, logger: Logger) -> Bool {
      queue(head, cmhd_stream_head(streamRead, Unmanaged.passUnretained(exchange).toOpaque()), false, logger)
    }

    private func queue(_ head: AnswerHead, _ response: OpaquePointer?, _ closes: Bool, _ logger: Logger) -> Bool {
      guard let response else { return false }
      let lines = ReusedBytes()
      head.append(to: lines, logger: logger)
      cmhd_add_lines(response, lines.bytes.baseAddress, lines.count)
      if closes {
        _ = cmhd_add_header(
          response, ("Connection" as StaticString).utf8Start, ("close" as StaticString).utf8Start)
      }
      if cmhd_queue(raw, UInt32(clamping: head.status), response) != 0 { return true }
      logger.info("libmicrohttpd took no answer", metadata: ["status": .stringConvertible(head.status)])
      return false
    }
  }
}

/// The status and the headers of an answer.
struct AnswerHead {
  let status: Int
  /// Empty: none is named.
  let contentType: StaticString
  let requestID: String
  let headers: [(StaticString, String)]
  /// What every answer has; nil: what is usual.
  var standing: StandingHeaders?

  /// Appends the header lines, each ended by CR LF.
  func append(to lines: ReusedBytes, logger: Logger) {
    if let standing { lines.append(text: standing.lines) } else { lines.append(StandingHeaders.usual) }
    lines.appendLine("X-Request-Id", requestID)
    if contentType.utf8CodeUnitCount > 0 { lines.appendLine("Content-Type", contentType) }
    for (name, value) in headers {
      if value.utf8.span.withUnsafeBytes({ $0.holdsControl }) {
        logger.info("response header dropped: not valid in HTTP", metadata: ["name": "\(name)"])
      } else {
        lines.appendLine(name, value)
      }
    }
  }
}

// MARK: What the library calls

/// The context of a connection and of its requests is its exchange. It is not even held for the time of the call, of which there are
/// several for each request, and two for each event of a stream: the server holds it until the connection is closed.
private func withExchange<Result>(_ context: UnsafeMutableRawPointer, _ body: (Exchange) -> Result) -> Result {
  Unmanaged<Exchange>.fromOpaque(context)._withUnsafeGuaranteedRef(body)
}

/// The owner of a daemon gives it its turns.
private func daemon(_ owner: UnsafeMutableRawPointer) -> NestedDaemon {
  Unmanaged.fromOpaque(owner).takeUnretainedValue()
}

private func connectionChanged(
  _ owner: UnsafeMutableRawPointer?, _ connection: OpaquePointer?,
  _ context: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, _ code: MHD_ConnectionNotificationCode
) {
  guard let owner, let connection, let context else { return }
  if let opened = context.pointee {
    context.pointee = nil
    // The server lets go of it within the call.
    daemon(owner).closed(Unmanaged<Exchange>.fromOpaque(opened).takeUnretainedValue())
  } else if let exchange = daemon(owner).opened(.init(connection)) {
    context.pointee = Unmanaged.passUnretained(exchange).toOpaque()
  }
}

/// Called with the request line, before the target is taken apart; what it returns is the request's context.
private func requestBegan(
  _ owner: UnsafeMutableRawPointer?, _ target: UnsafePointer<CChar>?, _ connection: OpaquePointer?
) -> UnsafeMutableRawPointer? {
  guard let connection, let context = cmhd_owner(connection) else { return nil }
  withExchange(context) { $0.requestBegan(UnsafeRawBufferPointer(text: target)) }
  return context
}

/// Called with the head, with each piece of the body, and at the end.
private func arrived(
  _ owner: UnsafeMutableRawPointer?, _ connection: OpaquePointer?, _ target: UnsafePointer<CChar>?,
  _ method: UnsafePointer<CChar>?, _ version: UnsafePointer<CChar>?, _ data: UnsafePointer<CChar>?,
  _ size: UnsafeMutablePointer<Int>?, _ context: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> MHD_Result {
  guard let context = context?.pointee, let target, let method, let version, let size else { return .NO }
  let line = RequestHead.Line(
    method: UnsafeRawBufferPointer(text: method), target: target,
    version: UnsafeRawBufferPointer(start: version, count: RequestHead.Line.versionLength))
  let piece = UnsafeRawBufferPointer(start: data, count: size.pointee)
  size.pointee = 0
  return withExchange(context) { exchange in
    // libmicrohttpd 1.0.1 takes the line feed behind a chunk's extension for the chunk's first byte. So it refuses extensions, but for
    // those of chunks that are a byte short.
    if let data, piece.first == 0x0A, data[-1] == 0x0D, exchange.count(of: .transferEncoding) > 0 {
      return exchange.libraryRefuses(400) == .none ? .NO : .YES
    }
    return exchange.arrived(line, piece) ? .YES : .NO
  }
}

private func headerRead(
  _ owner: UnsafeMutableRawPointer?, _ kind: MHD_ValueKind, _ name: UnsafePointer<CChar>?, _ nameLength: Int,
  _ value: UnsafePointer<CChar>?, _ length: Int
) -> MHD_Result {
  guard let validator = owner?.assumingMemoryBound(to: HeadValidator.self) else { return .NO }
  let name = UnsafeRawBufferPointer(start: name, count: nameLength)
  return validator.pointee.take(name, UnsafeRawBufferPointer(start: value, count: length)) ? .YES : .NO
}

private func streamRead(
  _ context: UnsafeMutableRawPointer?, _ position: UInt64, _ room: UnsafeMutablePointer<CChar>?, _ count: Int
) -> Int {
  guard let context, let room else { return cmhd_broken_stream() }
  let free = UnsafeMutableRawBufferPointer(start: room, count: count)
  switch withExchange(context, { $0.read(into: free) }) {
  case .bytes(let count), .all(let count): return count
  case .nothing: return 0
  case .end: return cmhd_end_of_stream()
  case nil: return cmhd_broken_stream()
  }
}

/// Called when the library refuses a request by itself.
private func refusing(_ context: UnsafeMutableRawPointer?, _ status: UInt32) -> CInt {
  guard let context else { return CInt(CMHD_LET_REFUSE) }
  switch withExchange(context, { $0.libraryRefuses(Int(status)) }) {
  case .library: return CInt(CMHD_ANSWERED)
  case .socket: return CInt(CMHD_CLOSE)
  case .none: return CInt(CMHD_LET_REFUSE)
  }
}

private func requestEnded(
  _ owner: UnsafeMutableRawPointer?, _ connection: OpaquePointer?,
  _ context: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, _ code: MHD_RequestTerminationCode
) {
  guard let context = context?.pointee else { return }
  withExchange(context) { $0.requestEnded() }
}

private func logged(
  _ owner: UnsafeMutableRawPointer?, _ format: UnsafePointer<CChar>?, _ arguments: CVaListPointer?
) {
  guard let owner, let format, let arguments else { return }
  let logger = daemon(owner).logger
  guard logger.logLevel <= .debug else { return }
  let text = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 512) { room -> String in
    guard let start = room.baseAddress, vsnprintf(start, room.count, format, arguments) >= 0 else { return "" }
    return String(cString: start)
  }
  logger.debug("libmicrohttpd: \(text.split(separator: "\n").joined(separator: " "))")
}

extension UnsafeRawBufferPointer {
  /// The bytes before the NUL that ends the text; empty for none.
  fileprivate init(text: UnsafePointer<CChar>?) { self.init(start: text, count: text.map(strlen) ?? 0) }
}
