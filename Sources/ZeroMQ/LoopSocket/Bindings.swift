import Glibc
import Reactor

/// The endpoints that a socket is bound to, and who has come to each.
final class Bindings {
  private struct Entry {
    let id: UInt32
    /// What libzmq calls it.
    let name: String
    /// With wildcards resolved.
    let endpoint: Endpoint
    /// As it was asked for, with the port that it got.
    let asked: Endpoint
    let place: BoundPlace
    var peers = AcceptedPeers()
    /// When it fires, nobody has come for a while.
    var silence: Timer?
  }

  /// After how long without a peer it is told that there is none.
  private static let silence = Duration.seconds(2)

  private let socket: Socket
  private let loop: Loop
  private weak var delegate: (any ConnectionsDelegate)?
  private var entries: [Entry] = []
  private var lastID: UInt32 = 0
  private lazy var alarm = SilenceAlarm(self)

  init(of socket: Socket, on loop: Loop, delegate: any ConnectionsDelegate) {
    self.socket = socket
    self.loop = loop
    self.delegate = delegate
  }

  /// Where it is bound.
  var endpoints: [Endpoint] { entries.map(\.endpoint) }

  /// How many of them have a peer.
  var visited: Int { entries.count { $0.peers.count > 0 } }

  /// Throws when a path is in use, as somebody listens at it, or is no socket: libzmq would remove either without asking.
  static func requireFree(_ endpoint: Endpoint) throws(ZMQError) {
    guard case .ipc(let path) = endpoint.address, let fault = LocalPath(path).fault else { return }
    throw ZMQError(code: fault, call: "bind to \(endpoint)")
  }

  /// Binds, and returns the endpoint with wildcards resolved.
  func bind(_ address: BindAddress) throws(ZMQError) -> Endpoint {
    let endpoint = address.endpoint
    // At a path that a descriptor made elsewhere listens at, somebody does listen: libzmq's socket says that it takes none.
    if try socket.listener(for: endpoint.description) == nil { try Self.requireFree(endpoint) }
    let text = try socket.bind(endpoint.description)
    // With the option ipv6, libzmq spells addresses of IPv4 as those of IPv6, to which peers without the option cannot connect.
    let bound = (try? Endpoint(text))?.inNumbers ?? endpoint
    lastID += 1
    let asked = address.asked.withPort(of: bound)
    entries.append(Entry(id: lastID, name: text, endpoint: bound, asked: asked, place: BoundPlace(of: bound)))
    wait(entries.count - 1)
    return bound
  }

  /// Closes a binding, by what `bind` returned or was given. Throws for another: libzmq would look its host up, and would take one that is
  /// connected to for it, and end that. Calls `free` when others may bind to it.
  func unbind(_ endpoint: Endpoint, _ free: @escaping () -> Void) throws(ZMQError) {
    guard let index = index(of: endpoint) else {
      throw ZMQError(code: .notFound, call: "unbind \(endpoint), which is not bound")
    }
    try socket.unbind(entries[index].name)
    let entry = entries.remove(at: index)
    stop(entry)
    departure(from: entry)?.whenDone(free) ?? free()
  }

  /// Nil when others may bind to it at once.
  private func departure(from entry: Entry) -> Departure? {
    if case .inproc = entry.endpoint.address { return nil }
    return loop.isStopped ? nil : Departure(from: entry.place, on: loop)
  }

  /// Whether it is bound to what `bind` returned or was given.
  func has(_ endpoint: Endpoint) -> Bool { index(of: endpoint) != nil }

  private func index(of endpoint: Endpoint) -> Int? {
    entries.firstIndex { $0.endpoint.isSame(as: endpoint) } ?? entries.firstIndex { $0.asked.isSame(as: endpoint) }
  }

  /// Hears of an event that is about no connection of this side's making: then it is about one that others have made, or have ended.
  func take(_ event: SocketMonitor.Event) {
    // With wildcards only the port tells where it came in.
    let exact = entries.firstIndex { $0.endpoint.description == event.address }
    guard let index = exact ?? entries.firstIndex(where: { $0.endpoint.accepts(event.address) }) else { return }
    let entry = entries[index]
    for change in entries[index].peers.take(event.kind) {
      switch change {
      case .connected:
        if let timer = entries[index].silence.take() { loop.cancel(timer) }
        tell(.connected, entry)
      case .disconnected: tell(.disconnected, entry)
      case .refused: tell(.refused, entry)
      case .misfit: tell(.misfit, entry)
      case .unfinished: tell(.unfinished, entry)
      }
      // A delegate that was told something may have closed the socket.
      guard index < entries.count, entries[index].id == entry.id else { return }
    }
    if entries[index].peers.count == 0 { wait(index) }
  }

  /// The socket closes: calls `free` when others may bind to what it was bound to. No timer tells of peers any more.
  func end(_ free: @escaping () -> Void) {
    for entry in entries {
      stop(entry)
      // Over TCP and ipc, to unbind would drop what connections have still to send, which the end of the socket lets leave.
      if case .inproc = entry.endpoint.address { try? socket.unbind(entry.name) }
    }
    let departures = entries.compactMap(departure)
    entries = []
    var left = departures.count
    if left == 0 { return free() }
    for departure in departures {
      departure.whenDone {
        left -= 1
        if left == 0 { free() }
      }
    }
  }

  private func tell(_ event: ConnectionEvent, _ entry: Entry) {
    delegate?.connectionChanged(event, at: entry.endpoint)
  }

  private func wait(_ index: Int) {
    guard entries[index].silence == nil, !loop.isStopped else { return }
    entries[index].silence = loop.schedule(at: loop.now + Self.silence, alarm, tag: entries[index].id)
  }

  private func stop(_ entry: Entry) { if let timer = entry.silence { loop.cancel(timer) } }

  fileprivate func expired(_ id: UInt32) {
    // The timer stays where it is, though it has fired: it is told once that nobody comes, until somebody does.
    guard let entry = entries.first(where: { $0.id == id }), entry.peers.count == 0 else { return }
    tell(.awaited(entry.endpoint), entry)
  }
}

/// What timers hold instead of the bindings, which they must not keep alive.
private final class SilenceAlarm: TimerHandler {
  private weak var bindings: Bindings?

  init(_ bindings: Bindings) { self.bindings = bindings }

  func fired(_ timer: Timer) { bindings?.expired(timer.tag) }
}
