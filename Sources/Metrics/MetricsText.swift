/// Metrics as Prometheus reads them, in its text format (0.0.4) or as OpenMetrics (1.0): families, each with its samples.
package struct MetricsText: Sendable {
  /// What a family counts.
  package enum Kind: String, Sendable {
    /// It only grows, and begins at 0 when the program does.
    case counter
    /// It goes up and down.
    case gauge
    case histogram
  }

  /// A label and its value.
  package typealias Label = (name: StaticString, value: String)

  /// How they are written.
  package enum Format: Sendable {
    case prometheus
    /// With exemplars.
    case openMetrics

    /// The media type of the text.
    package var contentType: StaticString {
      switch self {
      case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
      case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
      }
    }
  }

  /// The text so far.
  package private(set) var text = ""
  private var family = ""
  private let format: Format

  /// No families yet.
  package init(_ format: Format = .prometheus) { self.format = format }

  /// No more families.
  package mutating func end() { if format == .openMetrics { text += "# EOF\n" } }

  /// Begins a family: what follows are its samples. Its name is letters, digits and `_`, with a unit at its end.
  package mutating func begin(_ name: StaticString, _ kind: Kind, _ help: StaticString) {
    family = "\(name)"
    // A counter has its suffix in its samples only (OpenMetrics 1.0, "Counter").
    let isBare = format == .openMetrics && kind == .counter && family.hasSuffix("_total")
    let name = isBare ? String(family.dropLast(6)) : family
    text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
  }

  /// A sample of the family.
  package mutating func add(_ value: Int, _ labels: Label...) { line(family, labels, "\(value)") }

  /// A histogram of the family, in seconds.
  package mutating func add(_ histogram: LatencyHistogram, _ labels: Label...) {
    var sum = 0
    func exemplar(_ place: Int) -> String {
      guard format == .openMetrics, let exemplar = histogram.exemplars.isEmpty ? nil : histogram.exemplars[place] else {
        return ""
      }
      return " # \(exemplar.text)"
    }
    for (place, bound) in LatencyHistogram.bounds.enumerated() {
      sum += histogram.counts[place]
      line(family + "_bucket", labels + [("le", Self.seconds(bound))], "\(sum)\(exemplar(place))")
    }
    let last = LatencyHistogram.bounds.count
    line(family + "_bucket", labels + [("le", "+Inf")], "\(histogram.count)\(exemplar(last))")
    line(family + "_sum", labels, Self.seconds(histogram.total))
    line(family + "_count", labels, "\(histogram.count)")
  }

  private mutating func line(_ name: String, _ labels: [Label], _ value: String) {
    text += name
    for (index, label) in labels.enumerated() {
      text += "\(index == 0 ? "{" : ",")\(label.name)=\"\(Self.escaped(label.value))\""
    }
    text += labels.isEmpty ? " \(value)\n" : "} \(value)\n"
  }

  private static func seconds(_ nanoseconds: Int64) -> String { "\(Double(nanoseconds) / 1e9)" }

  /// A backslash, a quote and the end of a line have a meaning of their own.
  private static func escaped(_ value: String) -> String {
    guard value.utf8.contains(where: { $0 == 0x5C || $0 == 0x22 || $0 == 0x0A }) else { return value }
    return value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
  }
}

extension Exemplar {
  /// As OpenMetrics has it, behind a sample.
  fileprivate var text: String {
    func digits(_ number: UInt64) -> String {
      let text = String(number, radix: 16)
      return String(repeating: "0", count: 16 - text.count) + text
    }
    let trace = digits(traceHigh) + digits(traceLow)
    return #"{trace_id="\#(trace)"} \#(Double(nanoseconds) / 1e9) \#(Double(at) / 1e3)"#
  }
}
