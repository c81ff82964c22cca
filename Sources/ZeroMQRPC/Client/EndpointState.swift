import Reactor
import ZeroMQ

/// What is known of one endpoint of a service, over all threads that connect to it. A value without I/O, which is told what happens,
/// and says what of it the operator is told.
///
/// Each change is told once, however many threads see it. One that comes and goes all the time is not told each time: losses, peers
/// that leave, and reasons that change, have three lines at once and one in ten seconds; a return is told when what it ends was.
struct EndpointState {
  /// What the operator is told.
  enum Line: Hashable {
    /// It has a connection, for the first time.
    case connected
    /// It has a connection again, on each thread.
    case back
    /// The last connection is gone. So many losses before this one were not told.
    case gone(untold: Int)
    /// One of the peers of a bound endpoint is gone, and so many are still there.
    case left(remaining: Int)
    /// There has been no connection for a while, on one thread at least.
    case missing(ConnectFault)
    /// A peer that came was turned away, while others are connected.
    case misfit(ConnectFault)
    /// The peer that is connected cannot answer.
    case deaf(ConnectFault)
  }

  /// One thread's socket that has the endpoint.
  typealias Holder = ObjectIdentifier

  private enum Told {
    case nothing, connected, gone, missing
  }

  /// After how long a look may follow the last one, while there is no connection.
  private static let betweenLooks = Duration.seconds(5)
  /// A line of the kind that is held back is told so often in the long run...
  private static let betweenLines = Duration.seconds(10)
  /// ...and so many of them at once.
  private static let linesAtOnce = 3

  /// Whether others connect to it.
  let isBound: Bool
  /// Connections that stand, by socket: one at most, but for a bound endpoint.
  private var connections: [Holder: Int] = [:]
  /// Those that have told that there is no connection, and not had one since.
  private var missing: Set<Holder> = []
  /// Why there is none, as far as it is known.
  private(set) var fault: ConnectFault?
  private var told = Told.nothing
  private var isLooking = false
  private var lastLook: Instant?
  /// The last look found the right peer.
  private var lookedRight = false
  /// Since there has been a connection, a peer was turned away.
  private var toldMisfit = false
  private var toldDeaf = false
  private var untoldLosses = 0
  /// When the lines that were told would be paid for, at one in `betweenLines`.
  private var paid = Instant(nanoseconds: .min)

  init(isBound: Bool = false) {
    self.isBound = isBound
    fault = isBound ? .noPeer : nil
  }

  /// Whether no socket has it, as far as it was told.
  var isUnused: Bool { connections.isEmpty && missing.isEmpty }

  /// How many connections stand.
  var count: Int { connections.values.reduce(0, +) }

  mutating func connected(_ holder: Holder) -> Line? {
    if connections.isEmpty { toldMisfit = false }
    connections[holder, default: 0] += 1
    missing.remove(holder)
    if missing.isEmpty { (fault, lookedRight, lastLook) = (nil, false, nil) }
    switch told {
    case .nothing:
      told = .connected
      return .connected
    case .missing where !missing.isEmpty, .connected: return nil
    case .gone, .missing:
      told = .connected
      return .back
    }
  }

  mutating func disconnected(_ holder: Holder, at now: Instant) -> Line? {
    guard let count = connections[holder] else { return nil }
    connections[holder] = count > 1 ? count - 1 : nil
    if isBound, connections.isEmpty { fault = .noPeer }
    if isBound, !connections.isEmpty { return mayTell(at: now) ? .left(remaining: self.count) : nil }
    guard connections.isEmpty, told == .connected else { return nil }
    guard mayTell(at: now) else {
      untoldLosses += 1
      return nil
    }
    told = .gone
    defer { untoldLosses = 0 }
    return .gone(untold: untoldLosses)
  }

  /// The socket was closed from this side, which is no news.
  mutating func closed(_ holder: Holder) {
    connections[holder] = nil
    missing.remove(holder)
  }

  /// There has been no connection for a while. Returns whether to look why; the look's outcome is told by `looked`.
  mutating func unreached(_ holder: Holder, at now: Instant) -> Bool {
    missing.insert(holder)
    return mayLook(at: now)
  }

  /// A look has found that, or the right peer.
  mutating func looked(_ found: ConnectFault?, at now: Instant) -> Line? {
    isLooking = false
    guard !missing.isEmpty else { return nil }
    // A service that has just started is the right one, and connected in a moment. When the next look finds that again, it is not.
    guard let fault = found ?? (lookedRight ? .handshake : nil) else {
      lookedRight = true
      return nil
    }
    lookedRight = found == nil
    return learned(fault, at: now)
  }

  /// Calls on a connection that stands get no reply. Returns whether to look who is there; what that finds is told by `lookedAtSilent`.
  mutating func silent(at now: Instant) -> Bool { mayLook(at: now) }

  /// That look has found that, or the right peer. One that cannot answer is told once, until the right one is there.
  mutating func lookedAtSilent(_ found: ConnectFault?, at now: Instant) -> Line? {
    isLooking = false
    guard let found, found.code == .wrongSocketType else {
      toldDeaf = false
      return nil
    }
    guard !toldDeaf, !connections.isEmpty, mayTell(at: now) else { return nil }
    toldDeaf = true
    return .deaf(found)
  }

  /// The reason is known without a look.
  mutating func failed(_ holder: Holder, _ fault: ConnectFault, at now: Instant) -> Line? {
    missing.insert(holder)
    return learned(fault, at: now)
  }

  /// Nobody has come to the bound endpoint for a while.
  mutating func awaited(_ holder: Holder, at now: Instant) -> Line? {
    // A loss that was told says it already.
    guard connections.isEmpty, told != .gone else { return nil }
    return failed(holder, fault ?? .noPeer, at: now)
  }

  /// A peer that came to the bound endpoint was turned away. One that comes again and again is told once.
  mutating func misfit(_ holder: Holder, _ fault: ConnectFault, at now: Instant) -> Line? {
    guard !connections.isEmpty else { return failed(holder, fault, at: now) }
    guard !toldMisfit, mayTell(at: now) else { return nil }
    toldMisfit = true
    return .misfit(fault)
  }

  /// A peer that came to the bound endpoint was gone before it was known what it is. While nobody else is there, that says more than nothing.
  mutating func unfinished(_ fault: ConnectFault) -> Line? {
    guard connections.isEmpty, self.fault == .noPeer else { return nil }
    self.fault = fault
    // A part of the line that nobody has come: with that one when it is still to come.
    return told == .missing ? .missing(fault) : nil
  }

  private mutating func learned(_ fault: ConnectFault, at now: Instant) -> Line? {
    let isNews = told != .missing || fault != self.fault
    self.fault = fault
    // What follows a loss that was told is a part of that.
    guard isNews, told == .gone || mayTell(at: now) else { return nil }
    told = .missing
    return .missing(fault)
  }

  private mutating func mayLook(at now: Instant) -> Bool {
    guard !isLooking, lastLook.map({ now - $0 >= Self.betweenLooks }) ?? true else { return false }
    (isLooking, lastLook) = (true, now)
    return true
  }

  private mutating func mayTell(at now: Instant) -> Bool {
    guard paid <= now + Self.betweenLines * (Self.linesAtOnce - 1) else { return false }
    paid = max(paid, now) + Self.betweenLines
    return true
  }
}
