public import Logging
import Reactor
public import ZeroMQ

/// What is known of a service's endpoints, over all threads that connect to them, and the one who tells the operator of it: each change
/// once, with the reason.
///
/// When there is no connection for two seconds, it looks who answers at the endpoint (`PeerLook`), at most every five seconds, and
/// never on a reactor's thread. Any thread may use it.
public final class EndpointStates: Sendable {
  /// What a service's socket does, and so which peers it needs.
  public enum Role: String, Sendable {
    /// It calls, and is answered.
    case rpc
    /// It calls one of several workers.
    case pipeline
    /// It publishes.
    case publish
    /// It hears what is published.
    case subscribe

    fileprivate var kind: SocketKind {
      switch self {
      case .rpc: .dealer
      case .pipeline: .push
      case .publish: .publish
      case .subscribe: .subscribe
      }
    }
  }

  /// What is known of one endpoint.
  public struct Report: Sendable, Hashable {
    /// The endpoint, as it is configured; a bound one with the address and port it got.
    public let endpoint: Endpoint
    /// Whether a connection stands, on any thread.
    public let isUp: Bool
    /// Why there is none, or none on some thread, as far as it is known.
    public let fault: ConnectFault?
  }

  private typealias Entry = (endpoint: Endpoint, state: EndpointState)

  /// What the socket does that has the endpoints.
  public let role: Role
  private let logger: Logger
  private let look: PeerLook
  private let usesCurve: Bool
  private let entries: Guarded<[Entry]>

  /// Nothing is known yet of these endpoints; of others it is when they are first told of.
  /// `usesCurve`: whether their sockets have keys of CURVE.
  public convenience init(
    _ role: Role, bind: [Endpoint] = [], connect: [Endpoint] = [], usesCurve: Bool = false, logger: Logger
  ) {
    self.init(role, bind: bind, connect: connect, usesCurve: usesCurve, logger: logger, look: .shared)
  }

  package init(
    _ role: Role, bind: [Endpoint], connect: [Endpoint], usesCurve: Bool = false, logger: Logger, look: PeerLook
  ) {
    self.role = role
    self.usesCurve = usesCurve
    self.logger = logger
    self.look = look
    entries = Guarded(bind.map { ($0, EndpointState(isBound: true)) } + connect.map { ($0, EndpointState()) })
  }

  /// Each endpoint, in the order of the configuration.
  public var reports: [Report] {
    entries.withLock { entries in
      entries.map { entry in
        Report(
          endpoint: Self.shown(entry.endpoint, isBound: entry.state.isBound), isUp: entry.state.count > 0,
          fault: entry.state.fault)
      }
    }
  }

  /// Why a call finds no connection: the reason at the first endpoint of which one is known.
  public var fault: ConnectFault? { entries.withLock { $0.lazy.compactMap(\.state.fault).first } }

  /// Whether a connection stands at any of them, on any thread.
  public var isUp: Bool { entries.withLock { $0.contains { $0.state.count > 0 } } }

  // MARK: What clients tell

  /// An endpoint was bound, and has become another one if it had wildcards.
  func bound(_ endpoint: Endpoint, as actual: Endpoint) {
    entries.withLock { entries in entries[Self.index(of: endpoint, isBound: true, &entries)].endpoint = actual }
    logger.info("bound, for peers that connect", metadata: at(Self.shown(actual, isBound: true)))
  }

  /// A connection of the holder's came, went, or does not come.
  func changed(_ event: ConnectionEvent, at endpoint: Endpoint?, of holder: AnyObject) {
    guard let endpoint else { return }
    let (holder, now) = (ObjectIdentifier(holder), Instant.monotonic())
    switch event {
    case .connected: change(endpoint) { $0.connected(holder) }
    // One that was left on purpose is not known any more.
    case .disconnected where knows(endpoint): change(endpoint) { $0.disconnected(holder, at: now) }
    case .disconnected: break
    case .refused: change(endpoint) { $0.failed(holder, .rejected, at: now) }
    case .unresolved(_, let reason): change(endpoint) { $0.failed(holder, .unresolved(reason), at: now) }
    case .duplicate(_, let other): change(endpoint) { $0.failed(holder, .duplicate(of: other), at: now) }
    case .awaited: change(endpoint) { $0.awaited(holder, at: now) }
    case .misfit: change(endpoint) { $0.misfit(holder, .misfit(self.role.kind, of: self.role.rawValue), at: now) }
    case .unfinished:
      change(endpoint) { $0.unfinished(.unfinished(self.role.kind, of: self.role.rawValue)) }
    case .unreached(_, isResolving: true): change(endpoint) { $0.failed(holder, .unansweredLookup, at: now) }
    case .unreached(_, isResolving: false):
      let needsLook = entries.withLock { entries in
        entries[Self.index(of: endpoint, &entries)].state.unreached(holder, at: now)
      }
      guard needsLook else { return }
      look.look(at: endpoint, for: role, byCurve: usesCurve) { fault in
        self.change(endpoint) { $0.looked(fault, at: .monotonic()) }
      }
    // What follows is that there is no connection, and then it is told why.
    case .connectedToItself: logger.debug("a connection to this process itself is dropped", metadata: at(endpoint))
    }
  }

