/// Peers of a ROUTER or STREAM that messages were for, and that are not there.
struct GonePeers {
  private var counts: [Frame: Int] = [:]
  private var order: [Frame] = []

  mutating func add(_ peer: Frame) {
    if counts[peer] == nil { order.append(peer) }
    counts[peer, default: 0] += 1
  }

  /// One for each, in the order in which they came.
  var errors: [ZMQError] {
    order.map { peer in
      let count = counts[peer] ?? 0
      let what = count == 1 ? "write" : "write of \(count) messages"
      return ZMQError(code: .unreachable, call: "\(what) to \(peer), a peer that is not there")
    }
  }
}
