import GatewayTracing
import InMemoryTracing
import MessagePack
import Support
import Testing
import Tracing
import ZeroMQ

@testable import Gateway

@Suite("Traces", .inTurn(minutes: 3))
struct TracingTests {
  private static let trace = "0af7651916cd43dd8448eb211c80319c"
  private static let parent = "b7ad6b7169203331"
  private static let header = ["traceparent": "00-\(trace)-\(parent)-01"]

  private static let service = """
      methods: { safe: ["*"], context: ["who"], settings: { add: { timeout: 4s }, who: { timeout: 4s } } }
      routes: { "GET /people/{name}": "who(name:str)" }
    """

  private func gateway(
    _ rig: Rig, _ backend: WireSocket, _ tracing: String, tracer: (any Tracer)? = nil, http: String = "",
    threads: Int = 1
  ) async throws -> LiveGateway {
    try await rig.gateway(
      "s:\n  pattern: rpc\n  connect: [\"\(await backend.endpoint)\"]\n\(Self.service)", http: http, threads: threads,
      more: tracing.isEmpty ? "" : "tracing: { \(tracing) }", tracer: tracer)
  }

  private func answering(_ rig: Rig, _ backend: WireSocket) {
    let answering = Task { while !Task.isCancelled { try await backend.answerNext(.int(7)) } }
    rig.cleanup.add { answering.cancel() }
  }

  /// The spans that have arrived, when there are so many of the trace.
  private func spans(_ collector: SpanCollector, _ count: Int, of trace: String = trace) async throws -> [JSON] {
    var spans: [JSON] = []
    while spans.count < count {
      let span = try await collector.span()
      if span["traceId"].text == trace { spans.append(span) }
    }
    return spans
  }

  @Test("have a span for each request and one for its call, below that of the caller, and go to the backend")
  func spans() async throws {
    try await Rig.with { rig in
      let collector = try await SpanCollector()
      rig.cleanup.add { await collector.process.destroy() }
      let backend = try await rig.wire(.router)
      let gateway = try await gateway(rig, backend, "otlp: \"\(collector.address)\", interval: 10ms, service: edge")
      let first = Task { try await backend.answerNext(.nil) }
      try await eventually("a backend") { try await gateway.http.post("/rpc/s/hello").status == 200 }
      try await first.value
      async let reply = gateway.http.get("/people/bob", headers: Self.header)
      let call = try await backend.call()
      try await backend.answer(call, [7])
      #expect(try await reply.status == 200)
      let both = try await spans(collector, 2)
      let outer = try #require(both.first { $0["kind"].integer == 2 })
      let inner = try #require(both.first { $0["kind"].integer == 3 })
      #expect(outer["name"] == "GET /people/{name}" && outer["parentSpanId"].text == Self.parent)
      #expect(outer["service"] == "edge" && outer["attributes"]["http.route"] == "/people/{name}")
      #expect(outer["attributes"]["http.response.status_code"].integer == 200)
      #expect(outer["attributes"]["url.path"] == "/people/bob" && outer["status"] == .null)
      #expect(inner["name"] == "s/who" && inner["parentSpanId"] == outer["spanId"])
      #expect(inner["attributes"]["server.address"].text == (await backend.endpoint))
      for part in ["gateway.queue_ms", "gateway.backend_ms", "gateway.encode_ms"] {
        #expect(inner["attributes"][part] != .null, "\(part)")
      }
      // The backend's own spans are below that of the call.
      guard case .map(let keywords) = try Unpacker().unpack(call.keywords),
        case .map(let context)? = keywords.first(where: { $0.key == "_ctx" })?.value
      else {
        Issue.record("no context")
        return
      }
      let told = context.first { $0.key == "traceparent" }?.value
      #expect(told == .string("00-\(Self.trace)-\(inner["spanId"].text ?? "")-01"))
    }
  }

