import Dispatch
import Foundation
import GatewaySecurity
import MessagePack
import Reactor
import Support
import Testing
import ZeroMQ

@testable import Gateway

@Suite("A reload", .inTurn(minutes: 4))
struct ReloadTests {
  @Test(
    "loses no call and no event, however often it is repeated under load",
    .enabled(if: Python.isThere, "\(Python.comment)"))
  func load() async throws {
    try await Rig.with { rig in
      let peer = try await PythonPeer.shared.value
      let publisher = try await rig.wire(.subscriptionAwarePublish)
      let news = "news: { pattern: pubsub, subscribe: { connect: [\"\(await publisher.endpoint)\"] } }"
      let variants = [
        "timeout: 9s", "timeout: 9s, in-flight: 900", "timeout: 8s, methods: { safe: [add] }", "reply-limit: 1MiB",
      ].enumerated().map { index, settings in
        """
        \(news)
        math: { pattern: rpc, connect: ["\(peer.rpc)"], \(settings) }
        other\(index % 2): { pattern: rpc, connect: ["\(peer.rpc)"] }
        jobs: { pattern: pipeline, connect: ["\(peer.pipeline)"] }
        """
      }
      let gateway = try await rig.gateway(variants[0])
      _ = try await publisher.subscription()
      try await gateway.isConnected("/rpc/math/ping")
      let stream = try await gateway.http.events("/sub/news?topic=a")
      let isOver = Guarded(false)
      let numbers = NumberedPublishing(publisher)
      let reading = Task {
        var events = 0
        while let event = try await stream.event() {
          if event.name != nil { continue }
          #expect(event.json["method"] == .string("\(events)"))
          events += 1
          numbers.wasRead()
          if event.json["args"][0] == .bool(true) { break }
        }
        return events
      }
      let publishing = Task { try await numbers.run() }
      let calling = (0..<4).map { worker in
        Task {
          var calls = 0
          while !isOver.withLock({ $0 }) {
            let reply = try await gateway.http.post("/rpc/math/add", "[\(calls),\(worker)]")
            #expect(reply.status == 200 && reply.body == "\(calls + worker)", "\(reply.status) \(reply.body)")
            calls += 1
          }
          return calls
        }
      }
      for round in 1...100 { try await gateway.reload(variants[round % variants.count]) }
      isOver.withLock { $0 = true }
      numbers.end()
      for task in calling { #expect(try await task.value > 10) }
      let published = try await publishing.value
      #expect(try await reading.value == published)
      let record = gateway.gateway.reloads.record
      #expect(record.succeeded == 100 && record.failed == 0)
      let samples = try await gateway.samples()
      #expect(samples[#"zmq_gateway_reloads_total{result="success"}"#] == 100)
      #expect(samples["zmq_gateway_streams_open{service=\"news\"}"] == 1)
    }
  }

  @Test("lets a call go on whose service is removed, and closes the service's sockets after it")
  func removed() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend()
      let call = try gateway.http.begin(
        "POST", "/rpc/s/slow", headers: ["Content-Type": "application/json"], body: "[]")
      let arrived = try await backend.call()
      let outcome = try await gateway.reload(LiveGateway.other)
      #expect(outcome == ReloadOutcome(opened: ["other"], removed: ["s"], fixed: ["http.threads"]))
      #expect(try await gateway.http.post("/rpc/s/slow").status == 404)
      try await backend.answer(arrived, Value.int(5).packed)
      let reply = try await offThread { try call.reply() }
      #expect(reply.status == 200 && reply.body == "5")
    }
  }

  @Test("keeps the connections of a service whose sockets are told nothing new, and takes the rest over")
  func altered() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend()
      func services(_ more: String) async -> String {
        "s: { pattern: rpc, connect: [\"\(await backend.endpoint)\"]\(more) }"
      }
      func call(_ method: String) async throws -> (envelope: [[UInt8]], reply: HTTPReply) {
        async let reply = gateway.http.post("/rpc/s/\(method)")
        let call = try await backend.call()
        try await backend.answer(call, Value.nil.packed)
        return (call.envelope, try await reply)
      }
      let before = try await call("m").envelope
      let outcome = try await gateway.reload(await services(", methods: { hide: [secret] }"))
      #expect(outcome.altered == ["s"] && outcome.opened.isEmpty)
      // A peer's name at a ROUTER is its connection's.
      #expect(try await call("m").envelope == before)
      #expect(try await gateway.http.post("/rpc/s/secret").headers["gateway-error"] == "not-exposed")
      #expect(try await gateway.reload(await services(", reply-limit: 1MiB")).opened == ["s"])
      #expect(try await call("m").envelope != before)
    }
  }

  @Test("ends the streams of a service that is removed with bye, and unsubscribes")
  func stream() async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher()
      let stream = try await gateway.http.events("/sub/s?topic=a")
      try await publisher.publish("a", "one")
      #expect(try await publisher.subscription() == "+a")
      try await eventually("the first event") { try await stream.event()?.json["method"] == "one" }
      try await gateway.reload(LiveGateway.other)
      try await eventually("the end of the stream") { try await stream.event().map { $0.name == "bye" } ?? true }
      #expect(try await publisher.subscription().hasPrefix("-"))
      #expect(try await gateway.http.get("/sub/s?topic=a").status == 404)
    }
  }

  @Test("that cannot be made leaves everything as it was, and says why")
  func failed() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend()
      // Another one binds there.
      let taken = try await rig.wire(.router, bind: "tcp://127.0.0.1:*")
      let services = """
        s: { pattern: rpc, connect: ["\(await backend.endpoint)"], timeout: 9s }
        t: { pattern: rpc, bind: ["\(await taken.endpoint)"] }
        """
      let error = await #expect(throws: UnusableService.self) {
        try await gateway.reload(services)
      }
      #expect(error?.service == "t")
      #expect(gateway.gateway.reloads.record.fault?.contains("service t") == true)
      #expect(try await gateway.samples()[#"zmq_gateway_reloads_total{result="failure"}"#] == 1)
      #expect(try await gateway.http.post("/rpc/t/m").status == 404)
      try await gateway.reaches(backend)
      // As a file that is being written.
      let empty = await #expect(throws: ReloadError.self) { try await gateway.reload("{}") }
      #expect(empty?.description.contains("no services") == true)
      try await gateway.reaches(backend)
      // There is no file to read.
      _ = await #expect(throws: ReloadError.self) { try await gateway.gateway.reload() }
      #expect(gateway.gateway.reloads.record.failed == 3)
    }
  }

  @Test("refuses to bind again what a service binds already, and changes what callers may do there")
  func bound() async throws {
    try await Rig.with { rig in
      let endpoint = rig.directory.endpoint("bound")
      func services(_ more: String) -> String { "s: { pattern: rpc, bind: [\"\(endpoint)\"]\(more) }" }
      let gateway = try await rig.gateway(services(""))
      _ = await #expect(throws: ReloadError.self) {
        try await gateway.reload(services(", reply-limit: 1MiB"))
      }
      let outcome = try await gateway.reload(services(", methods: { hide: [secret] }"))
      #expect(outcome.altered == ["s"])
      #expect(try await gateway.http.post("/rpc/s/secret").headers["gateway-error"] == "not-exposed")
    }
  }

  @Test("that hangs in reading holds up no stop, and serves nothing afterwards")
  func hanging() async throws {
    let (entered, gate) = (Tally(), DispatchSemaphore(value: 0))
    let configuration = try LiveGateway.configuration(LiveGateway.other)
    let source: ConfigurationSource = {
      entered.countUp()
      gate.wait()
      return configuration
    }
    let gateway = try await Gateway.start(configuration, source: source, logger: Rig.logger)
    let reload = Task { try await gateway.reload() }
    await entered.reaches(1)
    await gateway.stop()
    gate.signal()
    await #expect(throws: ReloadError.self) { try await reload.value }
  }

  @Test(
    "of the program is asked for by SIGHUP",
    .enabled(if: Program.isThere, "no program is built beside the tests"))
  func program() async throws {
    try await Rig.with { rig in
      let file = try rig.directory.file("gateway.yaml", "services: {}")
      let process = try Program.start("serve", "--config", file, "--listen", "127.0.0.1:0")
      rig.cleanup.add { await process.destroy() }
      let http = HTTPClient(port: try await process.port())
      #expect(try await http.post("/push/jobs/m").headers["gateway-error"] == "no-such-service")
      _ = try rig.directory.file(
        "gateway.yaml", "services: { jobs: { pattern: pipeline, connect: [\"ipc:///nowhere/at-all\"] } }")
      process.signal(SIGHUP)
      try await eventually("the reload") {
        try await http.post("/push/jobs/m").headers["gateway-error"] == "no-backend"
      }
      _ = try rig.directory.file("gateway.yaml", "services: { jobs: { pattern: pipline } }")
      process.signal(SIGHUP)
      var told: String?
      while told == nil, let line = try await process.line() { if line.contains("cannot reload") { told = line } }
      #expect(told?.contains("did you mean") == true, "\(told ?? "")")
      #expect(try await http.post("/push/jobs/m").headers["gateway-error"] == "no-backend")
      process.signal(SIGTERM)
      #expect(try await process.ended() == 0)
    }
  }
}
