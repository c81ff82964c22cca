import Support
import Testing

/// The page of `Examples/browser`, in a real browser.
@Suite(
  "A page that follows events", .inTurn(minutes: 4), .enabled("\(Browser.comment)") { try await Browser.isThere() })
struct BrowserEventTests {
  @Test("misses nothing when its connection breaks, and sees a gap when the gateway starts anew")
  func page() async throws {
    try await Rig.with { rig in
      let endpoint = rig.directory.endpoint("s")
      let services = "s: { pattern: pubsub, subscribe: { connect: [\"\(endpoint)\"], retry: 200ms } }"
      let first = try await rig.gateway(services)
      let process = try Browser.start(
        "browser_events.py", "\(first.http.port)", endpoint, Repository.path("Examples/browser/events.html"))
      rig.cleanup.add { await process.destroy() }
      #expect(try await process.line().flatMap { JSON($0) }?["restart"] == true)
      await first.stop()
      _ = try await rig.gateway(services, listen: "127.0.0.1:\(first.http.port)")
      process.write("\n")
      let result = try #require(try await process.line().flatMap { JSON($0) })
      #expect(result["again"] == true)
      let before = result["cut"].elements.compactMap(\.text)
      let numbers = before.compactMap(Self.number)
      #expect(numbers.count == before.count, "there is no gap: \(before)")
      #expect(numbers == Array((numbers.first ?? 0)..<((numbers.first ?? 0) + numbers.count)))
      let after = result["restarted"].elements.compactMap(\.text)
      let gaps = after.filter { $0.hasPrefix("gap ") }
      #expect(gaps == [#"gap {"reason":"restart","missed":null}"#])
      let later = after.drop { !$0.hasPrefix("gap ") }.compactMap(Self.number)
      #expect(later == Array((later.first ?? 0)..<((later.first ?? 0) + later.count)))
      #expect(later.first ?? 0 > numbers.last ?? 0)
    }
  }

  /// What a line of the page shows of an event.
  private static func number(_ line: String) -> Int? {
    guard line.hasPrefix("clock tick ["), line.hasSuffix("]") else { return nil }
    return Int(line.dropFirst("clock tick [".count).dropLast())
  }
}
