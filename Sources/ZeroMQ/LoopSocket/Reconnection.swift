import Reactor

/// Keeps one endpoint connected: through what libzmq does by itself, and what it does not. A value without I/O, which is told
/// what happened and returns what to do.
///
/// libzmq gets addresses in numbers only, one at a time. It tries an address again by itself after a failure or a loss; a peer
/// that breaks the protocol or exceeds a limit it gives up for good, without a word, and only connecting anew brings it back.
struct Reconnection {
  enum Action: Hashable {
    /// Look the host's name up, and tell `resolved`.
    case resolve(host: String)
    case connect(Endpoint)
    case disconnect(Endpoint)
    case tell(ConnectionEvent)
  }

  private enum State: Hashable {
    /// libzmq has no address: there is none yet, or the next try has to wait.
    case idle
    /// libzmq tries.
    case trying
    case connected
    /// The connection is gone for good.
    case over
    /// The connection is gone, and libzmq has not said yet that it tries again.
    case lost
  }

  /// How long libzmq may take to say that it tries again before it counts as having given up.
  static let patience = Duration.milliseconds(400)
  /// After how long without a connection it is told that there is none.
  static let silence = Duration.seconds(2)
  /// After how long that is told again.
  static let longerSilence = Duration.seconds(10)
  /// The pause after the kernel connected a socket to itself, in which the port is free for its service to bind.
  static let pauseAfterItself = Duration.seconds(1)
  /// The least pause where the user has chosen none.
  static let leastPause = Duration.milliseconds(100)
  /// How often a name is looked up while it has no connection.
  static let period = Duration.seconds(10)
  /// The first pause after a name could not be resolved. It doubles up to `longestRetry`.
  static let firstRetry = Duration.seconds(1)
  static let longestRetry = Duration.seconds(30)

  /// What the user connected to.
  let endpoint: Endpoint
  /// What libzmq was told to connect to.
  private(set) var current: Endpoint? { didSet { address = current?.description } }
  /// What libzmq's events call that.
  private(set) var address: String?
  /// When `expired` wants to be called.
  var deadline: Instant? {
    let lookup = host == nil || isResolving || state == .connected || state == .over ? nil : nextLookup
    return [lookup, stateDeadline, silentUntil].compactMap(\.self).min()
  }
  /// The name that has to be looked up; nil for an address in numbers.
  private let host: String?
  /// Whether a connection that was lost is to be made again.
  private let isRepeated: Bool
  private let shortestPause: Duration
  private let longestPause: Duration
  private var state = State.idle
  private var stateDeadline: Instant?
  /// When to tell that there is no connection; nil while there is one, and while its name has no address, which was told.
  private var silentUntil: Instant?
  private var addresses: [Endpoint] = []
  /// How many of the addresses were tried in this round.
  private var tried = 0
  private var next = 0
  /// Between two rounds through the addresses.
  private var pause: Duration
  private var isResolving = false
  private var nextLookup: Instant?
  private var lookupPause = Self.firstRetry
  private var isUnresolved = false
  /// Another endpoint, which has one of the addresses.
  private var holder: Endpoint?

  /// An endpoint to connect to. `host` is its name if it has one that must be looked up; else `endpoint` is what libzmq is
  /// given. Between two rounds through all addresses of a name there is a pause that grows from the shortest to the longest. Without one,
  /// or with none at all, a connection that is lost is not made again, as libzmq has it.
  init(_ endpoint: Endpoint, host: String?, pause: Duration?, longestPause: Duration) {
    self.endpoint = endpoint
    self.host = host
    shortestPause = pause ?? .zero
    isRepeated = shortestPause > .zero
    self.longestPause = longestPause
    self.pause = shortestPause
    if host == nil { addresses = [endpoint] }
  }

  var isConnected: Bool { state == .connected }
  /// The connection is gone, and not made again.
  var isOver: Bool { state == .over }
  /// There are several addresses to connect to.
  var hasChoice: Bool { addresses.count > 1 }
  /// What is written goes to whichever address is connected first, or to the next connection that the user asks for.
  var queuesWhenConnected: Bool { hasChoice || !isRepeated }

  mutating func start(at now: Instant) -> [Action] {
    silentUntil = now + Self.silence
    return host == nil ? [connectNext()] : resolve()
  }

  /// The name has these addresses, or none for that reason. A connection that stands is left alone.
  mutating func resolved(_ found: [Endpoint], reason: String = "", at now: Instant) -> [Action] {
    isResolving = false
    guard let first = found.first else {
      nextLookup = now + lookupPause
      lookupPause = min(lookupPause * 2, Self.longestRetry)
      guard !isUnresolved, let host else { return [] }
      isUnresolved = true
      // Says more than that there is no connection.
      silentUntil = nil
      return [.tell(.unresolved(host: host, reason: reason))]
    }
    nextLookup = now + Self.period
    lookupPause = Self.firstRetry
    if isUnresolved, state != .connected { silentUntil = now + Self.silence }
    isUnresolved = false
    if found != addresses {
      addresses = found
      holder = nil
      (tried, next) = (0, 0)
      // The one that is being tried has had its turn in this round.
      if first == current { (tried, next) = (1, 1 % found.count) }
    }
    switch state {
    case .idle: return stateDeadline == nil ? [connectNext()] : []
    case .connected, .over: return []
    case .trying, .lost:
      guard let current, !found.contains(current) else { return [] }
      return drop() + [connectNext()]
    }
  }

