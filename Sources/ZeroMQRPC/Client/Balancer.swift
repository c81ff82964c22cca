import Glibc
import Logging
import Reactor
import ZeroMQ

/// The connections of a client: which of them gets the next call, which takes over from a silent one, and which endpoint is left alone
/// for a while.
///
/// It alone keeps these books. It opens the connections, and closes them.
final class Balancer {
  /// To who is told what the connections tell.
  private let link: EngineLink
  private var options: RPCOptions
  private let memory: MemoryBudget?, context: Context
  private let loop: Loop
  private let logger: Logger
  private let openBreakers: OpenBreakers, states: EndpointStates
  /// One for each endpoint.
  private var members: [BackendMember] = []
  /// Those with a connected backend, full ones and those left alone too.
  private(set) var connected: [BackendConnection] = []
  /// Those of them that are not left alone.
  private(set) var callable: [BackendConnection] = []
  /// Those of them that have room: libzmq has not refused a message for them since they last had some.
  private var ready: [BackendConnection] = []
  /// Replaced ones. They take no new calls and are closed when their last one ends.
  @exclusivity(unchecked) private var retired: [BackendConnection] = []
  /// Addresses that their name has no more. They stay until there is a connection to another one.
  private var leaving: [Endpoint] = []
  private var names: [NameWatch] = []
  /// What `connect` was given, and `leave` was not.
  private(set) var endpoints: [Endpoint] = []
  private var choice = BackendChoice()
  private let process = UInt16(truncatingIfNeeded: getpid()), random = UInt16.random(in: .min ... .max)
  /// How often a silent connection was to be replaced.
  private var silences = PowerOfTwoCounter()
  private lazy var alarm = BreakerAlarm(self)

  init(
    _ options: RPCOptions, _ memory: MemoryBudget?, _ openBreakers: OpenBreakers, _ states: EndpointStates,
    for link: EngineLink, in context: Context, on loop: Loop, logger: Logger
  ) {
    (self.link, self.options, self.memory, self.context, self.loop) = (link, options, memory, context, loop)
    (self.logger, self.openBreakers, self.states) = (logger, openBreakers, states)
  }

  /// How many endpoints there are.
  var endpointCount: Int { members.count }

  /// Begins to connect to an endpoint, or to each address of its name.
  func connect(_ endpoint: Endpoint, weight: Int) throws(ZMQError) {
    try add(endpoint, weight)
    endpoints.append(endpoint)
    states.joined(endpoint)
    if let name = NameWatch(endpoint, weight: weight, options: options, for: self, on: loop) { names.append(name) }
  }

  private func add(_ endpoint: Endpoint, _ weight: Int) throws(ZMQError) {
    members.append(BackendMember(try open(endpoint, weight), Breaker(options.breaker)))
  }

  private func open(_ endpoint: Endpoint, _ weight: Int) throws(ZMQError) -> BackendConnection {
    try BackendConnection(
      endpoint, weight: weight, options: options, memory: memory, states: states, engine: link, in: context, on: loop)
  }

  /// Gives an endpoint that it connects to another weight.
  func weigh(_ endpoint: Endpoint, _ weight: Int) {
    let name = names.first { $0.endpoint == endpoint }
    name?.weight = weight
    let connections = members.flatMap { [$0.connection, $0.replacement] }.compactMap(\.self)
    for connection in connections where connection.endpoint == endpoint || name?.covers(connection.endpoint) == true {
      connection.weight = weight
    }
  }

  /// Other options hold, for what the sockets are told from the next one on.
  func use(_ options: RPCOptions) {
    self.options = options
    for index in members.indices where !members[index].connection.isBound {
      members[index].breaker.options = options.breaker
    }
    for name in names { name.interval = options.resolveInterval }
  }

  /// Binds, for backends that connect. Those of one `bind` share a socket, which is never left alone nor replaced: that would be all of
  /// them.
  func bind(_ addresses: [BindAddress]) throws(ZMQError) {
    let connection = try BackendConnection(
      addresses[0].endpoint, binding: addresses, weight: 1, options: options, memory: memory, states: states,
      engine: link, in: context, on: loop)
    members.append(BackendMember(connection, Breaker(.never)))
    update()
  }

