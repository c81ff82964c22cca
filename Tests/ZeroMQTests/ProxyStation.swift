import Reactor
import Support

@testable import ZeroMQ

/// Two sockets on a reactor with a proxy's engine between them.
actor ProxyStation {
  nonisolated let unownedExecutor: UnownedSerialExecutor
  nonisolated let ends = Guarded<[ZMQError?]>([])
  private let reactor: Reactor, context: Context
  private var front: LoopSocket?, back: LoopSocket?, capture: LoopSocket?
  private var engine: ProxyEngine?
  /// On the thread of the proxy's sockets.
  private var source: Socket?, sink: Socket?, listener: Socket?

  init(_ stations: Stations) {
    (reactor, context) = (stations.reactor, stations.context)
    unownedExecutor = reactor.asUnownedSerialExecutor()
  }

  /// Opens and binds the sockets, and starts; where they are bound.
  func open(
    _ front: SocketKind, _ back: SocketKind, capture: SocketKind? = nil, _ options: SocketOptions = .init(),
    at endpoint: String = "tcp://127.0.0.1:*"
  ) throws -> [String] {
    let sockets = try [front, back, capture].compactMap(\.self).map {
      try LoopSocket($0, options: options, in: context, on: reactor.loop)
    }
    (self.front, self.back) = (sockets[0], sockets[1])
    self.capture = sockets.count > 2 ? sockets[2] : nil
    try start()
    return try sockets.enumerated().map { index, socket in
      let text = endpoint.hasPrefix("inproc") ? endpoint + "-\(index)" : endpoint
      return try socket.bind(Endpoint(text)).description
    }
  }

  func start() throws {
    guard let front, let back else { return }
    let engine = try ProxyEngine(front, back, capture: capture, on: reactor.loop) { [ends] error in
      ends.withLock { $0.append(error) }
    }
    engine.start()
    self.engine = engine
  }

  func stop() { engine?.stop() }
  func pause(_ isPaused: Bool) { engine?.isPaused = isPaused }
  var statistics: ProxyStatistics { engine?.statistics ?? .init() }
  var areOpen: Bool { front?.isOpen == true && back?.isOpen == true }
  /// Whether messages wait at the front.
  var hasInput: Bool { front?.readinessNow.contains(.input) == true }
  /// Whether nothing of what waits at the front can leave at the back.
  var isBlocked: Bool { hasInput && back?.readinessNow.contains(.output) == false }
  func closeBack() { back?.close() }

  /// Connects peers to a PULL, a PUSH and a capturing DEALER, which tells that delegate what it receives.
  func connectPeers(to endpoints: [String], _ delegate: any LoopSocketDelegate) throws {
    let peers = try [SocketKind.push, .pull, .dealer].map { try Socket($0, in: context) }
    for (peer, endpoint) in zip(peers, endpoints) { try peer.connect(endpoint) }
    (source, sink, listener) = (peers[0], peers[1], peers[2])
    capture?.delegate = delegate
  }

  func disconnectPeers() { (source, sink, listener) = (nil, nil, nil) }

  /// A message comes to the capturing socket, and in the same turn the proxy has that send.
  func receiveWhileCapturing() throws -> Bool {
    func send(_ socket: Socket?) throws -> Bool {
      try [7].withUnsafeBytes { try socket?.send($0, more: false) } == true
    }
    guard try send(listener), try send(source) else { return false }
    // So long, libzmq does not look at its inbox when it sends (`config.hpp`, max_command_delay).
    let start = Instant.monotonic()
    while Instant.monotonic() - start < .milliseconds(3) {}
    engine?.move()
    return true
  }

  func sendBack(_ frames: [[UInt8]]) throws -> Bool { try back?.send(frames) ?? false }

  /// Whether it says why it cannot start.
  func fault(_ front: SocketKind, _ back: SocketKind, capture: SocketKind? = nil) throws -> ZMQError? {
    func socket(_ kind: SocketKind) throws -> LoopSocket { try LoopSocket(kind, in: context, on: reactor.loop) }
    do {
      _ = try ProxyEngine(
        socket(front), socket(back), capture: try capture.map(socket), on: reactor.loop, ended: { _ in })
      return nil
    } catch let error as ZMQError {
      return error
    }
  }

  func faultInUse() throws -> ZMQError? {
    do {
      try start()
      return nil
    } catch let error as ZMQError {
      return error
    }
  }
}
