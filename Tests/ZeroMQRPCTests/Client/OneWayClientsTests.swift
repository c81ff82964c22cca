import MessagePack
import Reactor
import Support
import Testing
import ZeroMQ
import ZeroMQRPC

@Suite("clients of pipelines and of publishing", .inTurn(minutes: 3)) struct OneWayClientsTests {
  /// What services were called with.
  private final class Record: Sendable {
    let tally = Tally()
    private let calls = Guarded<[Value]>([])
    var all: [Value] { calls.withLock { $0 } }

    func add(_ call: Value) {
      calls.withLock { $0.append(call) }
      tally.countUp()
    }

    var methods: Methods {
      var (methods, images) = (Methods(), Methods())
      images.add("resize", "name", Parameter(keyword: "width", default: 0)) { (name: String, width: Int) in
        self.add([.string(name), .int(Int64(width))])
      }
      methods["images"] = images
      methods.add("update", "value") { (call: CallContext, value: Value) in
        self.add([call.topic.map(Value.binary) ?? .nil, value])
      }
      methods.add("fail") {
        self.add("fail")
        throw RemoteException.value("no good")
      }
      return methods
    }
  }

  private func worker(
    _ record: Record, _ bench: ClientBench, bind: [String] = [], connect: [String] = []
  ) async throws -> PipelineService {
    let service = try await PipelineService.start(
      record.methods, bind: bind, connect: connect, on: bench.reactor, in: bench.context
    ) { $0.grace = .zero }
    bench.cleanup.add { await service.close() }
    return service
  }

  private func feed(
    _ record: Record, _ topics: [String], _ bench: ClientBench, bind: [String] = [], connect: [String] = []
  ) async throws -> PubSubService {
    let service = try await PubSubService.start(
      record.methods, subscribe: topics, bind: bind, connect: connect, on: bench.reactor, in: bench.context
    ) { $0.grace = .zero }
    bench.cleanup.add { await service.close() }
    return service
  }

  private func jobs(
    _ bench: ClientBench, _ endpoints: [String], timeout: Duration? = nil,
    _ configure: (inout OneWayClientOptions) -> Void = { _ in }
  ) async throws -> PipelineClient {
    let jobs = try await PipelineClient.connect(
      endpoints, timeout: timeout, on: bench.reactor, in: bench.context, configure)
    bench.cleanup.add { await jobs.close() }
    return jobs
  }

  @Test("RPC-9: clients know a binding by what it was asked for as well")
  func unbindAsked() async throws {
    try await ClientBench.with { bench in
      let rpc = try await bench.client([])
      let jobs = try await jobs(bench, [])
      for transport in try await [rpc.transport, jobs.transport] {
        let bound = try await transport.bind("tcp://localhost:*").description
        try await transport.unbind("tcp://localhost:\(bound.split(separator: ":").last ?? "")")
        #expect(try await transport.bindings.isEmpty)
      }
    }
  }

  @Test("PIPE-1, PIPE-2, PIPE-3: names with members and whole names are called; what a worker raises is its own affair")
  func notify() async throws {
    try await ClientBench.with { bench in
      let (record, endpoint) = (Record(), bench.endpoint("worker"))
      _ = try await worker(record, bench, bind: [endpoint])
      let jobs = try await jobs(bench, [endpoint], timeout: .seconds(20))
      try await jobs.notify.images.resize("a.png", width: 640)
      try await jobs.notify("images.resize", ["b.png"], ["width": 2])
      try await jobs.notify.fail()
      try await jobs.notify.nope(1)
      try await jobs.notify.images.resize("c.png")
      await record.tally.reaches(4)
      #expect(record.all == [["a.png", 640], ["b.png", 2], "fail", ["c.png", 0]])
      await #expect(throws: CallFailure(.noName, sent: false)) { try await jobs.notify("") }
    }
  }

  @Test("PIPE-4: several workers share the calls, whoever binds") func spread() async throws {
    try await ClientBench.with { bench in
      let jobs = try await PipelineClient.bind(
        [bench.endpoint("jobs")], timeout: .seconds(20), on: bench.reactor, in: bench.context)
      bench.cleanup.add { await jobs.close() }
      let records = [Record(), Record()]
      let endpoint = try await jobs.transport.bindings[0].description
      for record in records { _ = try await worker(record, bench, connect: [endpoint]) }
      // libzmq deals out to those that are connected.
      try await eventually("both have some") {
        try await jobs.notify.update(1)
        return records.allSatisfy { $0.tally.count > 0 }
      }
    }
  }

  @Test("before a worker is there a call waits, in its turn, until its deadline; the queue is bounded") func early()
    async throws
  {
    try await ClientBench.with { bench in
      let endpoint = bench.endpoint("later")
      let jobs = try await jobs(bench, [endpoint], timeout: .seconds(20)) { $0.waitingCalls = 2 }
      await #expect(throws: CallFailure(.queueTimeout, sent: false)) {
        try await jobs.withTimeout(.milliseconds(50)) { try await $0.notify.update(0) }
      }
      let cancelled = Task { try await jobs.notify.update(0) }
      cancelled.cancel()
      await #expect(throws: CancellationError.self) { try await cancelled.value }
      let waiting = [Task { try await jobs.notify.update(1) }, Task { try await jobs.notify.update(2) }]
      try await eventually("two wait") { await jobs.waitingCalls == 2 }
      await #expect(throws: CallFailure(.queueFull, sent: false)) { try await jobs.notify.update(3) }
      let record = Record()
      _ = try await worker(record, bench, bind: [endpoint])
      for task in waiting { try await task.value }
      await record.tally.reaches(2)
      #expect(Set(record.all) == [[nil, 1], [nil, 2]])
    }
  }

  @Test("with failFast a call without a worker fails at once; closing ends those that wait") func failures()
    async throws
  {
    try await ClientBench.with { bench in
      let hasty = try await jobs(bench, [bench.endpoint("nobody")]) { $0.failFast = true }
      await #expect { try await hasty.notify.update(1) } throws: { ($0 as? CallFailure)?.code == .noBackend }
      let jobs = try await jobs(bench, [bench.endpoint("nobody")])
      let waiting = Task { try await jobs.notify.update(1) }
      try await eventually("it waits") { await jobs.waitingCalls == 1 }
      await jobs.close()
      await #expect(throws: CallFailure(.closed, sent: false)) { try await waiting.value }
      await #expect(throws: CallFailure(.closed, sent: false)) { try await jobs.transport }
      await jobs.waitClosed()
    }
  }

  @Test("a call that begins to wait while its client closes ends as well, as who waits for the end does")
  func closing() async throws {
    try await ClientBench.with { bench in
      for _ in 0..<300 {
        let jobs = try await jobs(bench, [bench.endpoint("nobody")])
        try await withThrowingTaskGroup(of: Void.self) { group in
          for _ in 0..<4 {
            group.addTask {
              _ = await #expect(throws: CallFailure(.closed, sent: false)) { try await jobs.notify.update(1) }
            }
          }
          group.addTask { await jobs.waitClosed() }
          try await eventually("one waits") { await jobs.waitingCalls > 0 }
          await jobs.close()
          try await group.waitForAll()
        }
      }
    }
  }

  @Test(
    "PUB-1, PUB-2, PUB-3, PUB-4: a topic reaches who has subscribed to it or a prefix, whoever binds",
    arguments: [false, true])
  func publish(isBound: Bool) async throws {
    try await ClientBench.with { bench in
      let (record, endpoint) = (Record(), bench.endpoint("feed"))
      let news: PubSubClient
      if isBound {
        news = try await PubSubClient.bind([endpoint], on: bench.reactor, in: bench.context)
      } else {
        news = try await PubSubClient.connect([endpoint], on: bench.reactor, in: bench.context)
      }
      bench.cleanup.add { await news.close() }
      // Nobody is there: it is dropped.
      try await news.publish("weather").update(0)
      let feed = try await feed(
        record, ["weather"], bench, bind: isBound ? [] : [endpoint], connect: isBound ? [endpoint] : [])
      try await news.waitForSubscriber(of: "weather.oslo", within: .seconds(20))
      try await news.publish("sport").update(1)
      try await news.publish("weather.oslo").update(21.5)
      try await news.publish("weather.rome", "update", [30])
      try await news.publish(Array("weather".utf8)).update(3)
      await record.tally.reaches(3)
      func on(_ topic: String, _ value: Value) -> Value { [.binary(Array(topic.utf8)), value] }
      #expect(record.all == [on("weather.oslo", 21.5), on("weather.rome", 30), on("weather", 3)])
      // Without a topic: for who has subscribed to everything.
      try await feed.subscribe("")
      try await news.waitForSubscriber(of: "anything", within: .seconds(20))
      try await news.publish().update(4)
      await record.tally.reaches(4)
      #expect(record.all.last == [.binary([]), 4])
    }
  }

  @Test("PUB-7, PUB-9: a bad endpoint, a wait that is over, an empty name and a closed client are told") func faults()
    async throws
  {
    try await ClientBench.with { bench in
      await #expect(throws: EndpointError.self) {
        try await PubSubClient.bind(["nonsense"], on: bench.reactor, in: bench.context)
      }
      await #expect(throws: ZMQError.self) {
        try await PubSubClient.bind(["ipc:///nowhere/at/all"], on: bench.reactor, in: bench.context)
      }
      let news = try await PubSubClient.bind([bench.endpoint("news")], on: bench.reactor, in: bench.context)
      bench.cleanup.add { await news.close() }
      await #expect { try await news.waitForSubscriber(of: "x", within: .milliseconds(10)) } throws: {
        ($0 as? ZMQError)?.code == .timedOut
      }
      await #expect(throws: CallFailure(.noName, sent: false)) { try await news.publish("x", "") }
      await news.close()
      await #expect(throws: CallFailure(.closed, sent: false)) { try await news.publish("x").update(1) }
    }
  }

  @Test("PUB-8: two publishers, two subscribers: each gets all") func twoByTwo() async throws {
    try await ClientBench.with { bench in
      let endpoints = ["a", "b"].map(bench.endpoint)
      var publishers: [PubSubClient] = []
      for endpoint in endpoints {
        let news = try await PubSubClient.bind([endpoint], on: bench.reactor, in: bench.context)
        bench.cleanup.add { await news.close() }
        publishers.append(news)
      }
      let records = [Record(), Record()]
      for (index, record) in records.enumerated() {
        _ = try await feed(record, ["all", "own\(index)"], bench, connect: endpoints)
      }
      for (number, news) in publishers.enumerated() {
        for index in records.indices { try await news.waitForSubscriber(of: "own\(index)", within: .seconds(20)) }
        try await news.publish("all").update(number)
      }
      let topic = Value.binary(Array("all".utf8))
      for record in records {
        await record.tally.reaches(2)
        #expect(Set(record.all) == [[topic, 0], [topic, 1]])
      }
    }
  }

  @Test("PUB-5, PUB-6: subscriptions are text or bytes, and come and go") func subscriptions() async throws {
    try await ClientBench.with { bench in
      let (record, endpoint) = (Record(), bench.endpoint("feed"))
      let feed = try await feed(record, [], bench, bind: [endpoint])
      let news = try await PubSubClient.connect([endpoint], on: bench.reactor, in: bench.context)
      bench.cleanup.add { await news.close() }
      try await feed.subscribe([0xFF, 1])
      try await feed.subscribe("sport")
      try await news.waitForSubscriber(of: "sport", within: .seconds(20))
      try await news.publish("news").update(0)
      try await news.publish([0xFF, 1, 2]).update(1)
      try await news.publish("sport").update(2)
      await record.tally.reaches(2)
      #expect(record.all.map { $0[1] } == [1, 2])
      // Subscriptions are told in their order: when the last one has come, the first one is gone.
      try await feed.unsubscribe("sport")
      try await feed.subscribe("last")
      try await news.waitForSubscriber(of: "last", within: .seconds(20))
      try await news.publish("sport").update(3)
      try await news.publish("last").update(4)
      await record.tally.reaches(3)
      #expect(record.all.last?[1] == 4)
    }
  }

  @Test("PIPE-8: at the end of its time a worker's method is cancelled") func workerTime() async throws {
    try await ClientBench.with { bench in
      let (endpoint, cancelled) = (bench.endpoint("worker"), Tally())
      var methods = Methods()
      methods.add("long") {
        try? await Task.sleep(for: .seconds(3_600))
        if Task.isCancelled { cancelled.countUp() }
      }
      let service = try await PipelineService.start(methods, bind: [endpoint], on: bench.reactor, in: bench.context) {
        // Where its time passes before it begins it is not run at all.
        $0.timeout = .milliseconds(500)
        $0.grace = .zero
      }
      bench.cleanup.add { await service.close() }
      let jobs = try await jobs(bench, [endpoint], timeout: .seconds(20))
      try await jobs.notify.long()
      await cancelled.reaches(1)
      #expect(await service.counters.timedOut == 1)
    }
  }
}
