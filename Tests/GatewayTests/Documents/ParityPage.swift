import Foundation

/// A page of `docs/parity`: what aiozmq promises, one promise a row, and the tests that hold it.
struct ParityPage {
  struct Row {
    let id: String
    /// The Swift counterpart, or why there is none.
    let here: String
    /// As they are written in `@Test`.
    let tests: [String]
  }

  let rows: [Row]

  init(_ text: String) {
    rows = text.split(separator: "\n").compactMap { line in
      let cells = line.components(separatedBy: " | ")
      guard cells.count == 4, let id = cells[0].wholeMatch(of: /\| ([A-Z]+-[0-9]+)/)?.output.1 else { return nil }
      let tests = cells[3].replacing(#/ \|$/#, with: "").components(separatedBy: "<br>")
      return Row(id: String(id), here: cells[2], tests: tests == ["-"] ? [] : tests)
    }
  }

  /// The names of all tests in the sources of `Tests`.
  static func tests() throws -> Set<String> {
    let root = Repository.path("Tests")
    var names: Set<String> = []
    for file in try FileManager.default.subpathsOfDirectory(atPath: root) where file.hasSuffix(".swift") {
      let text = try String(contentsOfFile: "\(root)/\(file)", encoding: .utf8)
      for match in text.matches(of: /@Test\(\s*"(.*?[^\\])"/) { names.insert(String(match.output.1)) }
    }
    return names
  }
}
