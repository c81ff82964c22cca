import Support
import Testing

@testable import ConfigurationReader

@Suite("A quantity", .inTurn(minutes: 3))
struct QuantityTests {
  @Test(
    "is a duration with a unit",
    arguments: [
      ("500ms", .milliseconds(500)), ("5s", .seconds(5)), ("2m", .seconds(120)), ("1h", .seconds(3_600)),
      ("1.5s", .milliseconds(1_500)), ("0s", .zero), ("0.000001s", .microseconds(1)), ("1.5ms", .microseconds(1_500)),
      ("0.5h", .seconds(1_800)), ("999999999h", .seconds(999_999_999 * 3_600)),
    ] as [(String, Duration)])
  func duration(text: String, expected: Duration) throws {
    #expect(try Quantity.duration(text) == expected)
  }

  @Test(
    "is no duration without number, unit or sense",
    arguments: [
      "", "5", "1.5", "s", "5 s", "5S", "5sec", "-5s", "+5s", "1.s", ".5s", "1.2.3s", "1m30s", "1.0000001s",
      "1000000000s", "5d",
    ])
  func noDuration(text: String) {
    #expect(throws: InvalidText.self) { try Quantity.duration(text) }
  }

  @Test("is a share in whole hundredths")
  func percent() throws {
    for number in [0, 1, 10, 100, 250] { #expect(try Quantity.percent("\(number)%") == number) }
    for text in ["", "%", "10", "1.5%", "10 %", "%10", "0.1"] {
      #expect(throws: InvalidText.self) { try Quantity.percent(text) }
    }
  }

  @Test("says which unit is missing")
  func unit() {
    func grace(_ section: Section) { _ = section.field("grace")?.duration(in: .zero ... .seconds(60)) }
    #expect(complaints("grace: 5", grace) == ["1:8: grace: a duration needs a unit: 5s or 5ms"])
    #expect(complaints("grace: 5d", grace) == ["1:8: grace: \"d\" is no unit of time; use ms, s, m or h"])
    #expect(complaints("grace: 5 s", grace) == ["1:8: grace: write 5s: a number and its unit stand together"])
    #expect(complaints("grace: 5 days", grace) == ["1:8: grace: \" days\" is no unit of time; use ms, s, m or h"])
    func size(_ section: Section) { _ = section.field("size")?.bytes(in: 0...1 << 30) }
    #expect(complaints("size: 1 MB", size) == ["1:7: size: write 1MB: a number and its unit stand together"])
    #expect(complaints("grace: 1m", grace) == [])
    #expect(complaints("grace: 60001ms", grace) == ["1:8: grace: must be between 0s and 1m"])
  }

  @Test(
    "is a size in bytes",
    arguments: [
      ("0", 0), ("512", 512), ("512B", 512), ("16KiB", 16_384), ("1MiB", 1 << 20), ("1GiB", 1 << 30), ("1KB", 1_000),
      ("1kB", 1_000), ("1MB", 1_000_000), ("1GB", 1_000_000_000),
    ])
  func size(text: String, expected: Int) throws {
    #expect(try Quantity.bytes(text) == expected)
  }

  @Test(
    "is no size without number, unit or sense",
    arguments: ["", "MiB", "1.5MiB", "1 MiB", "1mib", "1M", "-1B", "9223372036854775807KiB", "99999999999999999999"])
  func noSize(text: String) {
    #expect(throws: InvalidText.self) { try Quantity.bytes(text) }
  }

  @Test(
    "of time is written so that it reads back",
    arguments: [
      Duration.milliseconds(500), .milliseconds(1_500), .seconds(1), .seconds(59), .seconds(60), .seconds(61),
      .seconds(3_600), .seconds(5_400), .zero,
    ])
  func text(duration: Duration) throws {
    #expect(try Quantity.duration(Quantity.text(duration)) == duration)
  }
}
