import HTTPServer
import Logging
import Reactor
import ZeroMQ
import ZeroMQRPC

/// The configuration that is served, and its services. Reloads replace it by another one, one after the other.
actor ServedConfiguration {
  /// How long a reload waits for the backends of services that are new to it.
  private static let patience = Duration.seconds(1)

  private(set) var configuration: Configuration
  private var services: [ServedService]
  private var access: Access
  /// What is shown over TLS; nil where TLS is not spoken.
  private let tls: TLSIdentity?
  private let shards: [Shard]
  private let memory: MemoryBudget
  private let transcoding: BackgroundQueue
  private let context: Context
  private let logger: Logger
  /// The reload that was asked for last.
  private var last: Task<ReloadOutcome, any Error>?
  /// What is under way of it beyond reading.
  private var replacing: Task<ReloadOutcome, any Error>?
  /// Asks services what they can be called with.
  private var describing: Task<Void, Never>?
  /// Looks after the files of `auth`; nil where there are none.
  private var watching: Task<Void, Never>?
  /// Looks after the files of `http.tls`.
  private var watchingCertificate: Task<Void, Never>?
  /// What waits for services to end that are not served any more, by a number.
  private var retiring: [Int: (services: [ServedService], task: Task<Void, Never>)] = [:]
  private var retired = 0
  private var isStopping = false

  init(
    _ configuration: Configuration, _ services: [ServedService], on shards: [Shard], memory: MemoryBudget,
    _ access: Access, tls: TLSIdentity?, transcoding: BackgroundQueue, context: Context, logger: Logger
  ) {
    self.configuration = configuration
    self.services = services
    self.shards = shards
    self.memory = memory
    self.access = access
    self.tls = tls
    self.transcoding = transcoding
    self.context = context
    self.logger = logger
  }

  /// Serves what is read, when the reloads before it have ended. Throws why it cannot be, and then nothing has changed.
  func reload(_ read: @escaping ConfigurationSource) async throws -> ReloadOutcome {
    let before = last
    let task = Task {
      _ = await before?.result
      // Not on the actor: reading may block.
      let wanted = try await Task.detached { try read() }.value
      let task = Task { try await replace(by: wanted) }
      replacing = task
      return try await task.value
    }
    last = task
    return try await task.value
  }

  private func replace(by wanted: Configuration) async throws -> ReloadOutcome {
    if isStopping { throw ReloadError("the gateway is stopping") }
    let beside = try NextConfiguration(wanted, after: configuration)
    let next = beside.configuration
    var outcome = ReloadOutcome(changed: beside.changed, fixed: beside.fixed)
    if next.services.isEmpty, !configuration.services.isEmpty {
      throw ReloadError("there are no services in it, as in a file that is being written; restart to serve none")
    }
    let wantedServices = next.services.enumerated().map { served($0.element, at: $0.offset, &outcome) }
    outcome.removed = services.map(\.configuration.name).filter { name in
      !next.services.contains { $0.name == name }
    }
    let kept = Set(wantedServices.map { ObjectIdentifier($0.shared) })
    let leaving = services.filter { !kept.contains(ObjectIdentifier($0.shared)) }
    try checkBindings(of: wantedServices, besides: leaving)
    try DescriptorLimit.check(
      shards: shards.count, servers: shards.count * next.http.listen.count,
      sockets: next.openSockets(shards: shards.count))
    // Before anything is opened: it may not be usable.
    let credentials = try next.http.tls?.credentials()
    let (before, access): (Access, Access)
    // Two that replace what callers are known by at one time would undo what the other does.
    await stopWatching()
    do {
      for shard in shards { try await shard.prepare(next, wantedServices, context: context, logger: logger) }
      (before, access) = (self.access, try await self.access.next(next, after: configuration))
    } catch {
      for shard in shards { await shard.dropPrepared() }
      watch()
      throw error
    }
    // So that no call is refused for want of a connection.
    if wantedServices.contains(where: connectsAnew) {
      await withTaskGroup { group in
        for shard in shards { group.addTask { await shard.connect(within: Self.patience) } }
      }
    }
    for service in wantedServices { service.shared.use(service.configuration) }
    await withTaskGroup { group in
      for shard in shards { group.addTask { [shards] in await shard.usePrepared(next, access, shards: shards) } }
    }
    (configuration, services, self.access) = (next, wantedServices, access)
    if let credentials { tls?.credentials = credentials }
    if before.callers !== access.callers { before.callers?.revokeAll() }
    // Where there are other limits, or callers are known by something else, whoever has a stream asks for it anew.
    let isOther = before.callers !== access.callers || before.limiter !== access.limiter
    for shard in shards { if isOther { shard.endStreams() } else { shard.endStreamsWithoutCredentials() } }
    await begin()
    retire(leaving)
    return outcome
  }

  /// The service with what all shards share of it: what they have already, when its sockets stay as they are.
  private func served(
    _ service: Configuration.Service, at index: Int, _ outcome: inout ReloadOutcome
  ) -> ServedService {
    if let open = services.first(where: { $0.configuration.name == service.name }),
      service.hasTheSockets(of: open.configuration)
    {
      if service != open.configuration { outcome.altered.append(service.name) }
      return ServedService(configuration: service, shared: open.shared, home: open.home)
    }
    outcome.opened.append(service.name)
    let shared = SharedService(service, memory: memory, transcoding: transcoding, logger: logger)
    return ServedService(configuration: service, shared: shared, home: shards[index % shards.count])
  }

  /// Whether the service connects to what it has not been connected to.
  private func connectsAnew(_ service: ServedService) -> Bool {
    guard let open = services.first(where: { $0.shared === service.shared }) else { return true }
    let former = open.configuration.directions.map { Set($0.connect) }
    return zip(service.configuration.directions, former).contains { !$1.isSuperset(of: $0.connect) }
  }

  /// An endpoint can be bound once, and a service that leaves has it until its last call has ended.
  private func checkBindings(of wanted: [ServedService], besides leaving: [ServedService]) throws(ReloadError) {
    let open = Set(services.map { ObjectIdentifier($0.shared) })
    let former = leaving + retiring.values.flatMap(\.services)
    for service in wanted where !open.contains(ObjectIdentifier(service.shared)) {
      for endpoint in service.configuration.directions.flatMap(\.bind) {
        guard
          let holder = former.first(where: { $0.configuration.directions.contains { $0.bind.contains(endpoint) } })
        else { continue }
        throw ReloadError(
          """
          services.\(service.configuration.name): \(endpoint) is bound already, by "\(holder.configuration.name)" as it was before; what \
          a service binds to stays with it until it has ended: restart, or bind somewhere else
          """)
      }
    }
  }

  /// Closes services when nothing of them is under way any more.
  private func retire(_ leaving: [ServedService]) {
    guard !leaving.isEmpty else { return }
    retired += 1
    let (number, shards, grace) = (retired, shards, configuration.grace)
    let shared = leaving.map(\.shared)
    let task = Task {
      await withTaskGroup { group in
        for shard in shards { group.addTask { await shard.retire(shared, within: grace) } }
      }
      for shard in shards { await shard.close(shared) }
      retiring[number] = nil
    }
    retiring[number] = (leaving, task)
  }

  /// Begins what goes on beside the shards, from the configuration that is served now.
  func begin() async {
    watch()
    await describe()
  }

  /// Looks after the files of `auth` and `http.tls` from now on.
  private func watch() {
    watching = access.callers.map { callers in
      let files = CredentialFiles(auth: configuration.auth, directory: callers, shards: shards, logger: logger)
      return Task { await files.run() }
    }
    guard let tls, let settings = configuration.http.tls else { return }
    let files = CertificateFiles(tls: settings, identity: tls, logger: logger)
    watchingCertificate = Task { await files.run() }
  }

  private func stopWatching() async {
    for task in [watching, watchingCertificate] { task?.cancel() }
    for task in [watching, watchingCertificate] { await task?.value }
  }

  /// Has the services asked what they can be called with, those that want to be.
  private func describe() async {
    describing?.cancel()
    await describing?.value
    for service in services {
      if case .rpc(let rpc) = service.configuration.pattern, rpc.describe { continue }
      service.shared.description = nil
    }
    let reader = DescriptionReader(
      configuration, shared: services.map(\.shared), in: context, on: shards[0].reactor, logger: logger)
    describing = Task { await reader.run() }
  }

  /// Reloads nothing more, and waits for none: the gateway stops.
  func stopReloading() async {
    isStopping = true
    // What is still to be read may not come, and is not served any more.
    _ = await replacing?.result
    for shard in shards { await shard.stopRetiring() }
    for (_, task) in retiring.values { await task.value }
  }

  /// Ends what goes on beside the shards.
  func stop() async {
    describing?.cancel()
    await stopWatching()
    await describing?.value
  }
}
