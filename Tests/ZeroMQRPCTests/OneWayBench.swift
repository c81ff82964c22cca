import MessagePack
import Reactor
import Support
import ZeroMQ

@testable import ZeroMQRPC

/// A `OneWayClient` and a `Subscriber` on a reactor of their own.
actor OneWayBench {
  nonisolated let unownedExecutor: UnownedSerialExecutor
  nonisolated let context: Context
  private nonisolated let reactor: Reactor
  private var client: OneWayClient?
  private var subscriber: Subscriber?
  private let listener = Listener()

  static func with(_ body: (OneWayBench, Cleanup) async throws -> Void) async throws {
    try await Cleanup.with { cleanup in
      let bench = try OneWayBench()
      cleanup.add { await bench.shutDown() }
      try await body(bench, cleanup)
    }
  }

  private init() throws {
    reactor = try Reactor(name: "one-way")
    context = try Context()
    unownedExecutor = reactor.asUnownedSerialExecutor()
  }

  // MARK: The client

  func open(_ pattern: OneWayClient.Pattern, bind: [String] = [], connect: [String] = []) throws {
    client = try OneWayClient(
      pattern, bind: bind.map { try Endpoint($0) }, connect: connect.map { try Endpoint($0) }, in: context,
      on: reactor.loop)
  }

  /// Sends a call; what stood in the way, if anything.
  func send(_ method: String, _ arguments: [UInt8] = [0x90], topic: String? = nil) throws -> CallFailure? {
    guard let client else { throw TimedOut("no client") }
    let (method, topic) = (Array(method.utf8), topic.map { Array($0.utf8) })
    do {
      try method.withUnsafeBytes { method in
        try arguments.withUnsafeBytes { arguments in
          try [UInt8(0x80)].withUnsafeBytes { keywords in
            var call = BorrowedCall(method: method, arguments: arguments, keywords: keywords)
            guard let topic else { return try client.send(call) }
            try topic.withUnsafeBytes {
              call.topic = $0
              try client.send(call)
            }
          }
        }
      }
      return nil
    } catch let failure as CallFailure {
      return failure
    }
  }

  var isConnected: Bool { client?.isConnected ?? false }
  var clientBindings: [String] { client?.bindings.map(\.description) ?? [] }
  func closeClient() { client?.close() }
  func dropClient() { client = nil }

  // MARK: The subscriber

  func subscribe(bind: [String] = [], connect: [String] = []) throws {
    let subscriber = try Subscriber(
      bind: bind.map { try Endpoint($0) }, connect: connect.map { try Endpoint($0) }, longestFrame: 1 << 20,
      in: context, on: reactor.loop)
    subscriber.delegate = listener
    self.subscriber = subscriber
  }

  func subscribe(to prefixes: [String]) throws {
    for prefix in prefixes { try subscriber?.subscribe(Array(prefix.utf8)) }
  }

  var isSubscriberConnected: Bool { subscriber?.isConnected ?? false }
  var subscriberBindings: [String] { subscriber?.bindings.map(\.description) ?? [] }
  var malformedMessages: Int { subscriber?.malformedMessages ?? 0 }
  var heard: [[UInt8]] { listener.heard }
  /// The topics of the messages that were dropped.
  var dropped: [[UInt8]] { listener.dropped }
  /// What the subscriber has told of its publishers: how many were connected, and of how many.
  var told: [[Int]] { listener.told }
  func closeSubscriber() { subscriber?.close() }
  func dropSubscriber() { subscriber = nil }

  private func closeAll() {
    client?.close()
    subscriber?.close()
    client = nil
    subscriber = nil
  }

  private nonisolated func shutDown() async {
    await closeAll()
    try? await offThread { [reactor] in reactor.shutdown() }
  }

  private final class Listener: SubscriberDelegate {
    var heard: [[UInt8]] = []
    var told: [[Int]] = []
    var dropped: [[UInt8]] = []

    func published(_ call: BorrowedCall) { heard.append(Array(call.topic ?? .init(start: nil, count: 0))) }
    func dropped(topic: UnsafeRawBufferPointer) { dropped.append(Array(topic)) }
    func publishedAll() {}
    func upstreamChanged(connected: Int, of endpoints: Int) { told.append([connected, endpoints]) }
  }
}
