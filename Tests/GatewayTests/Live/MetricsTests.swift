import Foundation
import GatewaySecurity
import MessagePack
import Support
import Testing
import ZeroMQ

/// The samples of a page of metrics, by name and labels as they are written.
struct Samples {
  let values: [String: Double]
  /// Samples that come twice, and lines that are none.
  private(set) var faults: [String] = []

  init(_ text: String) {
    var values: [String: Double] = [:]
    var families: Set<Substring> = []
    for line in text.split(separator: "\n") {
      if line.hasPrefix("# TYPE ") {
        if !families.insert(line.split(separator: " ")[2]).inserted { faults.append("\(line)") }
        continue
      }
      if line.hasPrefix("# HELP ") { continue }
      guard let space = line.lastIndex(of: " "), let value = Double(line[line.index(after: space)...]) else {
        faults.append("\(line)")
        continue
      }
      if values.updateValue(value, forKey: String(line[..<space])) != nil { faults.append("\(line)") }
    }
    self.values = values
  }

  subscript(_ name: String) -> Double? { values[name] }
}

extension LiveGateway {
  /// What `/metrics` says.
  func samples(_ headers: [String: String] = [:]) async throws -> Samples {
    let reply = try await http.get("/metrics", headers: headers)
    #expect(reply.status == 200 && reply.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
    return Samples(reply.body)
  }
}

