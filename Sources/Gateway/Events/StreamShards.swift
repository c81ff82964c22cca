/// The shards that have streams of a service, and are therefore handed all its events.
struct StreamShards {
  private struct Member {
    let shard: Shard
    var streams: Int
  }

  private var members: [Member] = []

  /// Whether no stream is open.
  var isEmpty: Bool { members.isEmpty }
  /// Streams that are open, on all shards.
  var streams: Int { members.reduce(0) { $0 + $1.streams } }

  /// A stream has opened there.
  mutating func opened(on shard: Shard) {
    if let index = members.firstIndex(where: { $0.shard === shard }) {
      members[index].streams += 1
    } else {
      members.append(Member(shard: shard, streams: 1))
    }
  }

  /// A stream has closed there.
  mutating func closed(on shard: Shard) {
    guard let index = members.firstIndex(where: { $0.shard === shard }) else { return }
    members[index].streams -= 1
    if members[index].streams == 0 { members.remove(at: index) }
  }

  /// Hands out each shard.
  func forEach(_ body: (Shard) -> Void) { for member in members { body(member.shard) } }
}
