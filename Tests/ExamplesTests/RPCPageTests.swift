import MessagePack
import Support
import Testing
import ZeroMQ
import ZeroMQRPC

/// What `docs/rpc.md` shows, beside what stands in `Examples` and what the articles show too.
@Suite("What the page about calls shows", .inTurn(minutes: 3))
struct RPCPageTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private var methods: Methods {
    var (methods, math, dates) = (Methods(), Methods(), Methods())
    math.add("add", "a", "b") { (a: Int, b: Int) in a + b }
    methods["math"] = math
    dates.add("now") {
      PythonDateTime(
        try #require(PythonDate(year: 2024, month: 2, day: 29)), try #require(PythonTime(hour: 12, minute: 0)))
    }
    dates.add("add", "day", "span") { (day: PythonDate, span: PythonTimeDelta) in
      PythonDate(daysSince1970: day.daysSince1970 + span.days)
    }
    methods["dates"] = dates
    methods.add("slow") { 1 }
    methods.add("buy", "item") { (item: String) in throw RemoteException("shop.OutOfStock", [.string(item)]) }
    return methods
  }

  @Test("endpoints come and go, and a time is given to a value or a scope") func calls() async throws {
    let service = try await RPCService.start(methods, bind: ["ipc://\(directory.path)/first"])
    try await service.transport.bind("ipc://\(directory.path)/calc")

    let client = try await RPCClient.connect(["ipc://\(directory.path)/first"], timeout: .seconds(2))
    let sum: Int = try await client.call.math.add(1, b: 2)
    let same: Int = try await client.call("math.add", [1], ["b": 2])
    #expect((sum, same) == (3, 3))

    try await client.transport.connect("ipc://\(directory.path)/calc")
    try await client.transport.disconnect("ipc://\(directory.path)/first")  // what was sent there is still answered
    try await eventually("it is connected") { try await client.transport.connectedEndpoints == 1 }

    let patient = client.withTimeout(nil)
    try await client.withTimeout(.milliseconds(200)) { let _: Value = try await $0.call.slow() }
    #expect(patient.timeout == nil)
    #expect(try await patient.call.slow() == 1)

    let moment: PythonDateTime = try await client.call.dates.now()
    let next: PythonDate = try await client.call.dates.add(
      PythonDate(year: 2024, month: 2, day: 28), PythonTimeDelta(days: 1))
    #expect(moment.date == next)
    await client.close()
    await service.close()
  }

  @Test("workers and subscribers get what is sent") func oneWay() async throws {
    let came = Tally()
    var (images, handlers) = (Methods(), Methods())
    images["images"] =
      [
        "resize": Method("name", Parameter(keyword: "width")) { (name: String, width: Int) in
          if (name, width) == ("a.png", 640) { came.countUp() }
        }
      ] as [String: any Handler]
    handlers.add("update", "value") { (value: Double) in if value == 21.5 { came.countUp() } }

    let jobs = try await PipelineService.start(images, bind: ["ipc://\(directory.path)/jobs"])
    let feed = try await PubSubService.start(
      handlers, subscribe: ["weather"], connect: ["ipc://\(directory.path)/news"])
    try await feed.subscribe("sport")
    try await call(came)
    await jobs.close()
    await feed.close()
  }

  private func call(_ came: Tally) async throws {
    let jobs = try await PipelineClient.connect(["ipc://\(directory.path)/jobs"])
    try await jobs.notify.images.resize("a.png", width: 640)

    let news = try await PubSubClient.bind(["ipc://\(directory.path)/news"])
    try await news.waitForSubscriber(of: "weather.oslo")
    try await news.publish("weather.oslo").update(21.5)
    try await news.waitForSubscriber(of: "sport")
    await came.reaches(2)
    await jobs.close()
    await news.close()
  }

  @Test("any closure converts") func conversions() async throws {
    var methods = Methods()
    let port = Conversion<Int>().where("1 to 65535") { (1...65_535).contains($0) }
    methods.add("listen", Parameter("ports", .list(of: port))) { (ports: [Int]) in ports.count }
    let service = try await RPCService.start(methods, bind: [directory.endpoint("calc")])
    let client = try await RPCClient.connect([directory.endpoint("calc")], timeout: .seconds(20))
    #expect(try await client.call.listen([80, 65_535]) == 2)
    await #expect {
      try await client.call.listen([80, 65_536])
    } throws: { error in
      guard let error = error as? RemoteError else { return false }
      return error.isA("ParametersError") && error.description.contains("1 to 65535")
    }
    await client.close()
    await service.close()
  }

  @Test("a service with a key is called by who knows it") func security() async throws {
    let (pair, own, endpoint) = (try CurveKeyPair(), try CurveKeyPair(), directory.endpoint("guarded"))
    let serverKey = pair.publicKey
    let service = try await RPCService.start(methods, bind: [endpoint]) {
      $0.socket.security = .curveServer(pair, domain: nil)
    }
    let client = try await RPCClient.connect([endpoint]) { $0.security = .curve(own, server: serverKey) }
    #expect(try await client.call.slow() == 1)
    await client.close()
    await service.close()
  }

  @Test("a table makes errors of Swift") func errors() async throws {
    let endpoint = directory.endpoint("shop")
    let service = try await RPCService.start(methods, bind: [endpoint])
    struct OutOfStock: Error {
      let item: String
      init(_ error: RemoteError) throws { item = try String(converting: error.args.first ?? .nil) }
    }
    let client = try await RPCClient.connect([endpoint]) { $0.errors["shop.OutOfStock"] = OutOfStock.init }
    await #expect { try await client.call.buy("tea") } throws: { ($0 as? OutOfStock)?.item == "tea" }
    await client.close()
    await service.close()
  }
}
