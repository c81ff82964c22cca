import Foundation

/// A page with code in it: an article of the documentation, the README, or the page about calls.
struct Article {
  private static let root = URL(fileURLWithPath: #filePath).appendingPathComponent("../../..").standardized

  /// The path in the repository.
  let path: String
  private let text: String

  private init(_ path: String) throws {
    self.path = path
    text = try String(contentsOf: Self.root.appendingPathComponent(path), encoding: .utf8)
  }

  /// The README, the page about calls, and the articles of all modules.
  static func all() throws -> [Article] {
    try (["README.md", "docs/rpc.md"] + files(in: "Sources", of: ".docc/", ".md")).map(Article.init)
  }

  static func named(_ name: String) throws -> Article {
    try Article(files(in: "Sources", of: ".docc/", "/\(name).md").first ?? name)
  }

  /// What stands in fences of that language.
  func blocks(of language: String) -> [String] {
    text.components(separatedBy: "```\(language)\n").dropFirst().map { $0.components(separatedBy: "```")[0] }
  }

  /// The programs and tests that code may come from, by their lines.
  static func sources() throws -> [[String]] {
    let folders = [
      "Examples", "Tests/ExamplesTests", "Tests/ZeroMQTests/Stream", "Tests/ZeroMQRPCTests",
      "Tests/MessagePackFoundationTests", "Tests/ReactorTests",
    ]
    return try folders.flatMap { try files(in: $0, of: "/", ".swift") }.map {
      lines(of: try String(contentsOf: root.appendingPathComponent($0), encoding: .utf8))
    }
  }

  /// The lines that are not empty, without their indentation, with one name for all endpoints; nor does it matter what a file imports, and
  /// what a test keeps to itself.
  static func lines(of code: String) -> [String] {
    code.split(separator: "\n").compactMap { line -> String? in
      var line = line.drop { $0 == " " }
      if line.hasPrefix("private ") { line = line.dropFirst("private ".count) }
      guard !line.isEmpty, !line.hasPrefix("import ") else { return nil }
      guard line.contains("://") else { return String(line) }
      return String(line.replacing(#/"(tcp|ipc|inproc)://[^"]*"/#, with: "endpoint"))
    }
  }

  private static func files(in folder: String, of part: String, _ end: String) throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: root.appendingPathComponent(folder).path)
      .map { "\(folder)/\($0)" }.filter { $0.contains(part) && $0.hasSuffix(end) }.sorted()
  }
}
