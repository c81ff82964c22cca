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
