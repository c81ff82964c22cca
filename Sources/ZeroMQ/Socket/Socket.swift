import CZeroMQ
import Glibc
public import Reactor

/// One libzmq socket, confined to the thread that created it. No call waits: what cannot be done now is refused.
///
/// A socket lives in a `Loop` through a `LoopSocket`. It closes itself when the last reference goes.
public final class Socket {
  /// Which pattern it speaks.
  public let kind: SocketKind
  let raw: UnsafeMutableRawPointer
  /// A PUB that is an XPUB to libzmq, which alone tells of subscriptions.
  private(set) var isWatching = false
  /// Whether subscriptions come as messages.
  var tellsSubscriptions: Bool { isWatching || kind == .xPublish }
  /// An XPUB tells of each subscription and each end of one, and not only of the first and the last of a prefix.
  private(set) var tellsEachEnd = false
  private var routingIDs: GivenRoutingIDs
  /// Called when somebody has asked for its readiness.
  var wasLookedAt: () -> Void = {}
  /// The peer of a STREAM is named, and the frame that follows is for it.
  private var isMidway = false
  // A context must outlive its sockets.
  let context: Context

  /// Creates a socket with its options set, neither bound nor connected.
  public init(_ kind: SocketKind, in context: Context, options: SocketOptions = .init()) throws(ZMQError) {
    isWatching = kind == .publish && options.watchesSubscribers
    raw = try context.socket(isWatching ? .xPublish : kind)
    self.kind = kind
    self.context = context
    routingIDs = GivenRoutingIDs(kind)
    try options.apply(to: self)
  }

  /// Takes over a socket that C has made.
  init(adopting raw: UnsafeMutableRawPointer, _ kind: SocketKind, in context: Context) {
    self.raw = raw
    self.kind = kind
    self.context = context
    routingIDs = GivenRoutingIDs(kind)
    // What C has done with it is not known.
    routingIDs.expectOthers()
  }

  deinit { zmq_close(raw) }

