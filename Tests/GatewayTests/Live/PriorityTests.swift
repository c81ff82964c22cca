import Support
import Testing
import ZeroMQRPC

@testable import Gateway

@Suite("Calls beyond what a service allows", .inTurn(minutes: 3))
struct PriorityTests {
  @Test("are refused by the priority of their methods, the lowest first, and counted", arguments: [false, true])
  func shed(isBound: Bool) async throws {
    try await Rig.with { rig in
      let settings = """
        in-flight: 4
        timeout: 20s
        methods: { settings: { "report.*": { priority: low }, pay: { priority: high } } }
        priorities: { low: 25%, normal: 75% }
        """
      let backend: WireSocket
      let gateway: LiveGateway
      if isBound {
        let (live, sockets) = try await BoundServices.backends(rig, settings)
        (gateway, backend) = (live, sockets[0])
      } else {
        (backend, gateway) = try await rig.backend(settings, threads: 2)
      }
      var waiting: [HTTPConnection] = []
      var calls: [WireCall] = []
      func begin(_ method: String) async throws {
        waiting.append(try gateway.http.begin("POST", "/rpc/s/\(method)", headers: ["Content-Length": "0"]))
        calls.append(try await backend.call())
      }
      func isRefused(_ method: String) async throws -> Bool {
        let reply = try await gateway.http.post("/rpc/s/\(method)")
        return reply.status == 503 && reply.json["code"] == "overloaded" && reply.json["sent"] == false
          && reply.headers["retry-after"] != nil
      }
      try await begin("report.year")
      #expect(try await isRefused("report.month"))
      try await begin("list")
      try await begin("list")
      for method in ["report.month", "list"] { #expect(try await isRefused(method), "\(method)") }
      try await begin("pay")
      for method in ["report.month", "list", "pay"] { #expect(try await isRefused(method), "\(method)") }
      for call in calls { try await backend.answer(call, [1]) }
      for connection in waiting { #expect(try await offThread { try connection.reply() }.status == 200) }
      let samples = try await gateway.samples()
      let shed = ["low", "normal", "high"].map {
        samples["zmq_gateway_calls_shed_total{service=\"s\",priority=\"\($0)\"}"]
      }
      #expect(shed == [3, 2, 1])
    }
  }

  @Test("are counted on whichever thread they are refused, where workers dial in")
  func threads() async throws {
    try await Rig.with { rig in
      let (gateway, sockets) = try await BoundServices.backends(rig, "in-flight: 1\ntimeout: 20s")
      // The thread that is asked first, and those that are asked then, are any of both.
      for _ in 0..<8 {
        let first = try gateway.http.begin("POST", "/rpc/s/first", headers: ["Content-Length": "0"])
        let call = try await sockets[0].call()
        for _ in 0..<4 { #expect(try await gateway.http.post("/rpc/s/next").json["code"] == "overloaded") }
        try await sockets[0].answer(call, [1])
        #expect(try await offThread { try first.reply() }.status == 200)
      }
      #expect(try await gateway.samples()["zmq_gateway_calls_shed_total{service=\"s\",priority=\"normal\"}"] == 32)
    }
  }

  @Test("are read from the configuration; where a method is of high priority, others leave room for it")
  func configuration() throws {
    func read(_ more: String) throws -> Configuration.RPC {
      let yaml = "services: { s: { pattern: rpc, connect: [\"tcp://127.0.0.1:1\"], \(more) } }"
      guard case .rpc(let rpc) = try Configuration.load(yaml: yaml, file: "test.yaml").services[0].pattern else {
        throw Subprocess.Failed(description: "no rpc")
      }
      return rpc
    }
    let high = "methods: { settings: { pay: { priority: high } } }"
    let plain = try read("timeout: 1s")
    #expect(plain.shares.low == 50 && plain.shares.normal == 100 && plain.queueTimeout == nil)
    #expect(try read(high).shares.normal == 90)
    #expect(try read(high + ", priorities: { low: 10% }").shares.normal == 90)
    #expect(try read(high + ", priorities: { normal: 70% }").shares.normal == 70)
    let all = try read("priorities: { low: 1%, normal: 2% }, queue-timeout: 250ms")
    #expect(all.shares.low == 1 && all.shares.normal == 2 && all.queueTimeout == .milliseconds(250))
    for bad in [
      "priorities: { low: 0% }", "priorities: { low: 101% }", "priorities: { low: 60%, normal: 50% }",
      "priorities: { lowest: 1% }", "queue-timeout: 0s", "queue-timeout: 2h",
      "methods: { settings: { a: { priority: urgent } } }",
    ] {
      #expect(throws: (any Error).self, "\(bad)") { try read(bad) }
    }
  }
}
