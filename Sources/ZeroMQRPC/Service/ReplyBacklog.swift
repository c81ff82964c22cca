import DequeModule

/// The replies that wait because their clients take no more at the moment, in a queue for each client. A value without I/O.
///
/// libzmq says of no single client when it has room again, so the queues are tried in turns.
struct ReplyBacklog {
  /// What becomes of a reply that is offered.
  enum Outcome {
    case sent
    /// The client has no room, and neither has it for what follows.
    case refused
    /// The client is not connected any more.
    case gone
  }

  /// Replies that a client is offered before the next one's turn.
  static let repliesPerTurn = 64

  /// Replies that wait for one client. What comes beyond them is dropped.
  private let mostReplies: Int
  /// Bytes that wait for all clients. What comes beyond them is dropped.
  private let mostBytes: Int
  /// How many replies wait.
  private(set) var count = 0
  private var bytes = 0
  private var queues: [[UInt8]: Deque<[[UInt8]]>] = [:]
  /// The clients that replies wait for, the next one first.
  private var clients: Deque<[UInt8]> = []

  init(repliesPerClient: Int = 1_000, bytes: Int = 64 << 20) {
    mostReplies = repliesPerClient
    mostBytes = bytes
  }

  /// Whether replies wait for the client of that identity.
  func holds(_ client: [UInt8]) -> Bool { !queues.isEmpty && queues[client] != nil }

  /// Keeps a reply, whose first frame is the client's identity; false when there is no place for it.
  mutating func append(_ reply: [[UInt8]]) -> Bool {
    guard let client = reply.first else { return false }
    let size = Self.size(reply)
    guard bytes + size <= mostBytes, queues[client, default: []].count < mostReplies else { return false }
    if queues[client] == nil { clients.append(client) }
    queues[client, default: []].append(reply)
    bytes += size
    count += 1
    return true
  }

  /// Offers the waiting replies, to at most so many clients. Returns how many were dropped because their clients are gone.
  mutating func offer(clients limit: Int, _ send: ([[UInt8]]) -> Outcome) -> Int {
    var dropped = 0
    for _ in 0..<min(limit, clients.count) {
      let client = clients.removeFirst()
      var queue = queues.removeValue(forKey: client) ?? []
      offering: for _ in 0..<Self.repliesPerTurn {
        guard let reply = queue.first else { break }
        switch send(reply) {
        case .sent: remove(&queue)
        case .refused: break offering
        case .gone:
          dropped += queue.count
          while !queue.isEmpty { remove(&queue) }
        }
      }
      guard !queue.isEmpty else { continue }
      queues[client] = queue
      clients.append(client)
    }
    return dropped
  }

  private mutating func remove(_ queue: inout Deque<[[UInt8]]>) {
    bytes -= Self.size(queue.removeFirst())
    count -= 1
  }

  private static func size(_ reply: [[UInt8]]) -> Int { reply.reduce(0) { $0 + $1.count } }
}
