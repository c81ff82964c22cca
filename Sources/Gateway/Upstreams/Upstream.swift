import ZeroMQRPC

/// One service as a shard reaches it: its sockets and what callers may do.
enum Upstream {
  case rpc(RPCUpstream)
  case pipeline(OneWayUpstream)
  case pubsub(PubSubUpstream)

  /// Whether all its endpoints have a connection; what a service is subscribed to, its hub knows.
  var isConnected: Bool {
    switch self {
    case .rpc(let upstream): upstream.isConnected
    case .pipeline(let upstream): upstream.isConnected
    case .pubsub(let upstream): upstream.publishing?.isConnected ?? true
    }
  }

  /// Whether it can be used: at least one endpoint has a connection, in each direction that is configured.
  var isReady: Bool {
    switch self {
    case .rpc(let upstream): upstream.isReady
    case .pipeline(let upstream): upstream.isReady
    case .pubsub(let upstream): upstream.isReady
    }
  }

  func close() {
    switch self {
    case .rpc(let upstream): upstream.close()
    case .pipeline(let upstream): upstream.close()
    case .pubsub(let upstream): upstream.close()
    }
  }
}
