import Foundation
import Testing

@Suite("The pages of parity with aiozmq")
struct ParityPageTests {
  /// The promises that each page lists, by their families.
  private static let promises: [String: [(family: String, numbers: ClosedRange<Int>)]] = [
    "core.md": [
      ("GEN", 1...9), ("CORE", 1...12), ("CORE", 20...53), ("PROTO", 1...6), ("LOOP", 1...5), ("STREAM", 1...17),
      ("EX", 1...2),
    ],
    "rpc.md": [
      ("RPC", 1...19), ("PIPE", 1...8), ("PUB", 1...10), ("EXC", 1...10), ("VAL", 1...10), ("HAND", 1...7),
      ("VALUE", 1...13), ("SERV", 1...8), ("LOG", 1...5), ("EX", 3...12),
    ],
  ]

  private func page(_ name: String) throws -> ParityPage {
    ParityPage(try Repository.text("docs/parity/\(name)"))
  }

  @Test("list each promise once", arguments: promises.keys.sorted())
  func complete(name: String) throws {
    let rows = try page(name).rows.map(\.id)
    let promised = try #require(Self.promises[name]).flatMap { family, numbers in numbers.map { "\(family)-\($0)" } }
    #expect(Set(promised).subtracting(rows).sorted() == [], "promised, and not listed")
    #expect(Set(rows).subtracting(promised).sorted() == [], "listed, and not promised")
    #expect(rows.count == Set(rows).count)
  }

  @Test(
    "name for each promise tests that are there and bear its id, or say why it does not carry over",
    arguments: promises.keys.sorted())
  func proved(name: String) throws {
    let tests = try ParityPage.tests()
    #expect(tests.count > 500, "the sources of the tests are found")
    for row in try page(name).rows {
      let isLeftOut = row.here.hasPrefix("Does not carry over: ")
      #expect(row.tests.isEmpty == isLeftOut, "\(row.id) has tests, or a reason to have none")
      for test in row.tests {
        #expect(tests.contains(test), "\(row.id): there is no such test: \(test)")
        #expect(
          test.matches(of: /[A-Z]+-[0-9]+/).contains { $0.output == row.id }, "\(row.id) is not in the name of: \(test)"
        )
      }
    }
  }

  @Test("are all of them checked") func pages() throws {
    let files = try FileManager.default.contentsOfDirectory(atPath: Repository.path("docs/parity"))
    #expect(files.sorted() == Self.promises.keys.sorted())
  }
}
