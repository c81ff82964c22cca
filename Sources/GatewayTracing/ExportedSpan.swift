package import Instrumentation
import Reactor
package import Tracing

/// What is known of a span.
struct SpanRecord: Sendable {
  let place: TraceParent
  let parent: UInt64?
  var name: String
  let kind: SpanKind
  let start: UInt64
  var end: UInt64 = 0
  var attributes = SpanAttributes([:])
  var events: [SpanEvent] = []
  var links: [SpanLink] = []
  var status: SpanStatus?

  init(place: TraceParent, parent: UInt64?, name: String, kind: SpanKind, start: UInt64) {
    (self.place, self.parent, self.name, self.kind, self.start) = (place, parent, name, kind, start)
  }
}

/// A span that goes to the exporter at its end, if its trace is recorded. One that is not keeps its place in the trace, and nothing else.
package final class ExportedSpan: Span {
  package let context: InstrumentationContext
  /// Nil once it has ended.
  private let record: Guarded<SpanRecord?>?
  private let exporter: SpanExporter?

  /// One that is not recorded.
  init(_ context: InstrumentationContext) { (self.context, record, exporter) = (context, nil, nil) }

  init(_ context: InstrumentationContext, _ record: SpanRecord, _ exporter: SpanExporter) {
    self.context = context
    self.record = Guarded(record)
    self.exporter = exporter
  }

  package var isRecording: Bool { record?.withLock { $0 != nil } ?? false }

  package var operationName: String {
    get { record?.withLock { $0?.name } ?? "" }
    set { change { $0.name = newValue } }
  }

  package var attributes: SpanAttributes {
    get { record?.withLock { $0?.attributes } ?? [:] }
    set { change { $0.attributes = newValue } }
  }

  package func setStatus(_ status: SpanStatus) { change { $0.status = status } }

  package func addEvent(_ event: SpanEvent) { change { $0.events.append(event) } }

  package func recordError<Instant: TracerInstant>(
    _ error: any Error, attributes: SpanAttributes, at instant: @autoclosure () -> Instant
  ) {
    var attributes = attributes
    attributes["exception.message"] = "\(error)"
    attributes["exception.type"] = "\(type(of: error))"
    addEvent(SpanEvent(name: "exception", at: instant(), attributes: attributes))
  }

  package func addLink(_ link: SpanLink) { change { $0.links.append(link) } }

  /// A second end changes nothing.
  package func end<Instant: TracerInstant>(at instant: @autoclosure () -> Instant) {
    guard let record, var ended = record.withLock({ $0.take() }) else { return }
    ended.end = max(ended.start, instant().nanosecondsSinceEpoch)
    exporter?.add(ended)
  }

  private func change(_ change: (inout SpanRecord) -> Void) {
    record?.withLock { record in
      guard var changed = record.take() else { return }
      change(&changed)
      record = changed
    }
  }
}
