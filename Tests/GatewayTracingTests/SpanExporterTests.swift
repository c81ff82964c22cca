import Instrumentation
import Reactor
import Support
import Testing
import Tracing

@testable import GatewayTracing

@Suite("Spans on their way to a collector", .inTurn(minutes: 3))
struct SpanExporterTests {
  private func exporter(_ address: String, _ change: (inout ExportOptions) -> Void = { _ in }) throws -> SpanExporter {
    var options = ExportOptions(collector: try CollectorAddress(address))
    options.interval = .milliseconds(10)
    options.timeout = .seconds(5)
    change(&options)
    return SpanExporter(options)
  }

  private func tracer(_ exporter: SpanExporter) -> W3CTracer {
    W3CTracer(sample: 1, followsCallers: true, exporter: exporter)
  }

  private func withCollector(
    _ answers: String = "200", _ body: (SpanCollector) async throws -> Void
  ) async throws {
    let collector = try await SpanCollector(answers: answers)
    try await Cleanup.with { cleanup in
      cleanup.add { await collector.process.destroy() }
      try await body(collector)
    }
  }

  @Test("arrive as JSON of OTLP, with their places in the trace, attributes, events and status")
  func arrive() async throws {
    try await withCollector { collector in
      let exporter = try exporter(collector.address) {
        $0.service = "edge \"1\""
        $0.headers = ["x-key": "secret"]
      }
      let tracer = tracer(exporter)
      let span = tracer.startSpan("outer", context: .topLevel, ofKind: .server)
      let inner = tracer.startSpan("inner", context: span.context, ofKind: .client)
      inner.attributes["text"] = "a\"b\\c\u{1}ä"
      inner.attributes["number"] = 5
      inner.attributes["part"] = 1.5
      inner.attributes["list"] = [1, 2]
      inner.addEvent(SpanEvent(name: "sent", attributes: ["flag": true]))
      inner.setStatus(SpanStatus(code: .error, message: "no"))
      #expect(inner.isRecording)
      inner.end()
      inner.end()
      #expect(!inner.isRecording)
      span.end()
      let first = try await collector.span()
      let second = try await collector.span()
      #expect(first["name"] == "inner" && first["kind"].integer == 3 && first["status"]["code"].integer == 2)
      #expect(first["attributes"]["text"].text == "a\"b\\c\u{1}ä" && first["attributes"]["number"].integer == 5)
      #expect(first["attributes"]["list"].elements.count == 2 && first["events"].elements.first?["name"] == "sent")
      #expect(first["traceId"] == second["traceId"] && first["parentSpanId"] == second["spanId"])
      #expect(second["name"] == "outer" && second["kind"].integer == 2 && second["parentSpanId"] == .null)
      #expect(second["service"].text == "edge \"1\"")
      try await eventually("all are counted") { exporter.counters.exported == 2 && exporter.queued == 0 }
      await exporter.close(within: .seconds(5))
    }
  }

  @Test("are sent again when the collector asks for that, and not when it refuses them")
  func again() async throws {
    try await withCollector("503,200,400,200") { collector in
      let exporter = try exporter(collector.address) { $0.headers = ["x-key": "secret"] }
      let tracer = tracer(exporter)
      tracer.startSpan("one", context: .topLevel).end()
      let first = try await collector.request()
      #expect(first["request"].integer == 503 && first["headers"]["x-key"] == "secret")
      #expect(try await collector.span()["name"] == "one")
      try await eventually("it is counted") { exporter.counters.exported == 1 }
      tracer.startSpan("two", context: .topLevel).end()
      try await eventually("it is counted") { exporter.counters.refused == 1 }
      tracer.startSpan("three", context: .topLevel).end()
      #expect(try await collector.span()["name"] == "three")
      await exporter.close(within: .seconds(5))
      #expect(exporter.counters.undelivered == 0 && exporter.counters.droppedFromQueue == 0)
    }
  }