  /// Calls on a connection that stands get no reply: perhaps the peer is of a kind that libzmq connects, and that cannot answer.
  func silent(at endpoint: Endpoint) {
    let needsLook = entries.withLock { $0[Self.index(of: endpoint, &$0)].state.silent(at: .monotonic()) }
    guard needsLook else { return }
    look.look(at: endpoint, for: role, byCurve: usesCurve) { fault in
      self.change(endpoint) { $0.lookedAtSilent(fault, at: .monotonic()) }
    }
  }

  /// The holder has closed its connections. An endpoint that nobody has any more, as a former address of a name, is forgotten when it
  /// is given.
  func closed(_ holder: AnyObject, at endpoint: Endpoint? = nil) {
    let holder = ObjectIdentifier(holder)
    entries.withLock { entries in
      for index in entries.indices { entries[index].state.closed(holder) }
      entries.removeAll { $0.endpoint == endpoint && $0.state.isUnused }
    }
  }

  private func knows(_ endpoint: Endpoint) -> Bool { entries.withLock { $0.contains { $0.endpoint == endpoint } } }

  /// A holder connects to the endpoint from now on.
  func joined(_ endpoint: Endpoint) { entries.withLock { _ = Self.index(of: endpoint, &$0) } }

  /// The holder connects to the endpoint no more, which is no news. One that nobody has any more is forgotten.
  func left(_ endpoint: Endpoint, by holder: AnyObject) {
    let holder = ObjectIdentifier(holder)
    entries.withLock { entries in
      guard let index = entries.firstIndex(where: { $0.endpoint == endpoint && !$0.state.isBound }) else { return }
      entries[index].state.closed(holder)
      if entries[index].state.isUnused { entries.remove(at: index) }
    }
  }

  private func change(_ endpoint: Endpoint, _ body: (inout EndpointState) -> EndpointState.Line?) {
    let (line, isBound, others) = entries.withLock { entries in
      let index = Self.index(of: endpoint, &entries)
      let line = body(&entries[index].state)
      return (
        line, entries[index].state.isBound, entries.count { $0.state.count > 0 && $0.endpoint != endpoint }
      )
    }
    if let line { log(line, endpoint, isBound: isBound, others: others) }
  }

  private static func index(of endpoint: Endpoint, isBound: Bool = false, _ entries: inout [Entry]) -> Int {
    if let index = entries.firstIndex(where: { $0.endpoint == endpoint }) { return index }
    entries.append((endpoint, EndpointState(isBound: isBound)))
    return entries.count - 1
  }

  // MARK: The log

  private func log(_ line: EndpointState.Line, _ endpoint: Endpoint, isBound: Bool, others: Int) {
    var metadata = at(Self.shown(endpoint, isBound: isBound))
    switch line {
    case .connected: logger.info("connected", metadata: metadata)
    case .back: logger.notice("connected", metadata: metadata)
    case .gone(let untold):
      if untold > 0 { metadata["untold-losses"] = .stringConvertible(untold) }
      if others > 0 {
        metadata["others-connected"] = .stringConvertible(others)
        logger.notice("a connection is lost", metadata: metadata)
      } else {
        let next = isBound ? "whoever connects next is used" : "it is tried again"
        logger.warning("the last connection is lost; \(next)", metadata: metadata)
      }
    case .left(let remaining):
      metadata["connected"] = .stringConvertible(remaining)
      logger.notice("a peer has left", metadata: metadata)
    case .missing(let fault):
      metadata["reason"] = "\(fault.code.rawValue)"
      logger.warning("no connection: \(fault)", metadata: metadata)
    case .misfit(let fault):
      metadata["reason"] = "\(fault.code.rawValue)"
      logger.warning("a peer is turned away: \(fault)", metadata: metadata)
    case .deaf(let fault):
      metadata["reason"] = "\(fault.code.rawValue)"
      logger.warning("calls are not answered: \(fault)", metadata: metadata)
    }
  }

  /// libzmq spells the addresses of bound endpoints all in IPv6.
  private static func shown(_ endpoint: Endpoint, isBound: Bool) -> Endpoint { isBound ? endpoint.inNumbers : endpoint }

  private func at(_ endpoint: Endpoint) -> Logger.Metadata { ["endpoint": "\(endpoint)"] }
}

extension PeerLook {
  /// Looks for a peer of a service's socket. Answers on a thread of its own: nil when the peer is the right one. The look itself has no
  /// keys: of a peer with CURVE it finds that out, and no more.
  package func look(
    at endpoint: Endpoint, for role: EndpointStates.Role, byCurve: Bool = false,
    answer: @escaping @Sendable (ConnectFault?) -> Void
  ) {
    look(at: endpoint, for: role.kind, of: role.rawValue) { fault in
      answer(byCurve ? ConnectFault.seenByCurve(fault, wasRefused: true) : fault)
    }
  }
}
