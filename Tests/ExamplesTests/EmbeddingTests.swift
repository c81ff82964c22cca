import Gateway
import HTTPServer
import Logging
import Reactor
import Support
import Testing
import ZeroMQ
import ZeroMQRPC

/// What the articles about `HTTPServer` and `Gateway` show.
@Suite("What the articles about the server and the gateway show", .inTurn(minutes: 1))
struct EmbeddingTests {
  private final class Site: RequestHandler {
    private let loop: Loop

    init(on loop: Loop) { self.loop = loop }

    func handle(_ exchange: Exchange) {
      let target = String(decoding: exchange.target, as: UTF8.self)
      switch (exchange.method, target) {
      case (.get, "/hello"): answer(exchange, 200, "hello\n")
      case (.post, "/length"): answer(exchange, 200, "\(exchange.body.count)\n")
      case (.get, "/ticks"):
        exchange.respond(200, contentType: "text/event-stream", stream: Ticks(of: exchange, on: loop))
      default: answer(exchange, 404, "there is no \(target)\n")
      }
    }

    func refused(_ exchange: Exchange, _ rejection: Rejection) {
      answer(exchange, rejection.status, "\(rejection.detail)\n")
    }

    func abandoned(_ exchange: Exchange) {}

    private func answer(_ exchange: Exchange, _ status: Int, _ text: String) {
      Array(text.utf8).withUnsafeBytes {
        exchange.respond(status, contentType: "text/plain; charset=utf-8", body: $0)
      }
    }
  }

  private final class Ticks: BodyStream, TimerHandler {
    let endsByItself = false
    private let loop: Loop
    private var exchange: Exchange?
    private var timer: Timer?
    private var isDue = true

    init(of exchange: Exchange, on loop: Loop) { (self.exchange, self.loop) = (exchange, loop) }

    func read(into room: UnsafeMutableRawBufferPointer) -> StreamRead {
      guard isDue else { return .nothing }
      isDue = false
      timer = loop.schedule(at: loop.now + .milliseconds(100), self)
      let event = "data: tick\n\n"
      room.copyBytes(from: event.utf8)
      return .all(event.utf8.count)
    }

    func fired(_ timer: Timer) {
      isDue = true
      exchange?.wake()
    }

    func closed() {
      if let timer { loop.cancel(timer) }
      exchange = nil
    }
  }

  private actor Web {
    nonisolated let unownedExecutor: UnownedSerialExecutor
    private let reactor: Reactor
    private var server: Server?

    init(on reactor: Reactor) {
      self.reactor = reactor
      unownedExecutor = reactor.asUnownedSerialExecutor()
    }

    func start(at address: ListenAddress) throws -> ListenAddress {
      let listener = try Listener.open(address)
      let site = Site(on: reactor.loop)
      server = try Server(listener, handler: site, on: reactor.loop, logger: Logger(label: "web"))
      return listener.address
    }

    func stop() {
      server?.stop()
      server = nil
    }
  }

  @Test("a server of one's own answers, streams and refuses") func server() async throws {
    let reactor = try Reactor(name: "web")
    let web = Web(on: reactor)
    let address = try await web.start(at: ListenAddress("127.0.0.1:0"))
    let client = HTTPClient(port: address.port)
    #expect(try await client.get("/hello").body == "hello\n")
    #expect(try await client.post("/length", "12345").body == "5\n")
    let missing = try await client.get("/nothing")
    #expect((missing.status, missing.body) == (404, "there is no /nothing\n"))
    #expect(try await client.get("/" + String(repeating: "a", count: 9_000)).status == 414)
    let ticks = try await client.events("/ticks")
    for _ in 0..<3 { #expect(try await ticks.block()?.data == "tick") }
    await web.stop()
    // It is cut off, after what it has had to say.
    while (try? await ticks.block()) != nil {}
    await reactor.stop()
  }

  @Test("a gateway stands in front of a service of the same program") func gateway() async throws {
    var methods = Methods()
    methods.add("add", "a", "b") { (a: Int, b: Int) in a + b }
    let math = try await RPCService.start(methods, bind: ["tcp://127.0.0.1:*"])

    var configuration = Configuration()
    configuration.http.listen = [try ListenAddress("127.0.0.1:0")]
    configuration.services = [
      .init("math", .rpc(.init(connect: try await math.transport.bindings)), methods: .init(safe: ["add"]))
    ]
    let gateway = try await Gateway.start(configuration, logger: Logger(label: "gateway"))
    let client = HTTPClient(port: gateway.addresses[0].port)
    #expect(try await client.get("/rpc/math/add?a:=2&b:=3").body == "5")

    configuration.services[0].methods.safe = []
    let outcome = try await gateway.reload(configuration)
    #expect(outcome.altered == ["math"])
    #expect(try await client.get("/rpc/math/add?a:=2&b:=3").status == 405)
    #expect(try await client.post("/rpc/math/add", "[2,3]").body == "5")

    let accounts = await gateway.stop()
    #expect((accounts.answered, accounts.refused) == (2, 1))
    await math.close()
  }

  @Test(
    "a configuration made in code is as careful as a file: what other machines reach is for everyone only when it says so"
  )
  func openToAll() async throws {
    var configuration = Configuration()
    configuration.http.listen = [try ListenAddress("0.0.0.0:0")]
    let fault = await #expect(throws: (any Error).self) {
      try await Gateway.start(configuration, logger: Logger(label: "gateway"))
    }
    #expect(
      "\(try #require(fault))".hasPrefix("configuration: http.listen: 0.0.0.0:0 is reachable from other machines"))
  }

  @Test("a configuration is read from text, and all that is wrong is told with its line") func reading() throws {
    let text = """
      services:
        math: { pattern: rpc, connect: ["tcp://127.0.0.1:5555"] }
      """
    let configuration = try Configuration.load(yaml: text, file: "gateway.yaml")
    #expect(configuration.services.map(\.name) == ["math"])
    let faults = #expect(throws: (any Error).self) {
      try Configuration.load(yaml: text.replacing("connect", with: "conect"), file: "gateway.yaml")
    }
    #expect("\(try #require(faults))".hasPrefix("gateway.yaml:2:"))
  }
}
