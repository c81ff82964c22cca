import HTTPServer
import Logging
import Reactor

/// Opens the addresses of a configuration on the shards of a gateway.
struct Listening {
  /// What was opened.
  struct Opened {
    /// Where services are asked for, with the ports the kernel chose, in the order of the configuration.
    var addresses: [ListenAddress] = []
    /// Where operations are served, if they have an address of their own.
    var admin: ListenAddress?
    /// Files of Unix sockets, to be removed at the end.
    var files: [UnixSocketFile] = []
  }

  /// Connections to the address of operations, at one time.
  private static let operatorConnections = 64
  /// A client that speaks TLS has a pair of sockets besides its own.
  private static let descriptorsWithTLS = 3

  private let configuration: Configuration
  private var http: Configuration.HTTP { configuration.http }
  /// Sockets that listen already.
  private let given: [Listener]
  private let tls: TLSIdentity?
  private let memory: MemoryBudget
  private let logger: Logger

  init(_ configuration: Configuration, given: [Listener], tls: TLSIdentity?, memory: MemoryBudget, logger: Logger) {
    (self.configuration, self.given, self.tls) = (configuration, given, tls)
    (self.memory, self.logger) = (memory, logger)
  }

  /// Opens all of them, and hands them to the shards. Throws, with those that no shard has taken over closed again.
  func open(over shards: [Shard]) async throws -> Opened {
    var opened = Opened()
    do {
      try await listen(shards, &opened)
      try await listenForOperations(shards[0], &opened)
    } catch {
      for file in opened.files { file.remove() }
      throw error
    }
    return opened
  }

  private func listen(_ shards: [Shard], _ opened: inout Opened) async throws {
    let fitting = DescriptorLimit.connections(
      besides: configuration.socketCount(shards: shards.count), servers: shards.count * http.listen.count,
      each: tls == nil ? 1 : Self.descriptorsWithTLS)
    if fitting < http.limits.server.connections {
      logger.warning(
        "fewer connections than configured: the limit on open files is too low (ulimit -n)",
        metadata: [
          "configured": .stringConvertible(http.limits.server.connections), "possible": .stringConvertible(fitting),
        ])
    }
    var options = http.limits.server
    options.streamPath = http.prefix + "/sub/"
    // Found without the prefix as well.
    options.reservedPaths = ["/live", "/ready"].flatMap { Set([$0, http.prefix + $0]) }
    let openConnections = OpenConnections(
      limit: min(fitting, options.connections), perAddress: options.connectionsPerAddress)
    /// Those that no shard has taken over yet.
    var waiting: [(shard: Shard, listener: Listener)] = []
    do {
      for address in http.listen {
        let listeners = try listeners(at: address, count: shards.count, &opened.files)
        opened.addresses.append(listeners[0].address)
        for (shard, listener) in zip(shards, listeners) { waiting.append((shard, listener)) }
      }
      while let (shard, listener) = waiting.popLast() {
        try await shard.listen(
          on: listener, options: options, tls: listener.address.isUnixSocket ? nil : tls,
          openConnections: openConnections, memory: memory, logger: logger)
      }
    } catch {
      for (_, listener) in waiting { listener.close() }
      throw error
    }
  }

  /// One for each shard.
  private func listeners(
    at address: ListenAddress, count: Int, _ files: inout [UnixSocketFile]
  ) throws(HTTPServerError) -> [Listener] {
    var listeners: [Listener] = []
    do throws(HTTPServerError) {
      let given = given.first { $0.address.isSame(as: address) }
      if let given { listeners.append(given) }
      if given != nil || address.isUnixSocket {
        if listeners.isEmpty {
          listeners.append(try Listener.open(address, mode: http.socketMode))
          if let file = UnixSocketFile(of: listeners[0]) { files.append(file) }
        }
        while listeners.count < count { listeners.append(try listeners[0].duplicate()) }
        return listeners
      }
      // Shards share the port among themselves, which would let them share it with another gateway as well, unnoticed:
      // being alone is found out first.
      if count > 1, address.port != 0 { try Listener.open(address).close() }
      while listeners.count < count {
        // The first of the shards learns the port that the others share.
        listeners.append(try Listener.open(listeners.first?.address ?? address, reusePort: count > 1))
      }
      return listeners
    } catch {
      for listener in listeners { listener.close() }
      throw error
    }
  }

  /// Opens the address of operations, if there is one. One shard serves it: few ask.
  private func listenForOperations(_ shard: Shard, _ opened: inout Opened) async throws {
    guard let address = http.admin else { return }
    let listener = try listeners(at: address, count: 1, &opened.files)[0]
    var options = http.limits.server
    options.connections = Self.operatorConnections
    options.connectionsPerAddress = Self.operatorConnections
    // Others than those who look after the gateway may reach it, and fill all connections.
    options.reservedPaths = ["/live", "/ready"]
    try await shard.listen(
      on: listener, options: options, tls: http.tlsOfAdmin == nil ? nil : tls,
      openConnections: OpenConnections(limit: Self.operatorConnections, perAddress: Self.operatorConnections),
      memory: memory, forOperations: true, logger: logger)
    opened.admin = listener.address
  }
}