  @Test("are dropped and counted when nobody takes them, and when as many wait as may")
  func dropped() async throws {
    let exporter = try exporter("http://127.0.0.1:1/v1/traces") {
      $0.queue = 10
      $0.batch = 4
      $0.attempts = 1
      $0.interval = .seconds(60)
    }
    let tracer = tracer(exporter)
    for _ in 0..<3 { tracer.startSpan("s", context: .topLevel).end() }
    // Fewer than a batch wait for the interval.
    #expect(exporter.queued == 3 && exporter.counters == .init())
    for _ in 0..<200 { tracer.startSpan("s", context: .topLevel).end() }
    #expect(exporter.queued <= 10)
    await exporter.close(within: .seconds(10))
    let counters = exporter.counters
    #expect(counters.exported == 0 && counters.droppedFromQueue > 0)
    #expect(counters.undelivered + counters.droppedFromQueue == 203, "\(counters)")
    tracer.startSpan("late", context: .topLevel).end()
    #expect(exporter.counters.droppedFromQueue == counters.droppedFromQueue + 1)
  }

  @Test("that a collector does not answer to are given up when their time is over")
  func silent() async throws {
    let silent = try SilentListener()
    let exporter = try exporter("http://127.0.0.1:\(silent.port)/") {
      $0.attempts = 1
      $0.timeout = .milliseconds(200)
    }
    tracer(exporter).startSpan("s", context: .topLevel).end()
    try await eventually("it is given up") { exporter.counters.undelivered == 1 }
    await exporter.close(within: .seconds(5))
  }

  @Test("are none of traces that are not recorded, which go on all the same")
  func unsampled() throws {
    let exporter = try exporter("http://127.0.0.1:1")
    let tracer = W3CTracer(sample: 0, followsCallers: true, exporter: exporter)
    let span = tracer.startSpan("s", context: .topLevel)
    #expect(!span.isRecording && span.context.traceParent?.isSampled == false)
    let inner = tracer.startSpan("i", context: span.context)
    #expect(inner.context.traceParent?.traceID == span.context.traceParent?.traceID)
    for span in [span, inner] { span.end() }
    #expect(exporter.queued == 0)
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    for (follows, isRecorded) in [(true, true), (false, false)] {
      let tracer = W3CTracer(sample: 0, followsCallers: follows, exporter: exporter)
      var context = InstrumentationContext.topLevel
      tracer.extract(parent, into: &context, using: Whole())
      let span = tracer.startSpan("s", context: context)
      #expect(span.isRecording == isRecorded)
      #expect(span.context.traceParent?.traceID == "0af7651916cd43dd8448eb211c80319c")
    }
  }

  private struct Whole: Extractor {
    func extract(key: String, from carrier: String) -> String? { carrier }
  }

  @Test("go to an address that is written as a URL of http") func address() throws {
    let cases: [(String, String)] = [
      ("http://127.0.0.1:4318/v1/traces", "http://127.0.0.1:4318/v1/traces"), ("http://c", "http://c:4318/v1/traces"),
      ("http://[::1]:9/x", "http://[::1]:9/x"), ("http://[::1]", "http://[::1]:4318/v1/traces"),
    ]
    for (text, meant) in cases { #expect(try CollectorAddress(text).description == meant) }
    for text in [
      "", "c:4318", "https://c", "http://", "http://c:0", "http://c:70000", "http://c/a b", "http://u@c/",
      "http://::1/", "http://[::1", "http://[c]",
    ] {
      #expect(throws: CollectorAddress.Fault.self, "\(text)") { try CollectorAddress(text) }
    }
  }

  @Test("are told by the answer what has become of them") func answers() {
    let cases: [(String, CollectorRequest.Outcome)] = [
      ("HTTP/1.1 200 OK", .taken), ("HTTP/1.0 202 Accepted", .taken), ("HTTP/1.1 400 Bad", .refused),
      ("HTTP/1.1 500 No", .refused), ("HTTP/1.1 503 No\r\nRetry-After: 7", .failed(retryAfter: .seconds(7))),
      ("HTTP/1.1 429 No\r\nretry-after: soon", .failed(retryAfter: nil)), ("SSH-2.0", .failed(retryAfter: nil)),
      ("", .failed(retryAfter: nil)),
    ]
    for (head, outcome) in cases { #expect(CollectorRequest.outcome(head) == outcome, "\(head)") }
  }
}
