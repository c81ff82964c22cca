import Reactor
import Synchronization
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
  private let publishers = Atomic<Int>(0)

  init(_ service: Configuration.Service, memory: MemoryBudget, transcoding: BackgroundQueue) {
    self.memory = MemoryBudget(partOf: memory)
    self.transcoding = transcoding
    if case .rpc(let rpc) = service.pattern {
      inFlight = SharedLimit(limit: rpc.inFlight)
      waiting = SharedLimit(limit: rpc.queue ?? rpc.inFlight)
    } else {
      inFlight = SharedLimit(limit: 0)
      waiting = SharedLimit(limit: 0)
    }
  }

  /// How many publishers are connected to the service's hub. The hub, on one shard, sets it; every shard reads it.
  var connectedPublishers: Int {
    get { publishers.load(ordering: .relaxed) }
    set { publishers.store(newValue, ordering: .relaxed) }
  }
}