  @Test("of a batch have a span for each item; of what is refused they have one, of operations none")
  func several() async throws {
    try await Rig.with { rig in
      let collector = try await SpanCollector()
      rig.cleanup.add { await collector.process.destroy() }
      let backend = try await rig.wire(.router)
      let gateway = try await gateway(rig, backend, "otlp: \"\(collector.address)\", interval: 10ms")
      answering(rig, backend)
      try await gateway.isConnected("/rpc/s/hello")
      #expect(try await gateway.http.get("/live", headers: Self.header).status == 200)
      let items = #"[{"service":"s","method":"add"},{"service":"s","method":"made-up"},{"service":"no","method":"x"}]"#
      #expect(try await gateway.http.post("/batch", items, headers: Self.header).status == 200)
      let batch = try await spans(collector, 3)
      let outer = try #require(batch.first { $0["kind"].integer == 2 })
      #expect(outer["name"] == "POST /batch")
      let inner = batch.filter { $0["kind"].integer == 3 }
      // Names that callers make up are no names of spans.
      #expect(Set(inner.compactMap { $0["name"].text }) == ["s/add", "s"])
      #expect(inner.allSatisfy { $0["parentSpanId"] == outer["spanId"] })
      #expect(Set(inner.compactMap { $0["attributes"]["rpc.method"].text }) == ["add", "made-up"])
      #expect(try await gateway.http.post("/rpc/absent/x", headers: Self.header).status == 404)
      let refused = try await spans(collector, 1)[0]
      #expect(refused["name"] == "POST" && refused["attributes"]["error.type"] == "no-such-service")
      #expect(refused["attributes"]["http.response.status_code"].integer == 404 && refused["status"] == .null)
    }
  }

  @Test("are begun where a caller has begun none; only the part that is to be recorded is")
  func sample() async throws {
    try await Rig.with { rig in
      let collector = try await SpanCollector()
      rig.cleanup.add { await collector.process.destroy() }
      let backend = try await rig.wire(.router)
      let gateway = try await gateway(rig, backend, "otlp: \"\(collector.address)\", interval: 10ms, sample: 0")
      answering(rig, backend)
      try await gateway.isConnected("/rpc/s/add")
      // The caller's word counts.
      #expect(try await gateway.http.post("/rpc/s/add", headers: Self.header).status == 200)
      let spans = try await spans(collector, 2)
      #expect(spans.count == 2)
      // They are counted when the collector's answer is read.
      let samples = try await eventually("two are counted") {
        let samples = try await gateway.samples()
        return samples["zmq_gateway_spans_exported_total"] == 0 ? nil : samples
      }
      #expect(samples["zmq_gateway_spans_exported_total"] == 2 && samples["zmq_gateway_spans_queued_limit"] == 2_048)
    }
  }

