import Support
import Testing

@testable import Metrics

@Suite("Metrics", .inTurn(minutes: 3))
struct MetricsTests {
  @Test("of times count each in the span that ends where it does, and what is longer in the last")
  func spans() {
    var histogram = LatencyHistogram()
    for bound in LatencyHistogram.bounds {
      histogram.record(bound)
      histogram.record(bound + 1)
    }
    histogram.record(0)
    histogram.record(-1)
    #expect(histogram.counts == [3] + Array(repeating: 2, count: LatencyHistogram.bounds.count - 1) + [1])
    #expect(histogram.count == 2 * LatencyHistogram.bounds.count + 2)
    #expect(histogram.total == 2 * LatencyHistogram.bounds.reduce(0, +) + Int64(LatencyHistogram.bounds.count))
  }

  @Test("of several threads are added")
  func sum() {
    var (one, other) = (LatencyHistogram(), LatencyHistogram())
    one.record(1)
    other.record(1)
    other.record(.max)
    one.add(other)
    #expect(one.counts.first == 2 && one.counts.last == 1)
  }

  @Test("have the latest trace of each span as an exemplar, which OpenMetrics tells")
  func exemplars() {
    func exemplar(_ trace: UInt64, at time: Int64) -> Exemplar {
      Exemplar(traceHigh: 0xAB, traceLow: trace, nanoseconds: 2_000_000, at: time)
    }
    var (one, other) = (LatencyHistogram(), LatencyHistogram())
    one.record(2_000_000, as: exemplar(1, at: 1_500))
    other.record(2_000_000, as: exemplar(2, at: 1_250))
    other.record(3_000_000, as: exemplar(3, at: 1_000))
    other.record(.max)
    one.add(other)
    for format in [MetricsText.Format.prometheus, .openMetrics] {
      var text = MetricsText(format)
      text.begin("things_total", .counter, "What there was.")
      text.add(3)
      text.begin("time_seconds", .histogram, "How long.")
      text.add(one)
      text.end()
      let lines = text.text.split(separator: "\n").map(String.init)
      let isOpen = format == .openMetrics
      #expect(lines[1] == (isOpen ? "# TYPE things counter" : "# TYPE things_total counter"))
      #expect(lines[2] == "things_total 3" && (lines.last == "# EOF") == isOpen)
      let first = isOpen ? " # {trace_id=\"00000000000000ab0000000000000001\"} 0.002 1.5" : ""
      let second = isOpen ? " # {trace_id=\"00000000000000ab0000000000000003\"} 0.002 1.0" : ""
      #expect(lines.contains("time_seconds_bucket{le=\"0.0025\"} 2" + first))
      #expect(lines.contains("time_seconds_bucket{le=\"0.005\"} 3" + second))
      #expect(lines.contains("time_seconds_bucket{le=\"+Inf\"} 4"))
    }
  }

  @Test("are written family by family, their labels escaped, histograms cumulative and in seconds")
  func text() {
    var text = MetricsText()
    text.begin("things_total", .counter, "What there was.")
    text.add(3, ("kind", "a\"b\\c\nd"), ("other", "ä"))
    text.add(0)
    text.begin("time_seconds", .histogram, "How long.")
    var histogram = LatencyHistogram()
    histogram.record(2_000_000)
    histogram.record(3_000_000)
    text.add(histogram, ("kind", "x"))
    let lines = text.text.split(separator: "\n")
    #expect(
      lines.prefix(5).map(String.init) == [
        "# HELP things_total What there was.", "# TYPE things_total counter",
        #"things_total{kind="a\"b\\c\nd",other="ä"} 3"#, "things_total 0", "# HELP time_seconds How long.",
      ])
    #expect(lines.contains(#"time_seconds_bucket{kind="x",le="0.001"} 0"#))
    #expect(lines.contains(#"time_seconds_bucket{kind="x",le="0.0025"} 1"#))
    #expect(lines.contains(#"time_seconds_bucket{kind="x",le="0.005"} 2"#))
    #expect(
      lines.suffix(3).map(String.init) == [
        #"time_seconds_bucket{kind="x",le="+Inf"} 2"#, #"time_seconds_sum{kind="x"} 0.005"#,
        #"time_seconds_count{kind="x"} 2"#,
      ])
  }
}
