public import ZeroMQ
import ZeroMQRPC

/// A look at who answers at each endpoint of a configuration, without a gateway, and whether those to bind are free: what
/// `check --connect` prints.
public struct ConnectionCheck: Sendable {
  /// What was found at one endpoint.
  public struct Outcome: Sendable, Hashable {
    /// The service that has the endpoint.
    public let service: String
    /// The endpoint, as it is configured.
    public let endpoint: Endpoint
    /// Why it cannot be connected or bound to; nil when the right peer is there, or the endpoint is free.
    public let fault: ConnectFault?
  }

  /// So many endpoints are looked at at one time.
  private static let width = 64
  private let services: [Configuration.Service]

  /// A check of all services of the configuration.
  public init(_ configuration: Configuration) { services = configuration.services }

  /// Looks at all endpoints at once, and returns what was found, in the order of the configuration. Waits three seconds for each at
  /// most, and for the lookup of its name.
  public func run() async -> [Outcome] {
    let look = PeerLook(most: Self.width)
    return await withTaskGroup(of: (Int, Outcome).self) { group in
      var count = 0
      for service in services {
        let curve = service.curve
        for direction in service.directions {
          for endpoint in direction.connect {
            group.addTask { [count] in
              var fault = await withCheckedContinuation { done in
                look.look(at: endpoint, for: direction.role) { done.resume(returning: $0) }
              }
              if let curve {
                fault = ConnectFault.seenByCurve(fault, wasRefused: false)
                // Whether such a peer takes the keys, a look without them does not tell.
                if fault == nil {
                  fault = await CurveTrial.fault(at: endpoint, for: direction.role, with: curve.security)
                }
              }
              return (count, Outcome(service: service.name, endpoint: endpoint, fault: fault))
            }
            count += 1
          }
          for endpoint in direction.bind {
            group.addTask { [count] in
              let fault = await BindTrial.fault(at: endpoint)
              return (count, Outcome(service: service.name, endpoint: endpoint, fault: fault))
            }
            count += 1
          }
        }
      }
      return await group.reduce(into: []) { $0.append($1) }.sorted { $0.0 < $1.0 }.map(\.1)
    }
  }
}

extension Configuration.Service {
  /// What its sockets are told of who they are.
  var security: SocketSecurity { curve?.security ?? .null }

  /// The endpoints that one socket of the service has, and what that socket does.
  struct Direction: Sendable {
    let role: EndpointStates.Role
    let connect: [Endpoint]
    let bind: [Endpoint]
  }

  /// Whether peers connect to the socket that calls and events are sent through: it can be bound once, so one shard has it.
  var isBound: Bool { directions.contains { $0.role != .subscribe && !$0.bind.isEmpty } }

  /// What the service sends calls or events through, and what it receives events through, as far as it does either.
  var directions: [Direction] {
    switch pattern {
    case .rpc(let rpc): [Direction(role: .rpc, connect: rpc.connect, bind: rpc.bind)]
    case .pipeline(let pipeline): [Direction(role: .pipeline, connect: pipeline.connect, bind: pipeline.bind)]
    case .pubsub(let pubsub):
      [
        pubsub.publish.map { Direction(role: .publish, connect: $0.connect, bind: $0.bind) },
        pubsub.subscribe.map { Direction(role: .subscribe, connect: $0.connect, bind: $0.bind) },
      ].compactMap(\.self)
    }
  }
}
