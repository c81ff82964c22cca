import Support
import Testing

@testable import Gateway

@Suite("the id of an event", .inTurn(minutes: 3))
struct EventIDTests {
  @Test(
    "is read as it was given",
    arguments: [("k3f9-1042", 1_042), ("0-0", 0), ("zzzzzzzzzzzzz-18446744073709551615", .max)] as [(String, UInt64)])
  func read(text: String, number: UInt64) throws {
    let id = try #require(EventID(text))
    #expect(id.number == number)
    #expect(id.description == text)
  }

  @Test(
    "is none when no gateway can have given it",
    arguments: [
      "", "-", "k3f9", "k3f9-", "-1", "k3f9-01", "k3f9-+1", "k3f9--1", "k3f9-1-2", "K3F9-1", "k3f9-1 ", " k3f9-1",
      "é-1",
      "k3f9-18446744073709551616", "12345678901234-1", "k3f9-1\u{0}", "k3f9-١",
    ])
  func none(text: String) { #expect(EventID(text) == nil) }

  @Test("has another epoch each time one begins, and one that can be read")
  func epochs() {
    let epochs = (0..<1_000).map { _ in EventID.newEpoch() }
    #expect(Set(epochs).count == 1_000)
    #expect(epochs.allSatisfy { EventID("\($0)-1")?.epoch == $0 })
  }
}