  @Test("do no harm while the collector is away: spans are dropped, and counted")
  func away() async throws {
    try await Rig.with { rig in
      let backend = try await rig.wire(.router)
      let gateway = try await gateway(
        rig, backend, "otlp: \"http://127.0.0.1:1\", interval: 10ms, queue: 4, batch: 2, attempts: 1", threads: 2)
      answering(rig, backend)
      try await gateway.isConnected("/rpc/s/add")
      for _ in 0..<50 { #expect(try await gateway.http.post("/rpc/s/add").status == 200) }
      try await eventually("all are dropped") {
        let samples = try await gateway.samples()
        let dropped = ["queue-full", "undelivered"].map {
          samples["zmq_gateway_spans_dropped_total{reason=\"\($0)\"}"] ?? 0
        }
        return dropped.reduce(0, +) >= 100 && samples["zmq_gateway_spans_queued"] == 0
      }
      #expect(try await gateway.samples()["zmq_gateway_spans_exported_total"] == 0)
      let time = await duration { await gateway.stop() }
      #expect(time < .seconds(5))
    }
  }

  @Test("are what another tracer makes of them that is plugged in")
  func plugged() async throws {
    try await Rig.with { rig in
      let backend = try await rig.wire(.router)
      let tracer = InMemoryTracer()
      let gateway = try await gateway(rig, backend, "", tracer: tracer)
      answering(rig, backend)
      try await gateway.isConnected("/rpc/s/add")
      tracer.clearFinishedSpans()
      #expect(try await gateway.http.post("/rpc/s/add", "[1]").status == 200)
      let spans = try await eventually("both spans") {
        let spans = tracer.finishedSpans
        return spans.count < 2 ? nil : spans
      }
      #expect(spans.map(\.operationName) == ["s/add", "POST /rpc/{service}/{method}"])
      #expect(spans[0].parentSpanID == spans[1].spanID && spans[0].traceID == spans[1].traceID)
      #expect(spans[1].attributes.get("http.response.status_code") == .int64(200))
      #expect(tracer.activeSpans.isEmpty)
    }
  }

  @Test(
    "are named by the histograms, for who asks for OpenMetrics, which the parser of Prometheus' client reads",
    .enabled(if: Python.isThere, "\(Python.comment)"))
  func exemplars() async throws {
    try await Rig.with { rig in
      let backend = try await rig.wire(.router)
      let gateway = try await gateway(rig, backend, "sample: 0", threads: 2)
      answering(rig, backend)
      try await gateway.isConnected("/rpc/s/add")
      #expect(try await gateway.http.post("/rpc/s/add", headers: Self.header).status == 200)
      #expect(try await !gateway.http.get("/metrics").body.contains("trace_id"))
      let accept =
        "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
      let page = try await gateway.http.get("/metrics", headers: ["Accept": accept])
      #expect(page.headers["content-type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8")
      #expect(page.body.hasSuffix("\n# EOF\n") && page.headers["vary"]?.contains("Accept") == true)
      let families = try await Python.lines(of: "open_metrics.py", [], input: page.body)
      let duration = families.first { $0["name"] == "zmq_gateway_request_duration_seconds" }
      #expect(duration?["kind"] == "histogram" && duration?["exemplars"].elements == [.string(Self.trace)])
      #expect(families.contains { $0["name"] == "zmq_gateway_calls" && $0["kind"] == "counter" })
      #expect(families.count > 30)
    }
  }

  @Test("tell nothing where they are not configured, but Server-Timing does where it is")
  func serverTiming() async throws {
    try await Rig.with { rig in
      let backend = try await rig.wire(.router)
      for isOn in [true, false] {
        let gateway = try await gateway(rig, backend, "", http: "server-timing: \(isOn)")
        let answering = Task { while !Task.isCancelled { try await backend.answerNext(.int(7)) } }
        defer { answering.cancel() }
        try await gateway.isConnected("/rpc/s/add")
        let parts = /queue;dur=\d+\.\d{3}, backend;dur=\d+\.\d{3}(, return;dur=\d+\.\d{3})?(, encode;dur=\d+\.\d{3})?/
        let items = #"[{"service":"s","method":"add"}]"#
        for reply in [
          try await gateway.http.post("/rpc/s/add"), try await gateway.http.get("/rpc/s/add"),
          try await gateway.http.post("/batch", items),
        ] {
          let timing = reply.headers["server-timing"]
          #expect(reply.status == 200 && (timing?.wholeMatch(of: parts) != nil) == isOn, "\(timing ?? "none")")
          #expect(isOn || timing == nil)
        }
        #expect(try await gateway.http.get("/live").headers["server-timing"] == nil)
        await gateway.stop()
      }
    }
  }

  @Test("are read from the configuration, with their bounds") func configuration() throws {
    func read(_ tracing: String) throws -> Configuration.Tracing? {
      try Configuration.load(yaml: "tracing: { \(tracing) }", file: "test.yaml").tracing
    }
    let tracing = try #require(
      try read(
        "otlp: \"http://c:4318/v1/traces\", sample: 0.01, follow: false, service: edge, queue: 9, batch: 3, interval: 2s, timeout: 3s, attempts: 2, headers: { x-key: k }"
      ))
    #expect(tracing.sample == 0.01 && !tracing.followsCallers)
    let export = try #require(tracing.export)
    #expect(export.collector.description == "http://c:4318/v1/traces" && export.service == "edge")
    #expect([export.queue, export.batch, export.attempts] == [9, 3, 2] && export.headers == ["x-key": "k"])
    #expect(export.interval == .seconds(2) && export.timeout == .seconds(3))
    #expect(try read("")?.export == nil && (try Configuration.load(yaml: "{}", file: "t").tracing) == nil)
    for bad in [
      "sample: 1.1", "sample: -0.1", "sample: x", "follow: maybe", "otlp: \"https://c\"", "otlp: c", "queue: 9",
      "otlp: \"http://c\", queue: 0", "otlp: \"http://c\", batch: 0", "otlp: \"http://c\", attempts: 11",
      "otlp: \"http://c\", interval: 1ms", "otlp: \"http://c\", timeout: 2m",
      "otlp: \"http://c\", headers: { \"a b\": c }",
      "otlp: \"http://c\", headers: { a: \"b\\nc\" }", "oltp: \"http://c\"",
    ] {
      #expect(throws: (any Error).self, "\(bad)") { try read(bad) }
    }
  }
}
