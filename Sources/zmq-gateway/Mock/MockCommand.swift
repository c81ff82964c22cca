import ArgumentParser
import ConfigurationReader
import FoundationEssentials
import Gateway
import Glibc
import ZeroMQ
import ZeroMQRPC

struct MockCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mock", abstract: "Play services that are not there: canned results, delays, errors, silence, events.",
    discussion: """
      zmq-gateway mock mock.yaml

        services:
          math:
            pattern: rpc
            bind: "tcp://127.0.0.1:5555"
            methods:
              add: { result: 5 }
              report: { delay: 2s, result: { pages: 12 } }
              # In turn.
              price: [{ result: 0.25 }, { error: builtins.KeyError, args: [fig] }]
              lost: { silent: true }
              # All others.
              "*": { result: null }
          jobs: { pattern: pipeline, bind: "tcp://127.0.0.1:5556" }
          news:
            pattern: pubsub
            subscribe: { bind: "tcp://127.0.0.1:5557" }
            publish:
              bind: "tcp://127.0.0.1:5558"
              events: [{ topic: chat, method: say, args: [hello], every: 1s }]

      Each call that comes is a line of JSON on standard output.
      """)

  @Argument(help: "The file; - is standard input.")
  var file: String

  func run() async throws {
    let mock = try read()
    // Each is kept until the end.
    var running: [any Sendable] = []
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (name, pattern) in mock.services { running.append(try await start(name, pattern, &group)) }
      await Self.stopSignal()
      group.cancelAll()
    }
    withExtendedLifetime(running) {}
  }

  private func read() throws -> MockFile {
    let name = file == "-" ? "standard input" : file
    do {
      let text = try file == "-" ? TextFile.read(from: STDIN_FILENO) : TextFile.read(file)
      return try MockFile(yaml: text, file: name, environment: ProcessInfo.processInfo.environment)
    } catch let error as TextFile.Unreadable {
      throw fail("\(name): \(error.reason); give the path of a YAML file in UTF-8", .configuration)
    } catch {
      throw fail("\(error)", .configuration)
    }
  }

  /// Starts one, and tells where it is. What is returned has to be kept.
  private func start(
    _ name: String, _ pattern: MockFile.Pattern, _ group: inout ThrowingTaskGroup<Void, any Error>
  ) async throws -> any Sendable {
    do {
      switch pattern {
      case .rpc(let endpoints, let methods):
        let service = try await RPCService.start(methods, bind: endpoints) { Self.configure(&$0) }
        Self.tell(name, "rpc", try await service.transport.bindings)
        return service
      case .pipeline(let endpoints, let methods):
        let service = try await PipelineService.start(methods, bind: endpoints) { Self.configure(&$0) }
        Self.tell(name, "pipeline", try await service.transport.bindings)
        return service
      case .subscriber(let endpoints, let methods):
        let service = try await PubSubService.start(methods, subscribe: [""], bind: endpoints) { Self.configure(&$0) }
        Self.tell(name, "subscribe", try await service.transport.bindings)
        return service
      case .publisher(let endpoints, let events):
        let client = try await PubSubClient.bind(endpoints) { $0.logger = PeerOptions.quiet }
        Self.tell(name, "publish", try await client.transport.bindings)
        for event in events {
          group.addTask {
            while !Task.isCancelled {
              try await client.publish(event.topic, event.method, event.arguments, event.keywords)
              try? await Task.sleep(for: event.interval)
            }
          }
        }
        return client
      }
    } catch {
      throw fail("\(name): \(error)", .unavailable)
    }
  }

  private static func configure(_ options: inout ServiceOptions) {
    options.logger = PeerOptions.quiet
    options.grace = .zero
  }

  private static func tell(_ name: String, _ pattern: String, _ endpoints: [Endpoint]) {
    let places = endpoints.map(\.inNumbers.description).joined(separator: " ")
    StandardStream.error.write("\(name): \(pattern) at \(places)\n")
  }

  /// Returns at the first SIGTERM or SIGINT.
  private static func stopSignal() async {
    let (stops, stop) = AsyncStream<Void>.makeStream()
    let signals = StopSignals { _ in stop.yield() }
    for await _ in stops { break }
    withExtendedLifetime(signals) {}
  }
}
