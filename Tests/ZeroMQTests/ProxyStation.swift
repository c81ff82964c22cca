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
