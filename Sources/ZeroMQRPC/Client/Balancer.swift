import Reactor

/// The connections of a client: which of them gets the next call, and which takes over from a silent one.
///
/// It alone keeps these books. It opens nothing; it closes what has been replaced.
final class Balancer {
  /// How long a connection lives at least before it is replaced: a backend that is merely slower than its callers' patience is not
  /// reconnected all the time.
  private static let betweenReplacements = Duration.seconds(1)

  private struct Member {
    var connection: BackendConnection
    /// The fresh connection that takes over as soon as it stands.
    var replacement: BackendConnection?
    var lastReplaced: Instant?
  }

  /// One for each endpoint.
  private var members: [Member] = []
  /// Those with a connected backend, full ones too.
  private(set) var connected: [BackendConnection] = []
  /// Those of them that have room: libzmq has not refused a message for them since they last had some.
  private var ready: [BackendConnection] = []
  /// Replaced ones. They take no new calls and are closed when their last one ends.
  private var retired: [BackendConnection] = []
  private var generator = SystemRandomNumberGenerator()

  /// How many endpoints there are.
  var endpointCount: Int { members.count }

  func add(_ connection: BackendConnection) { members.append(Member(connection: connection)) }

  func close() {
    for member in members {
      member.connection.close()
      member.replacement?.close()
    }
    for connection in retired { connection.close() }
    (members, retired) = ([], [])
    update()
  }

  /// The less busy of two backends drawn by chance, among those with room; with one or two, simply the less busy. How busy one is, is
  /// told by its calls for each unit of its weight; of two that are equally busy, one of three times the weight is drawn three times
  /// as often.
  func next() -> BackendConnection? {
    guard ready.count > 1 else { return ready.first }
    var (first, second) = (0, 1)
    if ready.count > 2 {
      first = Int.random(in: 0..<ready.count, using: &generator)
      second = Int.random(in: 0..<(ready.count - 1), using: &generator)
      if second >= first { second += 1 }
    }
    let (a, b) = (ready[first], ready[second])
    let (loadOfA, loadOfB) = (a.load * b.weight, b.load * a.weight)
    if loadOfA != loadOfB { return loadOfA < loadOfB ? a : b }
    if a.weight == b.weight { return Bool.random(using: &generator) ? a : b }
    return Int.random(in: 0..<(a.weight + b.weight), using: &generator) < a.weight ? a : b
  }

  /// A connection has become full, or has room again.
  func update() {
    connected = members.map(\.connection).filter(\.isUp)
    ready = connected.filter { !$0.isFull }
  }

  /// A connection stands, or is gone. A fresh one that stands takes the place of the one it replaces.
  func changed(_ connection: BackendConnection) {
    if connection.isUp, let index = members.firstIndex(where: { $0.replacement === connection }) {
      let old = members[index].connection
      members[index].connection = connection
      members[index].replacement = nil
      retired.append(old)
      callEnded(old)
    }
    update()
  }

  /// A call on the connection has ended: when it has been replaced and this was its last one, it is closed.
  func callEnded(_ connection: BackendConnection) {
    guard !retired.isEmpty, connection.sentCalls == 0, let index = retired.firstIndex(where: { $0 === connection })
    else { return }
    retired.remove(at: index)
    connection.close()
  }

  /// Whether a silent connection is to be replaced: it stands, is not being replaced already, and was not a moment ago.
  func mayReplace(_ connection: BackendConnection, at now: Instant) -> Bool {
    guard connection.isUp, let member = members.first(where: { $0.connection === connection }),
      member.replacement == nil
    else { return false }
    return member.lastReplaced.map { now - $0 >= Self.betweenReplacements } ?? true
  }

  /// Keeps a fresh connection that takes over from the other one as soon as it stands.
  func replace(_ connection: BackendConnection, by fresh: BackendConnection, at now: Instant) {
    guard let index = members.firstIndex(where: { $0.connection === connection }) else { return fresh.close() }
    members[index].replacement = fresh
    members[index].lastReplaced = now
  }
}
