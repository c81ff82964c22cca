import Logging
import MessagePack
import Reactor
import ZeroMQ
import ZeroMQRPC

/// Asks services what they can be called with, at the start and then every half a minute: those with `describe` in the configuration.
///
/// It has a connection of its own to each of them, so that their answers count nowhere among the calls of clients.
struct DescriptionReader: Sendable {
  /// A service that is asked, and where its answer goes.
  private struct Source: Sendable {
    let service: String
    let endpoints: [Endpoint]
    let security: SocketSecurity
    let shared: SharedService
  }

  private static let interval = Duration.seconds(30)
  /// How long one answer is waited for, and until an answer that did not come is asked for again.
  private static let patience = Duration.seconds(5)
  private static let longestAnswer = 4 << 20

  private let sources: [Source]
  private let reactor: Reactor
  private let context: Context
  private let logger: Logger

  /// A reader for those services of the configuration that are to be asked. `shared` are in the same order as they.
  init(
    _ configuration: Configuration, shared: [SharedService], in context: Context, on reactor: Reactor, logger: Logger
  ) {
    sources = zip(configuration.services, shared).compactMap { service, shared in
      guard case .rpc(let rpc) = service.pattern, rpc.describe else { return nil }
      return Source(service: service.name, endpoints: rpc.connect, security: service.security, shared: shared)
    }
    self.reactor = reactor
    self.context = context
    self.logger = logger
  }

  /// Asks until the task is cancelled. Its connections are closed when it returns.
  func run() async {
    await withTaskGroup { group in
      for source in sources { group.addTask { await ask(source) } }
    }
  }

  private func ask(_ source: Source) async {
    var logger = logger
    logger[metadataKey: "service"] = "\(source.service)"
    // Of connections the service's own tell.
    var quiet = logger
    quiet.logLevel = .critical
    guard
      let client = try? await Self.client(source.endpoints, source.security, in: context, on: reactor, logger: quiet)
    else { return }
    var isSilent = false
    while !Task.isCancelled {
      do {
        let description = try await Self.description(from: client)
        // The same keeps its place: who has made something of it compares in no time.
        if source.shared.description != description { source.shared.description = description }
        isSilent = false
      } catch is CancellationError {
        break
      } catch let failure as CallFailure where failure.code == .queueTimeout || failure.code == .noBackend {
        // It is not there yet, which the log tells in another place.
      } catch {
        if !isSilent {
          logger.warning(
            "a service with describe does not tell what it can be called with", metadata: ["rpc.describe": "\(error)"])
        }
        isSilent = true
      }
      let pause = source.shared.description == nil && !isSilent ? .milliseconds(100) : Self.interval
      do { try await Task.sleep(for: pause) } catch { break }
    }
    await client.close()
  }

  /// What the services of the configuration with `describe` say, by their names, or why one says nothing.
  static func ask(_ configuration: Configuration) async -> [String: Result<ServiceDescription, any Error>] {
    await withTaskGroup(of: (String, Result<ServiceDescription, any Error>).self) { group in
      for service in configuration.services {
        guard case .rpc(let rpc) = service.pattern, rpc.describe else { continue }
        group.addTask {
          var quiet = Logger(label: "zmq-gateway")
          quiet.logLevel = .critical
          let client: RPCClient
          do {
            client = try await Self.client(rpc.connect, service.security, in: .shared, on: .shared, logger: quiet)
          } catch {
            return (service.name, .failure(error))
          }
          let answer: Result<ServiceDescription, any Error>
          do { answer = .success(try await description(from: client)) } catch { answer = .failure(error) }
          await client.close()
          return (service.name, answer)
        }
      }
      return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
    }
  }

  private static func client(
    _ endpoints: [Endpoint], _ security: SocketSecurity, in context: Context, on reactor: Reactor, logger: Logger
  ) async throws -> RPCClient {
    try await RPCClient.connect(endpoints, timeout: patience, on: reactor, in: context) {
      $0.logger = logger
      $0.security = security
      $0.connections.longestReply = longestAnswer
    }
  }

  private static func description(from client: RPCClient) async throws -> ServiceDescription {
    let answer: Value = try await client.call("rpc.describe")
    guard let description = ServiceDescription(answer) else { throw Malformed() }
    return description
  }

  private struct Malformed: Error, CustomStringConvertible {
    var description: String { "the answer has no list of methods" }
  }
}
