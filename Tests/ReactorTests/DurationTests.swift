import Reactor
import Testing

@Suite("Durations", .timeLimit(.minutes(1)))
struct DurationTests {
  @Test(
    "become whole milliseconds, rounded as named",
    arguments: [
      (.zero, 0, 0), (.nanoseconds(1), 0, 1), (.nanoseconds(999_999), 0, 1), (.milliseconds(1), 1, 1),
      (.nanoseconds(1_000_001), 1, 2), (.seconds(2), 2_000, 2_000), (.nanoseconds(-1), 0, 0),
    ] as [(Duration, Int64, Int64)])
  func milliseconds(duration: Duration, down: Int64, up: Int64) {
    #expect(duration.millisecondsRoundedDown == down)
    #expect(duration.millisecondsRoundedUp == up)
  }

  @Test("saturate")
  func saturation() {
    let long = Duration.seconds(Int64.max)
    #expect(long.nanoseconds == .max)
    #expect(long.millisecondsRoundedUp == .max / 1_000_000 + 1)
    #expect((Duration.zero - long).nanoseconds == .min)
  }
}
