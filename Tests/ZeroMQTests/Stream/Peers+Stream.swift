import Reactor
import Support

@testable import ZeroMQ

extension Peers {
  /// A stream that ends with the test.
  func stream<Bind: EndpointConvertible, Connect: EndpointConvertible>(
    _ kind: SocketKind, bind: [Bind] = [String](), connect: [Connect] = [String](), adopting offer: SocketOffer? = nil,
    highRead: Int? = nil, lowRead: Int? = nil, highWrite: Int? = nil, lowWrite: Int? = nil,
    options: (inout SocketOptions) -> Void = { _ in }
  ) async throws -> MessageStream {
    let stream = try await MessageStream.open(
      kind, bind: bind, connect: connect, on: reactor, in: context, adopting: offer, highRead: highRead,
      lowRead: lowRead, highWrite: highWrite, lowWrite: lowWrite, options: options, reporting: { _ in })
    keep(stream.transport)
    return stream
  }

  /// Two that are connected, over TCP or where it is said. The marks are those of the first for reading.
  func streams(
    _ kind: SocketKind, _ other: SocketKind, at endpoint: String = Peers.any, highRead: Int? = nil, lowRead: Int? = nil
  ) async throws -> (MessageStream, MessageStream) {
    let first = try await stream(kind, bind: [endpoint], highRead: highRead, lowRead: lowRead)
    return (first, try await stream(other, connect: first.boundTo))
  }
}

extension MessageStream {
  /// Where it is bound.
  var boundTo: [Endpoint] { get async { await transport.bindings } }

  /// A write and a turn: what was written before is with the transport.
  func settled() async { _ = await transport.writeBufferSize }

  /// What waits in libzmq, and is not received.
  var hasInput: Bool { get async { await transport.hasInput } }
}

extension Transport {
  /// Whether messages wait in libzmq.
  fileprivate var hasInput: Bool { socket?.readinessNow.contains(.input) == true }
}

/// What the body throws; nil when it does not.
nonisolated(nonsending) func failure(_ body: () async throws -> some Any) async -> ZMQError? {
  do {
    _ = try await body()
    return nil
  } catch { return error as? ZMQError }
}

extension Message {
  /// One frame, the number in text.
  init(number: Int) { self.init("\(number)") }

  /// The number that it was made of.
  var number: Int? { first?.text.flatMap { Int($0) } }
}
