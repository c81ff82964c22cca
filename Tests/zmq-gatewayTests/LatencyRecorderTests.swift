import Testing

@testable import zmq_gateway

@Suite("Latencies")
struct LatencyRecorderTests {
  @Test("have percentiles that are at most 3 % too long", arguments: [0, 1, 31, 32, 33, 1_000, 123_456_789, 1 << 44])
  func percentiles(time: Int64) {
    var recorder = LatencyRecorder()
    for _ in 0..<99 { recorder.record(time) }
    recorder.record(time * 3)
    for share in [0.001, 0.5, 0.99] {
      let told = recorder.percentile(share)
      #expect(told >= time && Double(told) <= Double(time) * 1.032, "\(share): \(told)")
    }
    #expect(recorder.percentile(1) == time * 3)
    #expect(recorder.longest == time * 3)
  }

  @Test("of several are one, and stand in rows that double")
  func rows() {
    var (recorder, other) = (LatencyRecorder(), LatencyRecorder())
    recorder.record(500)
    other.record(3_000)
    other.record(3_500)
    recorder.add(other)
    #expect(recorder.count == 3)
    #expect(recorder.rows.map(\.bound) == [1_000, 2_000, 4_000])
    #expect(recorder.rows.map(\.count) == [1, 0, 2])
    #expect(recorder.mean == 2_333)
    #expect(LatencyRecorder().percentile(0.5) == 0)
  }
}