  /// Binds, and returns the endpoint with wildcards resolved, such as the port that `tcp://127.0.0.1:*` got. A host's name, unless it is an
  /// address or an interface, libzmq looks up here, and this waits for that; a `Transport` does not. Throws `invalid` for a STREAM over inproc,
  /// and EMFILE over TCP when no descriptor is free.
  @discardableResult
  public func bind(_ endpoint: String) throws(ZMQError) -> String {
    // Else libzmq ends the process when a socket has a peer to ask about.
    guard endpoint != ZAPSocket.address || kind == .router else {
      throw ZMQError(code: .invalid, call: "bind to \(endpoint), which belongs to the Authenticator")
    }
    try requireBytes(at: endpoint, "bind to")
    let listener = try listener(for: endpoint)
    // To look for an interface of that name, libzmq asks for a list of them, and ends the process when it has no descriptor to do so.
    if endpoint.hasPrefix("tcp://") { try FreeDescriptors.require(2, for: "bind to \(endpoint)") }
    try check("zmq_bind(\(endpoint))") { zmq_bind(raw, endpoint) }
    routingIDs.expectOthers()
    // Else libzmq would take it for the next binding too, and close it twice.
    if listener != nil { try set(.listener, to: nil) }
    var text = [CChar](repeating: 0, count: 1_024)
    var count = text.count
    try check("zmq_getsockopt(ZMQ_LAST_ENDPOINT)") { zmq_getsockopt(raw, ZMQ_LAST_ENDPOINT, &text, &count) }
    return String(decoding: text[..<max(0, count - 1)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// The descriptor that libzmq will listen at, in place of one that it makes.
  func listener(for endpoint: String) throws(ZMQError) -> Int? {
    guard let listener = try option(.listener) else { return nil }
    guard endpoint.hasPrefix("tcp://"), OptionValue.listens(CInt(clamping: listener)) else {
      throw ZMQError(
        code: .invalid, call: "bind to \(endpoint) with ZMQ_USE_FD, which is for tcp and a socket that listens")
    }
    return listener
  }

  /// Begins to connect. It returns at once; whether a peer is there, a `Monitor` tells. Throws `invalid` for a STREAM over inproc.
  public func connect(_ endpoint: String) throws(ZMQError) {
    try requireBytes(at: endpoint, "connect to")
    if givesRoutingID, !endpoint.hasPrefix("inproc://"), try option(.immediate) {
      throw ZMQError(code: .invalid, call: "ZMQ_CONNECT_ROUTING_ID with the option immediate, where libzmq gives none")
    }
    guard let id = try routingIDs.take() else { return try begin(endpoint) }
    try check("zmq_setsockopt(ZMQ_CONNECT_ROUTING_ID)") { zmq_setsockopt(raw, ZMQ_CONNECT_ROUTING_ID, id, id.count) }
    do { try begin(endpoint) } catch {
      routingIDs.wasNotGiven(id)
      throw error
    }
  }

  /// As `connect`, but not because its user says so just now: an ID that is set waits for the connection that is meant.
  func connectAgain(_ endpoint: String) throws(ZMQError) {
    try routingIDs.passOver()
    try begin(endpoint)
  }

  private func begin(_ endpoint: String) throws(ZMQError) {
    try check("zmq_connect(\(endpoint))") { zmq_connect(raw, endpoint) }
  }

  /// A STREAM is for peers that send bytes, which over inproc there are none: libzmq 4.3.4 ends the process.
  private func requireBytes(at endpoint: String, _ call: String) throws(ZMQError) {
    guard kind == .stream, endpoint.hasPrefix("inproc://") else { return }
    throw ZMQError(
      code: .invalid, call: "\(call) \(endpoint) with a STREAM socket, which is for TCP; use PAIR or DEALER")
  }

  /// The next connection is to give its peer a routing ID.
  var givesRoutingID: Bool { routingIDs.next != nil }

  /// Peers may come later that bring their own routing IDs.
  func expectOthers() { routingIDs.expectOthers() }

  /// Closes a binding, by the text that `bind` returned. Over tcp and ipc libzmq ends the connections that came in there as well, and drops what it
  /// has still to send to them; over inproc they stay.
  public func unbind(_ endpoint: String) throws(ZMQError) {
    try check("zmq_unbind(\(endpoint))") { zmq_unbind(raw, endpoint) }
  }

  /// Ends the connection to an endpoint, by the text it was connected with.
  public func disconnect(_ endpoint: String) throws(ZMQError) {
    try check("zmq_disconnect(\(endpoint))") { zmq_disconnect(raw, endpoint) }
  }

  /// Receives what begins with the prefix; the empty one means everything. libzmq counts equal subscriptions.
  /// Throws for a prefix longer than `longestPrefix`.
  public func subscribe(_ prefix: [UInt8]) throws(ZMQError) { try set(.subscribe, to: prefix) }

  /// The longest prefix that can be subscribed to, in bytes: libzmq 4.3.4 corrupts its subscription stream with longer ones.
  public static let longestPrefix = 245

  /// Takes one subscription to the prefix back.
  public func unsubscribe(_ prefix: [UInt8]) throws(ZMQError) { try set(.unsubscribe, to: prefix) }

  /// Sends one frame of a message. False when there is no room or no peer: then nothing was sent. A long frame counts in the budget
  /// until libzmq lets go of it. Throws `invalid` for what would spoil what is sent afterwards: other than two frames on a STREAM, a
  /// subscription of more than `longestPrefix` bytes on an XSUB.
  public func send(_ frame: UnsafeRawBufferPointer, more: Bool, memory: MemoryBudget? = nil) throws(ZMQError) -> Bool {
    guard kind == .stream else {
      let fault = kind == .xSubscribe ? SocketKind.fault(ofSubscription: frame) : nil
      if let fault { throw ZMQError(code: .invalid, call: fault) }
      return try put(frame, more: more, memory: memory)
    }
    guard more != isMidway else { throw ZMQError(code: .invalid, call: SocketKind.wrongCount(more ? 3 : 1)) }
    guard try put(frame, more: more, memory: memory) else { return false }
    isMidway = more
    return true
  }

  private func put(_ frame: UnsafeRawBufferPointer, more: Bool, memory: MemoryBudget?) throws(ZMQError) -> Bool {
    let flags = ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0)
    if let memory, frame.count >= MemoryBudget.smallest {
      return try CountedFrame.send(frame, on: raw, flags: flags, budget: memory)
    }
    return try attempt("zmq_send") { zmq_send(raw, frame.baseAddress, frame.count, flags) } != nil
  }

  /// What became of a message that libzmq was offered.
  enum Offering {
    case whole
    /// There was no room or no peer: nothing was taken.
    case refused
    /// The connection died between two frames, and the message with it.
    case lost
  }

  /// Offers the frames of a message one after the other; `send` is given which, and whether more follow, and returns false when it is
  /// refused. Throws `invalid` for a message that this kind must not send (`SocketKind.fault`): nothing of it is offered.
  @inline(__always)
  func offer(
    _ count: Int, _ frame: (Int) -> UnsafeRawBufferPointer, _ send: (Int, Bool) throws(ZMQError) -> Bool
  ) throws(ZMQError) -> Offering {
    if let fault = kind.fault(ofFrames: count, frame) { throw ZMQError(code: .invalid, call: fault) }
    var isWhole = true
    for index in 0..<count {
      if try send(index, index < count - 1) { continue }
      // Refused at the first frame, nothing was taken. When the connection dies between two frames, libzmq discards the frames
      // it has, refuses this one, and discards those that follow: each has to be offered, up to the last.
      if index == 0 { return .refused }
      isWhole = false
    }
    return isWhole ? .whole : .lost
  }

  /// Sends a whole message, or nothing: false when there is no room or no peer, or the connection died between two frames. Long frames
  /// count in the budget.
  func send(_ frames: Span<UnsafeRawBufferPointer>, memory: MemoryBudget?) throws(ZMQError) -> Bool {
    try offer(frames.count, { frames[$0] }) { index, more throws(ZMQError) in
      try put(frames[index], more: more, memory: memory)
    } == .whole
  }

  /// As `send` of frames that are lent; no bytes of long frames are copied.
  func send(_ message: Message) throws(ZMQError) -> Bool {
    try offer(message.count, message.bytes) { index, more throws(ZMQError) in
      try send(copyOf: message.place(index), more: more)
    } == .whole
  }

  /// Sends a frame and keeps it; false when it is refused. A long one is shared, not copied.
  func send(copyOf frame: UnsafeMutablePointer<zmq_msg_t>, more: Bool) throws(ZMQError) -> Bool {
    var copy = zmq_msg_t()
    zmq_msg_init(&copy)
    // One that was taken is left empty, and closing it is then nothing.
    defer { zmq_msg_close(&copy) }
    try check("zmq_msg_copy") { zmq_msg_copy(&copy, frame) }
    return try attempt("zmq_msg_send") { zmq_msg_send(&copy, raw, ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0)) } != nil
  }

  /// False while it is the turn of a REQ or REP to send: then libzmq calls it an error to receive.
  var hasTurnToReceive: Bool {
    get throws(ZMQError) { if kind.takesTurns { try look().contains(.input) } else { true } }
  }

  /// Takes a frame into a place, and frees what that held. Returns how many bytes it has; nil when there is none.
  @inline(__always)
  func receive(into place: UnsafeMutablePointer<zmq_msg_t>) throws(ZMQError) -> Int? {
    guard let size = try attempt("zmq_msg_recv", { zmq_msg_recv(place, raw, ZMQ_DONTWAIT) }) else { return nil }
    return Int(size)
  }

  /// Gives the source turns whenever libzmq's descriptor says that the socket is worth a look.
  func watch(on loop: Loop, _ source: any Source) throws(ZMQError) -> Watch {
    let descriptor = try descriptor
    do {
      let watch = try loop.watch(descriptor, source)
      // What has come before would not fire the descriptor again.
      watch.schedule()
      return watch
    } catch {
      throw ZMQError(code: .init(rawValue: error.errno), call: error.call)
    }
  }

  /// Starts to report connection events at an inproc address.
  func monitor(at address: String, events: CInt) throws(ZMQError) {
    try check("zmq_socket_monitor") { zmq_socket_monitor(raw, address, events) }
  }

  /// Ends the reports. Before the end that reads them is closed, as libzmq's I/O thread would wait for it for ever.
  func stopMonitor() { zmq_socket_monitor(raw, nil, 0) }

  /// What libzmq would let one do now. A socket that lives in a loop has a turn afterwards.
  public var readiness: Readiness {
    get throws(ZMQError) {
      defer { wasLookedAt() }
      return try look()
    }
  }

  /// As `readiness`, for who looks at the socket again in any case. It makes libzmq look at its inbox, which its edge-triggered descriptor
  /// asks for (`zmq_getsockopt(3)`, ZMQ_EVENTS): for what it finds there, that does not fire again.
  func look() throws(ZMQError) -> Readiness { Readiness(rawValue: try integer(ZMQ_EVENTS)) }

  /// The descriptor that becomes readable when `readiness` is worth another look. Only to be watched.
  public var descriptor: CInt { get throws(ZMQError) { try integer(ZMQ_FD) } }

  // MARK: Options

  func set(_ value: OptionValue) throws(ZMQError) {
    if value.number == ZMQ_CONNECT_ROUTING_ID, kind == .router || kind == .stream {
      return try routingIDs.set(value.bytes)
    }
    try requireHarmless(value)
    try check("zmq_setsockopt(\(value.name))") { zmq_setsockopt(raw, value.number, value.bytes, value.bytes.count) }
    switch value.number {
    case ZMQ_XPUB_VERBOSER: tellsEachEnd = !value.isZero
    case ZMQ_XPUB_VERBOSE: tellsEachEnd = false
    default: break
    }
  }

  /// Sets the option immediate, also after the first endpoint: libzmq goes on with what was connected to before as it was.
  func queueOnlyForConnected() throws(ZMQError) {
    guard try !option(.immediate) else { return }
    var value: CInt = 1
    try check("zmq_setsockopt(ZMQ_IMMEDIATE)") {
      zmq_setsockopt(raw, ZMQ_IMMEDIATE, &value, MemoryLayout<CInt>.size)
    }
  }

  func integer(_ option: CInt) throws(ZMQError) -> CInt {
    var value: CInt = 0
    var size = MemoryLayout<CInt>.size
    try check("zmq_getsockopt(\(option))") { zmq_getsockopt(raw, option, &value, &size) }
    return value
  }
}
