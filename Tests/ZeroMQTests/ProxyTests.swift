import Reactor
import Support
import Testing

@testable import ZeroMQ

/// Keeps what a transport receives.
private final class Inbox: TransportDelegate, Sendable {
  private let received = Guarded<[Message]>([])

  func messageReceived(_ message: Message, on transport: isolated Transport) {
    received.withLock { $0.append(message) }
  }

  func has(_ count: Int) async throws -> [Message] {
    try await eventually("\(count) messages") { received.withLock { $0.count >= count ? $0 : nil } }
  }
  var count: Int { received.withLock { $0.count } }
}

private final class Deaf: TransportDelegate, Sendable {}

/// Transports of one test, on a reactor and a context of their own.
private struct Place {
  let reactor: Reactor
  let context: Context

  static func with(_ body: (Place) async throws -> Void) async throws {
    let place = Place(reactor: try Reactor(), context: try Context())
    let result: Result<Void, any Error>
    do { result = .success(try await body(place)) } catch { result = .failure(error) }
    await place.reactor.stop()
    try result.get()
  }

  func open(
    _ kind: SocketKind, bind: [String] = [], connect: [String] = [],
    delegate: some TransportDelegate & Sendable = Deaf(),
    options: (inout SocketOptions) -> Void = { _ in }
  ) async throws -> Transport {
    try await Transport.open(
      kind, bind: bind, connect: connect, on: reactor, in: context, options: options
    ) { delegate }
  }
}

@Suite("a proxy between transports", .inTurn(minutes: 3))
struct ProxyTests {
  private static let anywhere = ["tcp://127.0.0.1:*"]

