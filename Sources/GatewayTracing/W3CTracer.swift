package import Instrumentation
package import Tracing

extension InstrumentationContext {
  /// Where it stands in a trace, as `W3CTracer` has it; nil for the contexts of other tracers.
  package var traceParent: TraceParent? {
    get { self[TraceParentKey.self] }
    set { self[TraceParentKey.self] = newValue }
  }

  private enum TraceParentKey: InstrumentationContextKey {
    typealias Value = TraceParent
    static var nameOverride: String? { "traceparent" }
  }
}

/// The gateway's own tracer: takes and gives `traceparent`, decides which traces are recorded, and hands their spans to an exporter. Without
/// one it records none, and only passes traces on.
package final class W3CTracer: Tracer {
  private let sample: Double
  private let followsCallers: Bool
  package let exporter: SpanExporter?

  /// Records a part of the traces that begin here, from 0 to 1. Of those that callers have begun it records what these record, if it
  /// `followsCallers`, else the same part.
  package init(sample: Double, followsCallers: Bool, exporter: SpanExporter?) {
    (self.sample, self.followsCallers, self.exporter) = (sample, followsCallers, exporter)
  }

  package func extract<Carrier, Extract: Extractor>(
    _ carrier: Carrier, into context: inout InstrumentationContext, using extractor: Extract
  ) where Extract.Carrier == Carrier {
    guard let parent = extractor.extract(key: "traceparent", from: carrier).flatMap({ TraceParent($0) }) else { return }
    context.traceParent = TraceParent(
      traceHigh: parent.traceHigh, traceLow: parent.traceLow, spanID: parent.spanID,
      isSampled: followsCallers ? parent.isSampled : TraceParent.isChosen(parent.traceLow, sample: sample))
  }

  package func inject<Carrier, Inject: Injector>(
    _ context: InstrumentationContext, into carrier: inout Carrier, using injector: Inject
  ) where Inject.Carrier == Carrier {
    if let parent = context.traceParent { injector.inject(parent.text, forKey: "traceparent", into: &carrier) }
  }

  package func startSpan<Instant: TracerInstant>(
    _ operationName: String, context: @autoclosure () -> InstrumentationContext, ofKind kind: SpanKind,
    at instant: @autoclosure () -> Instant, function: String, file fileID: String, line: UInt
  ) -> ExportedSpan {
    var context = context()
    let parent = context.traceParent
    let place = parent?.next() ?? .random(sample: sample)
    context.traceParent = place
    guard place.isSampled, let exporter else { return ExportedSpan(context) }
    let record = SpanRecord(
      place: place, parent: parent?.spanID, name: operationName, kind: kind, start: instant().nanosecondsSinceEpoch)
    return ExportedSpan(context, record, exporter)
  }

  package func forceFlush() { exporter?.flush() }
}
