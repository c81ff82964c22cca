import Logging
import Reactor
import Synchronization
import ZeroMQ
import ZeroMQRPC

/// What the shards of a gateway share of one service.
final class SharedService: Sendable {
  /// How many calls may be under way on all shards together; of a service without replies, none.
  let inFlight: SharedLimit
  /// How many of those may wait for a backend with room.
  let waiting: SharedLimit
  /// Which of its endpoints are left alone.
  let openBreakers = OpenBreakers()
  /// What its calls, replies and events may take: its part of all that the gateway may keep.
  let memory: MemoryBudget
  /// Where long replies of all services are turned into JSON.
  let transcoding: BackgroundQueue
  /// What is known of the endpoints that calls and events are sent to; nil when there are none.
  let outgoing: EndpointStates?
  /// What is known of those that events come from; nil when there are none.
  let incoming: EndpointStates?
  private let publishers = Atomic<Int>(0)
  private let described = Guarded<ServiceDescription?>(nil)

  init(_ service: Configuration.Service, memory: MemoryBudget, transcoding: BackgroundQueue, logger: Logger) {
    self.memory = MemoryBudget(partOf: memory)
    self.transcoding = transcoding
    var logger = logger
    logger[metadataKey: "service"] = "\(service.name)"
    let directions = service.directions.map { direction in
      (
        direction.role,
        EndpointStates(
          direction.role, bind: direction.bind, connect: direction.connect, usesCurve: service.curve != nil,
          logger: logger)
      )
    }
    outgoing = directions.first { $0.0 != .subscribe }?.1
    incoming = directions.first { $0.0 == .subscribe }?.1
    if case .rpc(let rpc) = service.pattern {
      inFlight = SharedLimit(limit: rpc.inFlight)
      waiting = SharedLimit(limit: rpc.queue ?? rpc.inFlight)
    } else {
      inFlight = SharedLimit(limit: 0)
      waiting = SharedLimit(limit: 0)
    }
  }

  /// The limits of a service that has other ones hold from now on.
  func use(_ service: Configuration.Service) {
    guard case .rpc(let rpc) = service.pattern else { return }
    inFlight.limit = rpc.inFlight
    waiting.limit = rpc.queue ?? rpc.inFlight
  }

  /// Why a call is not sent when nobody is there to take it.
  var noBackend: CallFailure { CallFailure(.noBackend, sent: false, reason: outgoing?.fault?.code) }

  /// What the service says that it can be called with; nil when it is not asked, or has not answered yet.
  var description: ServiceDescription? {
    get { described.withLock { $0 } }
    set { described.withLock { $0 = newValue } }
  }

  /// How many publishers are connected to the service's hub. The hub, on one shard, sets it; every shard reads it.
  var connectedPublishers: Int {
    get { publishers.load(ordering: .relaxed) }
    set { publishers.store(newValue, ordering: .relaxed) }
  }
}
