/// Metrics as Prometheus reads them (text format 0.0.4): families, each with its samples.
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

  /// The media type of the text.
  package static let contentType: StaticString = "text/plain; version=0.0.4; charset=utf-8"

  /// The text so far.
  package private(set) var text = ""
  private var family = ""

  /// No families yet.
  package init() {}

  /// Begins a family: what follows are its samples. Its name is letters, digits and `_`, with a unit at its end.
  package mutating func begin(_ name: StaticString, _ kind: Kind, _ help: StaticString) {
    family = "\(name)"
    text += "# HELP \(family) \(help)\n# TYPE \(family) \(kind.rawValue)\n"
  }

  /// A sample of the family.
  package mutating func add(_ value: Int, _ labels: Label...) { line(family, labels, "\(value)") }

  /// A histogram of the family, in seconds.
  package mutating func add(_ histogram: LatencyHistogram, _ labels: Label...) {
    var sum = 0
    for (bound, count) in zip(LatencyHistogram.bounds, histogram.counts) {
      sum += count
      line(family + "_bucket", labels + [("le", Self.seconds(bound))], "\(sum)")
    }
    line(family + "_bucket", labels + [("le", "+Inf")], "\(histogram.count)")
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