  /// libzmq has begun to connect.
  mutating func began() {
    guard state == .lost else { return }
    (state, stateDeadline) = (.trying, nil)
  }

  /// libzmq's try has failed, or the connection was lost; it will try the same address again by itself.
  mutating func retried(at now: Instant) -> [Action] {
    guard state == .trying || state == .lost else { return [] }
    (state, stateDeadline) = (.trying, nil)
    guard addresses.count > 1 else { return [] }
    if tried < addresses.count { return drop() + [connectNext()] }
    return drop() + wait(until: now + takePause())
  }

  /// The handshake is done.
  mutating func established() -> [Action] {
    guard current != nil, state != .connected, state != .over else { return [] }
    (state, stateDeadline) = (.connected, nil)
    (tried, pause) = (0, shortestPause)
    silentUntil = nil
    holder = nil
    return [.tell(.connected)]
  }

  /// The connection is gone, whether it had been established or not.
  mutating func lost(at now: Instant) -> [Action] {
    guard current != nil, state != .over else { return [] }
    guard isRepeated else { return giveUp() }
    let was = state
    (state, stateDeadline) = (.lost, now + Self.patience)
    guard was == .connected else { return [] }
    silentUntil = now + Self.silence
    return [.tell(.disconnected)] + (host == nil ? [] : resolve())
  }

  /// A try has ended without a connection. Where connections are made again, libzmq tells `retried` as well.
  mutating func failed() -> [Action] { isRepeated || state != .trying ? [] : giveUp() }

  /// The two ends of the connection are one socket.
  mutating func connectedToItself(at now: Instant) -> [Action] {
    guard let itself = current else { return [] }
    let loss: [Action] = isConnected ? [.tell(.disconnected)] : []
    return drop() + loss + [.tell(.connectedToItself(itself))] + wait(until: now + Self.pauseAfterItself)
  }

  /// The address cannot be connected to now.
  mutating func unusable(at now: Instant) -> [Action] {
    current = nil
    return wait(until: now + takePause())
  }

  /// The address is that of another endpoint.
  mutating func taken(by other: Endpoint, at now: Instant) -> [Action] {
    holder = other
    return unusable(at: now)
  }

  /// The deadline has come.
  mutating func expired(at now: Instant) -> [Action] {
    var actions: [Action] = []
    if let due = silentUntil, due <= now {
      silentUntil = now + Self.longerSilence
      actions.append(
        .tell(holder.map { .duplicate(endpoint, of: $0) } ?? .unreached(endpoint, isResolving: isResolving)))
    }
    if let due = stateDeadline, due <= now {
      stateDeadline = nil
      // libzmq has given it up.
      if state == .lost { actions += drop() }
      actions.append(connectNext())
    }
    if let lookup = nextLookup, lookup <= now, state != .connected { actions += resolve() }
    return actions
  }

  /// The user wants it no more.
  mutating func end() -> [Action] {
    let loss: [Action] = isConnected ? [.tell(.disconnected)] : []
    return drop() + loss
  }

  // MARK: Steps

  private mutating func connectNext() -> Action {
    let address = addresses[next]
    next = (next + 1) % addresses.count
    tried += 1
    current = address
    (state, stateDeadline) = (.trying, nil)
    return .connect(address)
  }

  /// Where connections are not made again: the next address has its turn, or all is over. libzmq is to forget the address at once, though it
  /// will by itself: what is written until then would go with it.
  private mutating func giveUp() -> [Action] {
    let was = state
    let gone = drop()
    if was == .trying, tried < addresses.count { return gone + [connectNext()] }
    (state, silentUntil) = (.over, nil)
    return gone + [.tell(was == .connected ? .disconnected : .unreached(endpoint, isResolving: false))]
  }

  private mutating func drop() -> [Action] {
    (state, stateDeadline) = (.idle, nil)
    return current.take().map { [.disconnect($0)] } ?? []
  }

  private mutating func wait(until instant: Instant) -> [Action] {
    (state, stateDeadline) = (.idle, instant)
    tried = 0
    return []
  }

  private mutating func takePause() -> Duration {
    defer { pause = min(pause * 2, longestPause) }
    return isRepeated ? pause : Self.leastPause
  }

  private mutating func resolve() -> [Action] {
    guard let host, !isResolving else { return [] }
    isResolving = true
    nextLookup = nil
    return [.resolve(host: host)]
  }
}
