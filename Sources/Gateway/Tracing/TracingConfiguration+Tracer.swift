import GatewayTracing
import ZeroMQ

extension Configuration.Tracing {
  /// The tracer that is told so; its exporter is known to the operations.
  func tracer(_ operations: Operations) -> W3CTracer {
    let exporter = export.map { options in
      var options = options
      options.version = "\(ZeroMQ.version)"
      return SpanExporter(options)
    }
    operations.spans = exporter
    return W3CTracer(sample: sample, followsCallers: followsCallers, exporter: exporter)
  }
}
