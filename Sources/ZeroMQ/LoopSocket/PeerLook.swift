import Glibc
import Reactor

/// A look at who answers at an endpoint: what libzmq does not tell when no connection comes.
///
/// It connects by itself, greets, listens until the peer has said what it is, and leaves. The peer's socket never gets a connection
/// of it. It blocks, so it runs on threads of its own, at most `most` at one time; beyond that, endpoints wait their turn.
package final class PeerLook: Sendable {
  private struct Question {
    let endpoint: Endpoint
    let kind: SocketKind
    let user: String
    let answer: @Sendable (ConnectFault?) -> Void
  }

  private struct State {
    var waiting: [Question] = []
    var threads = 0
  }

  /// The one of this process.
  package static let shared = PeerLook(most: 8)
  /// How long a look takes at most, but for the lookup of a name.
  package static let patience = Duration.seconds(3)
  /// After how long without a word a peer is asked in another way.
  private static let silence = Duration.seconds(1)

  private let most: Int
  private let state = Guarded(State())

  /// At most that many looks at one time.
  package init(most: Int) { self.most = most }

  /// Looks for a peer of a socket of that kind, which belongs to `user`, such as "rpc". Answers on a thread of its own: nil when the
  /// peer is the right one.
  package func look(
    at endpoint: Endpoint, for kind: SocketKind, of user: String, answer: @escaping @Sendable (ConnectFault?) -> Void
  ) {
    let question = Question(endpoint: endpoint, kind: kind, user: user, answer: answer)
    let needsThread = state.withLock { state in
      state.waiting.append(question)
      guard state.threads < most else { return false }
      state.threads += 1
      return true
    }
    guard needsThread else { return }
    do {
      try startThread(name: "peer-look") { self.work() }
    } catch {
      // Those that wait are left to the threads that are there. When there are none, nothing is found, and it is looked again later.
      let left = state.withLock { state -> [Question] in
        state.threads -= 1
        guard state.threads == 0 else { return [] }
        defer { state.waiting = [] }
        return state.waiting
      }
      for question in left { question.answer(nil) }
    }
  }

  /// A thread's life: it ends when nobody waits.
  private func work() {
    while true {
      let next = state.withLock { state -> Question? in
        if !state.waiting.isEmpty { return state.waiting.removeFirst() }
        state.threads -= 1
        return nil
      }
      guard let next else { return }
      next.answer(Self.fault(at: next.endpoint, for: next.kind, of: next.user))
    }
  }

  /// Looks, and waits for the answer.
  static func fault(at endpoint: Endpoint, for kind: SocketKind, of user: String) -> ConnectFault? {
    do throws(ConnectFault) {
      let connection = try PeerConnection(endpoint, until: .monotonic() + patience)
      let found = try introduction(on: connection)
      guard !kind.peers.contains(found) else { return nil }
      return .wrongSocketType(found, user: user, needs: kind.peers[0])
    } catch {
      return error
    }
  }

  /// The kind of the socket at the other end.
  private static func introduction(on connection: borrowing PeerConnection) throws(ConnectFault) -> String {
    var greeting = PeerGreeting()
    connection.send(PeerGreeting.beginning)
    /// The rest is sent when the peer has said which mechanism it has, and to one that says nothing more by itself.
    var isGreeted = false
    while true {
      switch connection.receive(within: isGreeted ? patience : silence) {
      case .bytes(let bytes):
        switch greeting.take(bytes) {
        case .socket(let kind)?: return kind
        case .fault(let fault)?: throw fault
        case nil: break
        }
        guard greeting.isComplete, !isGreeted else { continue }
        connection.send(PeerGreeting.rest)
      case .end: throw greeting.end(closed: true)
      case .nothing:
        if isGreeted { throw greeting.end(closed: false) }
        connection.send(PeerGreeting.rest)
        if greeting.isSilent { connection.send(PeerGreeting.emptyLines) }
      }
      isGreeted = true
    }
  }
}

extension SocketKind {
  /// The kinds that a socket of this kind has to do with here, the usual one first, as ZMTP names them. A dealer sends calls without the
  /// empty frame that a REP waits for: libzmq connects the two, and the REP throws each call away.
  var peers: [String] {
    switch self {
    case .dealer: ["ROUTER", "DEALER"]
    case .router: ["DEALER", "REQ", "ROUTER"]
    case .push: ["PULL"]
    case .pull: ["PUSH"]
    case .publish: ["SUB", "XSUB"]
    case .subscribe: ["PUB", "XPUB"]
    default: ["PAIR"]
    }
  }
}

