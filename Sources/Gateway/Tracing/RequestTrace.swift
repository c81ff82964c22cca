import GatewayTracing
import HTTPServer
import Reactor
import Tracing
import ZeroMQ
import ZeroMQRPC

/// The spans of one request: its own, and below it one for each call that it makes.
///
/// Names have few values, whatever clients send: those of routes, and of methods that the configuration names in full.
final class RequestTrace {
  /// Where the request stands in its trace; nil where the tracer passes traces on in another way than `traceparent`.
  let place: TraceParent?
  private let tracer: any Tracer
  private let span: any Span
  /// A call that is about to be made, or the only one under way.
  private var call: CallTrace?

  /// Begins the span of a request, below that which its `traceparent` names.
  init(_ request: GatewayRequest, _ tracer: any Tracer) {
    self.tracer = tracer
    var context = InstrumentationContext.topLevel
    // Of several nobody knows which holds.
    if request.exchange.count(of: .traceparent) == 1, let value = request.header(.traceparent) {
      tracer.extract(String(decoding: value, as: UTF8.self), into: &context, using: HeaderExtractor())
    }
    span = tracer.startSpan(request.method.traceName, context: context, ofKind: .server)
    place = tracer.traceParent(of: span.context)
  }

  /// Begins the span of a call, and returns what its backend is told.
  func beginCall(of service: String, _ method: String, label: String) -> String? {
    let call = CallTrace(
      tracer.startSpan(label == "other" ? service : "\(service)/\(label)", context: span.context, ofKind: .client))
    call.begin(service, method)
    // Of one before it nobody has learned the end: there is no answer to it.
    self.call.take()?.end(nil, nil)
    self.call = call
    return tracer.traceParent(of: call.span.context)?.text
  }

  /// Hands over the call that was begun last, for whoever learns of its end.
  func takeCall() -> CallTrace? { call.take() }

  /// The request has ended.
  func end(_ request: GatewayRequest, _ end: GatewayRequest.End, _ notes: RequestNotes) {
    var problem: Problem?
    if case .refused(let refusal) = end { problem = refusal }
    call.take()?.end(notes.reply, encoding: notes.encoding, problem)
    defer { span.end() }
    guard span.isRecording else { return }
    let responder = request.knownResponder
    if let route = responder?.spanRoute { span.operationName = "\(request.method.traceName) \(route)" }
    var attributes = span.attributes
    attributes["http.request.method"] = request.method.traceName
    attributes["url.path"] = notes.path
    attributes["http.route"] = responder?.spanRoute
    attributes["gateway.request_id"] = notes.requestID
    switch end {
    case .answered(let status): attributes["http.response.status_code"] = status
    case .refused(let problem):
      attributes["http.response.status_code"] = problem.status
      attributes["error.type"] = problem.code.rawValue
      if problem.status >= 500 { span.setStatus(SpanStatus(code: .error, message: problem.code.rawValue)) }
    case .abandoned:
      attributes["error.type"] = "abandoned"
      span.setStatus(SpanStatus(code: .error, message: "the client has left"))
    }
    span.attributes = attributes
  }
}

/// The span of a call.
final class CallTrace {
  fileprivate let span: any Span

  fileprivate init(_ span: any Span) { self.span = span }

  fileprivate func begin(_ service: String, _ method: String) {
    guard span.isRecording else { return }
    span.updateAttributes {
      $0["rpc.system"] = "aiozmq"
      $0["rpc.service"] = service
      $0["rpc.method"] = method
    }
  }

  /// The call has ended so, as far as that is known.
  func end(_ reply: ReplyTimes?, encoding: Duration? = nil, _ problem: Problem?) {
    defer { span.end() }
    guard span.isRecording else { return }
    span.updateAttributes {
      if let reply {
        $0["gateway.queue_ms"] = reply.queued.inMilliseconds
        $0["gateway.backend_ms"] = reply.waited.inMilliseconds
        if let endpoint = reply.endpoint { $0["server.address"] = endpoint.description }
      }
      if let encoding { $0["gateway.encode_ms"] = encoding.inMilliseconds }
      if let problem { $0["error.type"] = problem.code.rawValue }
    }
    if let problem, problem.status >= 500 { span.setStatus(SpanStatus(code: .error, message: problem.code.rawValue)) }
  }
}

extension HTTPMethod {
  /// As spans are told (OpenTelemetry, "HTTP spans": `_OTHER` for methods that are not known).
  fileprivate var traceName: String { self == .other ? "_OTHER" : name.description }
}

extension Duration {
  /// With its parts.
  var inMilliseconds: Double { Double(nanoseconds) / 1e6 }
}

extension Tracer {
  /// Where a span stands, if the tracer passes that on as `traceparent`.
  fileprivate func traceParent(of context: InstrumentationContext) -> TraceParent? {
    if let parent = context.traceParent { return parent }
    var carrier = ""
    inject(context, into: &carrier, using: HeaderInjector())
    return TraceParent(carrier)
  }
}

/// The value of `traceparent`, of which a request has no other header for tracers.
private struct HeaderExtractor: Extractor {
  func extract(key: String, from traceparent: String) -> String? { key == "traceparent" ? traceparent : nil }
}

private struct HeaderInjector: Injector {
  func inject(_ value: String, forKey key: String, into traceparent: inout String) {
    if key == "traceparent" { traceparent = value }
  }
}

extension Responder {
  /// What spans are named by, whatever names a request has in its place.
  fileprivate var spanRoute: String? {
    switch kind {
    case .rpc: "/rpc/{service}/{method}"
    case .push: "/push/{service}/{method}"
    case .pub: "/pub/{service}/{topic}/{method}"
    case .sub: "/sub/{service}"
    case .last: "/sub/{service}/last"
    case .topics: "/sub/{service}/topics"
    case .batch: "/batch"
    case .jsonrpc: "/jsonrpc/{service}"
    case .calls: "/calls/{id}"
    case .route: (self as? RouteResponder)?.template
    case .operation, .none: nil
    }
  }
}