  /// Where it is bound, wildcards resolved.
  var bindings: [Endpoint] { members.flatMap(\.connection.bindings) }

  /// Ends what `connect` or `bind` has begun; a binding is named as it was asked for, or as `bindings` does. False when there is no such endpoint.
  func leave(_ endpoint: Endpoint) -> Bool {
    let name = names.firstIndex { $0.endpoint == endpoint }.map { names.remove(at: $0) }
    name?.stop()
    endpoints.removeAll { $0 == endpoint }
    let left = (name?.endpoints ?? [endpoint]).filter(retire)
    update()
    return !left.isEmpty
  }

  /// An endpoint gets no new calls, and closes with its last one. False when it is none.
  private func retire(_ endpoint: Endpoint) -> Bool {
    guard let index = members.firstIndex(where: { $0.connection.isAt(endpoint) }) else { return false }
    let member = members.remove(at: index)
    forget(member)
    member.replacement?.close()
    retired.append(member.connection)
    closeRetired(member.connection)
    return true
  }

  func close() {
    for member in members {
      forget(member)
      member.connection.close()
      member.replacement?.close()
    }
    for connection in retired { connection.close() }
    for name in names { name.stop() }
    (members, retired, leaving, names, endpoints) = ([], [], [], [], [])
    update()
  }

  /// An endpoint goes with its breaker.
  private func forget(_ member: BackendMember) {
    if !member.breaker.isClosed { _ = openBreakers.closed(member.connection.endpoint) }
  }

  // MARK: The choice

  /// A connection has become full or has room again, or a call was sent to an endpoint that is tried again.
  func update() {
    let up = members.filter(\.connection.isUp)
    connected = up.map(\.connection)
    callable = up.filter { $0.breaker.allowsCall(underWay: $0.connection.sentCalls) }.map(\.connection)
    ready = callable.filter { !$0.isFull }
  }

  /// A connection stands, or is gone. A fresh one that stands takes the place of the one it replaces.
  func changed(_ connection: BackendConnection) {
    if connection.isUp, let index = members.firstIndex(where: { $0.replacement === connection }) {
      let old = members[index].connection
      members[index].replacementStands()
      retired.append(old)
      closeRetired(old)
    }
    if connection.isUp {
      if !leaving.contains(connection.endpoint) { retireLeaving() }
    } else {
      for name in names where name.covers(connection.endpoint) { name.lost() }
    }
    update()
  }

  /// A call on the connection has ended.
  func callEnded(_ connection: BackendConnection) {
    if !retired.isEmpty { closeRetired(connection) }
    // It may have been the one that was to try an endpoint.
    if connection.isSuspect { update() }
  }

  /// Closes a connection that has been replaced, when its last call has ended.
  private func closeRetired(_ connection: BackendConnection) {
    guard connection.sentCalls == 0, let index = retired.firstIndex(where: { $0 === connection }) else { return }
    retired.remove(at: index)
    connection.close()
  }

  /// Sends a call to a backend with room, a second copy to another one than the first, and returns its connection; nil when none has
  /// any.
  func send(_ call: BorrowedCall, _ number: UInt32, besides first: BackendConnection? = nil) -> BackendConnection? {
    withUnsafeTemporaryAllocation(byteCount: CallHeader.requestSize, alignment: 8) { header in
      CallHeader.write(number, process: process, random: random, time: CallHeader.unixTime(), to: header)
      while let connection = choice.next(among: ready, besides: first) {
        let isSent = connection.send(UnsafeRawBufferPointer(header), call)
        // When it reads too slowly and is full, the others take over until it has room again.
        if !isSent || connection.isSuspect { update() }
        if isSent { return connection }
      }
      return nil
    }
  }

  // MARK: Names