/// A plain connection to an endpoint, for a moment. Its calls block, none beyond the deadline.
private struct PeerConnection: ~Copyable {
  /// What comes in.
  enum Input {
    case bytes([UInt8])
    /// The peer has closed the connection.
    case end
    /// Nothing, in the time that was given.
    case nothing
  }

  private let descriptor: CInt
  private let deadline: Instant

  init(_ endpoint: Endpoint, until deadline: Instant) throws(ConnectFault) {
    switch endpoint.address {
    case .tcp(let host, let port): descriptor = try Self.connect(host: host, port: port, until: deadline)
    case .ipc(let path): descriptor = try Self.connect(path: path, until: deadline)
    case .inproc: throw .handshake
    }
    self.deadline = deadline
  }

  deinit { close(descriptor) }

  /// Sends some bytes, which the kernel has room for. A peer that has gone shows when its answer is read.
  func send(_ bytes: [UInt8]) { _ = Glibc.send(descriptor, bytes, bytes.count, CInt(MSG_NOSIGNAL)) }

  func receive(within limit: Duration) -> Input {
    let wanted = min(deadline, Instant.monotonic() + limit)
    guard Self.wait(descriptor, CInt(POLLIN), until: wanted) else { return .nothing }
    var bytes = [UInt8](repeating: 0, count: 1_024)
    let count = recv(descriptor, &bytes, bytes.count, CInt(MSG_DONTWAIT))
    return count > 0 ? .bytes(Array(bytes.prefix(count))) : .end
  }

  // MARK: Connecting

  private static func connect(host: String, port: UInt16, until deadline: Instant) throws(ConnectFault) -> CInt {
    var hints = addrinfo()
    hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
    var first: UnsafeMutablePointer<addrinfo>?
    let failure = getaddrinfo(host, "\(port)", &hints, &first)
    guard failure == 0 else { throw .unresolved(String(cString: gai_strerror(failure))) }
    defer { freeaddrinfo(first) }
    var fault = ConnectFault.unresolved("it has no address")
    var address = first
    // A name's lookup may have taken long: its addresses still get a moment.
    let deadline = max(deadline, .monotonic() + .seconds(1))
    while let info = address?.pointee {
      do throws(ConnectFault) {
        return try connect(info.ai_family, info.ai_addr, info.ai_addrlen, until: deadline)
      } catch {
        fault = error
      }
      address = info.ai_next
    }
    throw fault
  }

  private static func connect(path: String, until deadline: Instant) throws(ConnectFault) -> CInt {
    let result = LocalPath(path).withAddress { address, size in
      Result { () throws(ConnectFault) in try connect(AF_UNIX, address, size, until: deadline) }
    }
    return try result.get()
  }

  private static func connect(
    _ family: CInt, _ address: UnsafePointer<sockaddr>?, _ size: socklen_t, until deadline: Instant
  ) throws(ConnectFault) -> CInt {
    let type = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue)
    let descriptor = socket(family, type, 0)
    guard descriptor >= 0 else { throw fault(errno) }
    var failure = Glibc.connect(descriptor, address, size) == 0 ? 0 : errno
    if failure == EINPROGRESS {
      failure = ETIMEDOUT
      if wait(descriptor, CInt(POLLOUT), until: deadline) {
        var length = socklen_t(MemoryLayout<CInt>.size)
        getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &failure, &length)
      }
    }
    // The kernel may have connected it to itself: then nobody listens there.
    if failure == 0, SocketMonitor.isConnectedToItself(descriptor) { failure = ECONNREFUSED }
    guard failure == 0 else {
      close(descriptor)
      throw fault(failure)
    }
    return descriptor
  }

  private static func fault(_ code: CInt) -> ConnectFault {
    switch code {
    case ECONNREFUSED: .refused
    case ETIMEDOUT, EAGAIN: .timeout
    case ENOENT: .noSuchPath
    case EACCES, EPERM: .forbidden
    default: .unreachable(String(cString: strerror(code)).lowercased())
    }
  }

  /// Whether the descriptor is ready before the instant.
  private static func wait(_ descriptor: CInt, _ events: CInt, until instant: Instant) -> Bool {
    while true {
      let left = (instant - .monotonic()).millisecondsRoundedUp
      var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
      let count = poll(&entry, 1, CInt(clamping: max(0, left)))
      if count < 0, errno == EINTR { continue }
      return count > 0
    }
  }
}
