import ZeroMQ

/// How methods are called.
enum CallPattern: Sendable, Hashable {
  /// ROUTER: each call gets a reply.
  case rpc
  /// PULL: calls without replies.
  case pipeline
  /// SUB: calls without replies on the topics with these prefixes.
  case pubsub([[UInt8]])

  var socket: SocketKind {
    switch self {
    case .rpc: .router
    case .pipeline: .pull
    case .pubsub: .subscribe
    }
  }

  /// What is subscribed to at the start.
  var topics: [[UInt8]] { if case .pubsub(let topics) = self { topics } else { [] } }

  var hasTopics: Bool { if case .pubsub = self { true } else { false } }

  /// Its name in the log.
  var name: String {
    switch self {
    case .rpc: "RPC"
    case .pipeline: "Pipeline"
    case .pubsub: "PubSub"
    }
  }
}
