import Reactor
import Support
import Testing

@testable import ZeroMQ

/// What a delegate was told.
enum Note: Hashable, Sendable {
  case made
  case message([[UInt8]])
  case lost(ZMQError.Code?)
  case pause, resume
}

/// A delegate that notes what it is told, and then does what the test wants.
final class Notes: TransportDelegate, Sendable {
  typealias Action = @Sendable (Note, isolated Transport) throws -> Void
  private let notes = Guarded<[Note]>([])
  private let action: Action

  init(_ action: @escaping Action) { self.action = action }

  /// All, in order.
  var all: [Note] { notes.withLock { $0 } }
  /// All but messages, in order.
  var events: [Note] { all.filter { if case .message = $0 { false } else { true } } }
  /// The messages, in order.
  var messages: [[[UInt8]]] { all.compactMap { if case .message(let frames) = $0 { frames } else { nil } } }

  private func note(_ note: Note, _ transport: isolated Transport) throws {
    notes.withLock { $0.append(note) }
    try action(note, transport)
  }

  func connectionMade(on transport: isolated Transport) throws { try note(.made, transport) }
  func messageReceived(_ message: Message, on transport: isolated Transport) throws {
    try note(.message(message.map { Array($0) }), transport)
  }
  func connectionLost(_ error: ZMQError?, on transport: isolated Transport) throws {
    try note(.lost(error?.code), transport)
  }
  func pauseWriting(on transport: isolated Transport) throws { try note(.pause, transport) }
  func resumeWriting(on transport: isolated Transport) throws { try note(.resume, transport) }
}

/// A transport with what it told.
struct Peer: Sendable {
  let transport: Transport
  let notes: Notes
  let reports: Guarded<[TransportReport]>

  /// The first messages, at least so many.
  func has(_ count: Int) async throws -> [[[UInt8]]] {
    try await eventually("\(count) messages") { notes.messages.count >= count ? notes.messages : nil }
  }

  func write(_ frames: [UInt8]...) async { await transport.write(Message(frames)) }

  /// Writes until something stays in the buffer.
  func fill(_ message: Message) async throws -> Int {
    try await transport.fill(message)
  }

  /// What was reported, in words.
  var reported: [String] { reports.withLock { $0.map(\.description) } }
}

extension Transport {
  /// Writes the message until one stays in the buffer; returns how often.
  fileprivate func fill(_ message: Message) throws -> Int {
    for count in 1...100_000 {
      write(message)
      if writeBufferSize > 0 { return count }
    }
    throw TimedOut("a full socket")
  }
}

/// Transports on one reactor and in one context, which end with the test.
final class Peers: Sendable {
  static let any = "tcp://127.0.0.1:*"
  let reactor: Reactor
  let context: Context
  let directory: TemporaryDirectory
  private let open = Guarded<[Transport]>([])

  private init() throws {
    reactor = try Reactor(name: "peers")
    context = try Context()
    directory = try TemporaryDirectory()
  }

  static func with(_ body: (Peers) async throws -> Void) async throws {
    let peers = try Peers()
    do { try await body(peers) } catch {
      await peers.end()
      throw error
    }
    await peers.end()
  }

  private func end() async {
    for transport in open.withLock({ $0 }) {
      await transport.abort()
      await transport.waitClosed()
    }
    open.withLock { $0 = [] }
    await context.close(within: .seconds(10))
    await reactor.stop()
  }

  /// Ends it with the test.
  func keep(_ transport: Transport) { open.withLock { $0.append(transport) } }

  func peer<Bind: EndpointConvertible, Connect: EndpointConvertible>(
    _ kind: SocketKind, bind: [Bind] = [String](), connect: [Connect] = [String](), adopting offer: SocketOffer? = nil,
    options: (inout SocketOptions) -> Void = { _ in }, doing action: @escaping Notes.Action = { _, _ in }
  ) async throws -> Peer {
    let (notes, reports) = (Notes(action), Guarded<[TransportReport]>([]))
    let transport = try await Transport.open(
      kind, bind: bind, connect: connect, on: reactor, in: context, adopting: offer, options: options,
      reporting: { report in reports.withLock { $0.append(report) } }
    ) { notes }
    keep(transport)
    return Peer(transport: transport, notes: notes, reports: reports)
  }

  /// Two that are connected, over TCP or where it is said.
  func pair(
    _ kind: SocketKind, _ other: SocketKind, at endpoint: String = Peers.any,
    options: (inout SocketOptions) -> Void = { _ in }, only: SocketKind? = nil
  ) async throws -> (Peer, Peer) {
    let first = try await peer(kind, bind: [endpoint], options: only == other ? { _ in } : options)
    let second = try await peer(other, connect: first.transport.bindings, options: only == kind ? { _ in } : options)
    return (first, second)
  }
}