@Suite("/metrics", .inTurn(minutes: 3))
struct MetricsTests {
  @Test("counts requests of all threads by what they ask for and how they end, and how long they take")
  func requests() async throws {
    try await Rig.with { rig in
      let backend = try await rig.wire(.router)
      let gateway = try await rig.gateway(
        """
        s:
          pattern: rpc
          connect: ["\(await backend.endpoint)"]
          methods: { safe: [get, other], settings: { set: { timeout: 4s } } }
        """, threads: 3)
      let answering = Task {
        while !Task.isCancelled {
          if let call = try? await backend.call() { try await backend.answer(call, [0xC0]) }
        }
      }
      rig.cleanup.add { answering.cancel() }
      try await gateway.isConnected("/rpc/s/warm")
      let before = try await gateway.samples()
      #expect(before.faults == [])
      for _ in 0..<20 { #expect(try await gateway.http.post("/rpc/s/set").status == 200) }
      for index in 0..<5 { #expect(try await gateway.http.post("/rpc/s/made-up-\(index)").status == 200) }
      #expect(try await gateway.http.get("/rpc/s/get").status == 200)
      #expect(try await gateway.http.post("/rpc/absent/m").status == 404)
      #expect(try await gateway.http.post("/batch", "[]").status == 200)
      #expect(try await gateway.http.get("/live").status == 200)
      #expect(try await gateway.http.post("/rpc/s/m", headers: ["Origin": "https://evil.example"]).status == 403)
      let after = try await gateway.samples()
      #expect(after.faults == [])
      func grown(_ name: String) -> Double { (after[name] ?? -1) - (before[name] ?? 0) }
      let requests = "zmq_gateway_requests_total"
      #expect(grown(#"\#(requests){route="rpc",status="2xx"}"#) == 26)
      #expect(grown(#"\#(requests){route="none",status="4xx"}"#) == 2)
      #expect(grown(#"\#(requests){route="batch",status="2xx"}"#) == 1)
      // The page of before is one of them.
      #expect(grown(#"\#(requests){route="operation",status="2xx"}"#) == 2)
      let calls = #"zmq_gateway_calls_total{service="s",method="#
      #expect(grown(calls + #""set",status="2xx"}"#) == 20)
      #expect(grown(calls + #""get",status="2xx"}"#) == 1)
      #expect(grown(calls + #""other",status="2xx"}"#) == 5)
      #expect(!after.values.keys.contains { $0.contains("made-up") })
      #expect(grown(#"zmq_gateway_problems_total{code="cross-site"}"#) == 1)
      #expect(grown(#"zmq_gateway_problems_total{code="no-such-service"}"#) == 1)
      let duration = "zmq_gateway_request_duration_seconds"
      #expect(grown(#"\#(duration)_count{route="rpc"}"#) == 26)
      #expect(grown(#"\#(duration)_bucket{route="rpc",le="+Inf"}"#) == 26)
      #expect(grown(#"\#(duration)_sum{route="rpc"}"#) > 0)
      #expect(after["zmq_gateway_requests_in_progress"] == 0)
      #expect(after[#"zmq_gateway_calls_in_flight{service="s"}"#] == 0)
      #expect(after[#"zmq_gateway_calls_in_flight_limit{service="s"}"#] == 1_000)
      #expect(
        after[#"zmq_gateway_endpoint_up{service="s",role="rpc",endpoint="\#(await backend.endpoint)"}"#] == 1)
      #expect((after["zmq_gateway_connections_open"] ?? 0) >= 1)
      #expect(after["zmq_gateway_connections_limit"] == 10_000)
    }
  }

  @Test("tells calls in flight, limits that have refused, and endpoints that are down")
  func limits() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend("in-flight: 1", threads: 2)
      let nobody = try await rig.gateway("s: { pattern: rpc, connect: [\"ipc:///nowhere/a\"] }")
      let down = try await nobody.samples()
      #expect(down[#"zmq_gateway_endpoint_up{service="s",role="rpc",endpoint="ipc:///nowhere/a"}"#] == 0)
      #expect(down[#"zmq_gateway_endpoint_breaker_open{service="s",role="rpc",endpoint="ipc:///nowhere/a"}"#] == 0)
      let waiting = try gateway.http.begin("POST", "/rpc/s/m", headers: ["Content-Length": "0"])
      let call = try await backend.call()
      #expect(try await gateway.http.post("/rpc/s/m").status == 503)
      let samples = try await gateway.samples()
      #expect(samples[#"zmq_gateway_calls_in_flight{service="s"}"#] == 1)
      #expect(samples["zmq_gateway_requests_in_progress"] == 1)
      #expect(samples[#"zmq_gateway_problems_total{code="overloaded"}"#] == 1)
      try await backend.answer(call, [0xC0])
      _ = try await offThread { try waiting.reply() }
    }
  }

  @Test("counts open streams and what they were given")
  func streams() async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher()
      let streams = try await [gateway.http.events("/sub/s"), gateway.http.events("/sub/s?topic=a")]
      #expect(try await gateway.samples()[#"zmq_gateway_streams_open{service="s"}"#] == 2)
      try await publisher.publish("b", "m")
      try await publisher.publish("a", "m")
      for stream in streams { _ = try await stream.event(named: "") }
      _ = try await streams[0].event(named: "")
      let samples = try await gateway.samples()
      #expect((samples[#"zmq_gateway_events_delivered_total{service="s"}"#] ?? 0) >= 3)
      #expect(samples[#"zmq_gateway_streams_total{service="s"}"#] == 2)
      for stream in streams { stream.close() }
      try await eventually("no stream") { try await gateway.samples()[#"zmq_gateway_streams_open{service="s"}"#] == 0 }
    }
  }

  @Test("is for callers who may reach every service, where keys are asked for, and takes no query")
  func callers() async throws {
    try await Rig.with { rig in
      let (root, some) = (APIKey.random(), APIKey.random())
      let rules = "[{ allow: { subject: root } }, { allow: { service: s } }]"
      let gateway = try await rig.gateway(
        "s: { pattern: rpc, connect: [\"ipc:///nowhere/a\"] }\nt: { pattern: pipeline, connect: [\"ipc:///nowhere/b\"] }",
        auth: rig.auth((root, "root", []), (some, "some", []), rules: rules))
      #expect(try await gateway.http.get("/metrics").status == 401)
      #expect(try await gateway.http.get("/metrics", headers: some.header).status == 403)
      #expect(try await gateway.samples(root.header).faults == [])
      #expect(try await gateway.http.get("/metrics?x", headers: root.header).status == 400)
      #expect(try await gateway.http.post("/metrics", headers: root.header).status == 405)
    }
  }
}