  /// The addresses of a name have changed.
  func change(_ weight: Int, adding added: [Endpoint], removing removed: [Endpoint]) {
    logger.info("a host's addresses have changed", metadata: ["added": "\(added)", "removed": "\(removed)"])
    leaving.removeAll(where: added.contains)
    for endpoint in added where !members.contains(where: { $0.connection.endpoint == endpoint }) {
      do { try add(endpoint, weight) } catch { logger.report(error, endpoints: [endpoint]) }
    }
    leaving += removed
    if added.isEmpty { retireLeaving() }
    link.engine?.hasRoom()
  }

  private func retireLeaving() {
    for endpoint in leaving { _ = retire(endpoint) }
    leaving = []
  }

  // MARK: Silent ones

  /// Opens a fresh connection beside a silent one, unless one was opened a moment ago. The silent one is used until the fresh one
  /// stands, and closed when its calls have ended. True when it did.
  func replace(_ connection: BackendConnection) -> Bool {
    connection.silenceNoted()
    guard connection.isUp, !connection.isBound, let index = members.firstIndex(where: { $0.connection === connection }),
      members[index].mayBeReplaced(at: loop.now)
    else { return false }
    let place: Logger.Metadata = [
      "endpoint": "\(connection.endpoint)", "so-far": .stringConvertible(silences.count + 1),
    ]
    if silences.increment() { logger.warning("a backend is silent; a fresh connection is tried", metadata: place) }
    do {
      let fresh = try open(connection.endpoint, connection.weight)
      members[index].isReplaced(by: fresh, at: loop.now)
      return true
    } catch {
      logger.error("no fresh connection", metadata: place.merging(["error": "\(error)"]) { $1 })
      return false
    }
  }

  // MARK: Endpoints that are left alone

  /// Throws why there is nobody to call, unless calls wait for somebody to come.
  func nobodyToCall() throws(CallFailure) {
    guard connected.isEmpty else { throw .init(.breakerOpen, sent: false, retryAfter: untilNextTry) }
    if !options.waitsForBackend { throw .init(.noBackend, sent: false, reason: states.fault?.code) }
  }

  /// How long until the next of the endpoints that are left alone is tried; zero when one is being tried.
  var untilNextTry: Duration {
    members.filter(\.connection.isUp).map { $0.breaker.openUntil.map { $0 - loop.now } ?? .zero }.min() ?? .zero
  }

  /// A call that was sent at `sent` counts against the endpoint of its connection.
  func failed(_ connection: BackendConnection, sent: Instant) {
    guard let index = index(of: connection) else { return }
    let wasTried = !members[index].breaker.isClosed
    let opens = members[index].breaker.failed(sent: sent, at: loop.now)
    members[index].mark(connection)
    guard opens else { return }
    let isFirst = !wasTried && openBreakers.opened(connection.endpoint)
    _ = loop.schedule(at: loop.now + options.breaker.open, alarm)
    update()
    guard isFirst else { return }
    logger.warning(
      "a backend fails again and again and gets no calls; then one is tried",
      metadata: ["endpoint": "\(connection.endpoint)", "for": "\(options.breaker.open)"])
  }

  /// A reply came from a suspect: its endpoint gets calls as others do.
  func replied(_ connection: BackendConnection) {
    guard let index = index(of: connection) else {
      connection.isSuspect = false
      return
    }
    let closes = members[index].breaker.replied()
    members[index].mark(connection)
    guard closes else { return }
    update()
    guard openBreakers.closed(connection.endpoint) else { return }
    logger.notice("a backend answers again and gets calls", metadata: ["endpoint": "\(connection.endpoint)"])
  }

  /// Some endpoint has been left alone for long enough.
  func tryAgain() {
    for index in members.indices where members[index].breaker.elapsed(at: loop.now) {
      // It has had no call for so long that what it owes says nothing any more. Else nobody would choose it.
      members[index].connection.owesNothing()
    }
    link.engine?.hasRoom()
  }

  private func index(of connection: BackendConnection) -> Int? {
    members.firstIndex { $0.connection === connection || $0.replacement === connection }
      ?? members.firstIndex { $0.connection.endpoint == connection.endpoint }
  }
}