  @Test("runs until its task is cancelled, leaves the transports open, and gives them their messages back")
  func cancelled() async throws {
    try await Place.with { place in
      let (inbox, delegate) = (Inbox(), Inbox())
      let front = try await place.open(.pull, bind: Self.anywhere, delegate: delegate)
      let back = try await place.open(.push, bind: Self.anywhere)
      let sink = try await place.open(.pull, connect: [back.bindings[0].description], delegate: inbox)
      let source = try await place.open(.push, connect: [front.bindings[0].description])
      let it = Proxy(front, back)
      let running = Task { try await it.run() }
      try await eventually("it runs") { await it.isRunning }
      await source.write(["a", "b"])
      #expect(try await inbox.has(1) == [["a", "b"]])
      running.cancel()
      try await running.value
      #expect(await it.statistics.forth == .init(messages: 1, bytes: 2))
      await source.write(["c"])
      #expect(try await delegate.has(1) == [["c"]])
      for transport in [front, back, sink, source] { #expect(await transport.isOpen) }
      // And again, with nothing to steer it by: what is sent before it runs is the delegate's.
      let again = Task { try await proxy(front, back) }
      try await eventually("it is passed on") {
        await source.write(["d"])
        return inbox.count > 1
      }
      #expect(try await inbox.has(2)[1] == ["d"])
      again.cancel()
      try await again.value
      #expect(await front.isOpen)
    }
  }

  @Test("pauses and goes on, also when it is paused before it runs") func pauses() async throws {
    try await Place.with { place in
      let inbox = Inbox()
      let front = try await place.open(.pull, bind: ["inproc://front"])
      let back = try await place.open(.push, bind: ["inproc://back"])
      let sink = try await place.open(.pull, connect: ["inproc://back"], delegate: inbox)
      let source = try await place.open(.push, connect: ["inproc://front"])
      let it = Proxy(front, back)
      await it.pause()
      #expect(await it.isPaused)
      let running = Task { try await it.run() }
      try await eventually("it runs") { await it.isRunning }
      await source.write(["a"])
      try await eventually("it is there") { await front.description.contains("read=ready") }
      #expect(inbox.count == 0)
      await it.resume()
      #expect(try await inbox.has(1) == [["a"]])
      await #expect(throws: ZMQError.self) { try await it.run() }
      await #expect(throws: ZMQError.self) { try await proxy(front, sink) }
      await it.terminate()
      try await running.value
    }
  }

  @Test(
    "a capture that cannot take a message misses it, and the proxy goes on", arguments: [SocketKind.router, .reply])
  func uncaptured(kind: SocketKind) async throws {
    try await Place.with { place in
      let inbox = Inbox()
      let front = try await place.open(.pull, bind: ["inproc://front"])
      let back = try await place.open(.push, bind: ["inproc://back"])
      let capture = try await place.open(kind, bind: ["inproc://capture"])
      let sink = try await place.open(.pull, connect: ["inproc://back"], delegate: inbox)
      let source = try await place.open(.push, connect: ["inproc://front"])
      let it = Proxy(front, back, capture: capture)
      let running = Task { try await it.run() }
      // Before that, messages are the delegates'.
      try await eventually("it runs") { await it.isRunning }
      for text in ["a", "b"] { await source.write(Message(text)) }
      #expect(try await inbox.has(2) == [["a"], ["b"]])
      #expect(await it.statistics.forth.uncaptured == 2)
      #expect(await it.isRunning)
      running.cancel()
      try await running.value
      for transport in [capture, sink] { #expect(await transport.isOpen) }
    }
  }

  @Test("throws when it cannot begin, and when a transport closes") func throwing() async throws {
    try await Place.with { place in
      let (pull, push) = (try await place.open(.pull), try await place.open(.push))
      let elsewhere = try Reactor()
      let far = try await Transport.open(.push, on: elsewhere, in: place.context) { Deaf() }
      func fault(_ front: Transport, _ back: Transport, _ capture: Transport? = nil) async -> String {
        do {
          try await proxy(front, back, capture: capture)
          return ""
        } catch {
          return "\(error)"
        }
      }
      #expect(await fault(pull, far).contains("two reactors"))
      #expect(await fault(pull, push, far).contains("two reactors"))
      #expect(await fault(pull, pull).contains("none can send"))
      #expect(await fault(pull, push, pull).contains("cannot send"))
      #expect(await fault(pull, push, push).contains("is one of its two"))
      let it = Proxy(pull, push)
      let running = Task { try await it.run() }
      try await eventually("it runs") { await it.isRunning }
      #expect(await fault(pull, push).contains("in another proxy"))
      await push.close()
      let error = await #expect(throws: ZMQError.self) { try await running.value }
      #expect(error?.description.contains("was closed") == true)
      #expect(await !it.isRunning)
      #expect(await fault(pull, push).contains("closed transport"))
      await far.close()
      await far.waitClosed()
      await elsewhere.stop()
    }
  }

  @Test("is steered by messages, as zmq_proxy_steerable is") func control() async throws {
    try await Place.with { place in
      let (inbox, answers) = (Inbox(), Inbox())
      let front = try await place.open(.pull, bind: ["inproc://front"])
      let back = try await place.open(.push, bind: ["inproc://back"])
      let sink = try await place.open(.pull, connect: ["inproc://back"], delegate: inbox)
      let source = try await place.open(.push, connect: ["inproc://front"])
      let it = Proxy(front, back)
      let control = try await place.open(.reply, bind: ["inproc://control"], delegate: ProxyControl(it))
      let steering = try await place.open(.request, connect: ["inproc://control"], delegate: answers)
      let running = Task { try await it.run() }
      try await eventually("it runs") { await it.isRunning }
      for number in 0..<3 { await source.write(["m", Message("\(number)")[0]]) }
      _ = try await inbox.has(3)
      for (index, command) in ["PAUSE", "what", "RESUME", "STATISTICS", "TERMINATE"].enumerated() {
        await steering.write(Message(command))
        let answer = try await answers.has(index + 1)[index]
        if command == "STATISTICS" {
          let numbers = answer.map { $0.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) } }
          #expect(numbers == [3, 6, 0, 0, 0, 0, 3, 6])
        } else {
          #expect(answer == [""])
        }
        #expect(await it.isPaused == (index < 2))
      }
      try await running.value
      for transport in [control, sink] { #expect(await transport.isOpen) }
    }
  }

  @Test(
    "pyzmq on both sides: REQ and REP through a queue, SUB and PUB through a forwarder",
    .enabled(if: Python.isThere, Comment(rawValue: Python.comment)))
  func python() async throws {
    try await Place.with { place in
      let router = try await place.open(.router, bind: Self.anywhere)
      let dealer = try await place.open(.dealer, bind: Self.anywhere)
      let publishers = try await place.open(.xSubscribe, bind: Self.anywhere)
      let subscribers = try await place.open(.xPublish, bind: Self.anywhere)
      let proxies = [Proxy(router, dealer), Proxy(publishers, subscribers)]
      let running = proxies.map { proxy in Task { try await proxy.run() } }
      for proxy in proxies { try await eventually("it runs") { await proxy.isRunning } }
      let endpoints = await [router, dealer, publishers, subscribers].asyncMap { await $0.bindings[0].description }
      let lines = try await Python.lines(of: "peer_proxy.py", endpoints)
      #expect(lines == [["requests": 300, "events": 100, "longest": 250]])
      #expect(await proxies[0].statistics.back.messages == 300)
      // Its end too, when the subscriber has gone.
      #expect((1...2).contains(await proxies[1].statistics.back.dropped))
      for proxy in proxies { await proxy.terminate() }
      for task in running { try await task.value }
    }
  }
}

extension Sequence {
  fileprivate func asyncMap<Result>(_ body: (Element) async throws -> Result) async rethrows -> [Result] {
    var results: [Result] = []
    for element in self { results.append(try await body(element)) }
    return results
  }
}

@Suite("waiting for a subscriber of a transport", .inTurn(minutes: 3))
struct WaitForSubscriberTests {
  @Test("returns when somebody has subscribed, and what is published then arrives", arguments: [true, false])
  func returns(isXPublish: Bool) async throws {
    try await Place.with { place in
      let inbox = Inbox()
      let publisher = try await place.open(isXPublish ? .xPublish : .publish, bind: ["tcp://127.0.0.1:*"]) {
        $0.watchesSubscribers = true
      }
      for limit in [Duration.zero, .milliseconds(20)] {
        let error = await #expect(throws: ZMQError.self) {
          try await publisher.waitForSubscriber(of: "news.eu".utf8, within: limit)
        }
        #expect(error?.code == .timedOut)
      }
      let subscriber = try await place.open(.subscribe, connect: [publisher.bindings[0].description], delegate: inbox)
      try await subscriber.subscribe(Array("news".utf8))
      try await publisher.waitForSubscriber(of: "news.eu".utf8)
      await publisher.write(["news.eu", "1"])
      #expect(try await inbox.has(1) == [["news.eu", "1"]])
      let cancelled = Task { try await publisher.waitForSubscriber(of: "other".utf8) }
      cancelled.cancel()
      await #expect(throws: CancellationError.self) { try await cancelled.value }
      let closed = Task { try await publisher.waitForSubscriber(of: "other".utf8) }
      let early = Task { try await publisher.waitForSubscriber(of: "news.us".utf8, within: .seconds(30)) }
      try await early.value
      await publisher.close()
      let error = await #expect(throws: ZMQError.self) { try await closed.value }
      #expect(error?.code == .notSocket)
    }
  }

  @Test("says what to do where it is not known") func unknown() async throws {
    try await Place.with { place in
      for kind in [SocketKind.publish, .push] {
        let transport = try await place.open(kind)
        let error = await #expect(throws: ZMQError.self) { try await transport.waitForSubscriber(of: [1]) }
        #expect(error?.code == .notSupported)
        #expect(error?.description.contains("watchesSubscribers") == true)
      }
    }
  }

  @Test("a transport has monitors, which end with it") func monitors() async throws {
    try await Place.with { place in
      let transport = try await place.open(.pull)
      let monitor = try await transport.monitor()
      try await transport.bind("tcp://127.0.0.1:*")
      await transport.close()
      var names: [Substring] = []
      for await event in monitor { names.append(event.kind.name) }
      #expect(names == ["listening", "stopped"])
      await transport.waitClosed()
      await #expect(throws: ZMQError.self) { try await transport.monitor() }
    }
  }
}
