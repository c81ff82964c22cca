/// The document at `/problems/{code}`, what a code means and what to do about it, or the one at `/problems`, which lists them all.
struct ProblemPage {
  /// A paragraph: what it is about, if that is said, and a text in which code stands between backticks.
  private typealias Paragraph = (label: String?, text: String)

  private let heading: String
  private let paragraphs: [Paragraph]
  /// Pages, by the names of codes, each with a title.
  private let links: [(name: String, path: String, title: String)]

  /// The page of a code; `nil` for a word that is none.
  init?(_ word: String) {
    guard let code = ProblemCode(rawValue: word) else { return nil }
    let row = code.row
    heading = word
    paragraphs = [
      (nil, "\(row.title). Status \(Self.status(code))."), (nil, row.meaning), ("What to do.", row.remedy),
      ("Did it run?", row.ran.rawValue),
    ]
    links = []
  }

  /// The page that lists all codes, of a gateway whose paths start with the prefix.
  init(prefix: String) {
    heading = "Problems"
    paragraphs = [
      (
        nil,
        "Every answer that is no success is a problem document (RFC 9457). Its `code`, which the header `Gateway-Error` repeats, "
          + "is one of these."
      )
    ]
    links = ProblemCode.allCases.map {
      ($0.rawValue, "\(prefix)/problems/\($0.rawValue)", "\($0.title) (\(Self.status($0)))")
    }
    .sorted { $0.name < $1.name }
  }

  /// In Markdown.
  var markdown: String {
    let texts = paragraphs.map { paragraph in paragraph.label.map { "**\($0)** \(paragraph.text)" } ?? paragraph.text }
    let items = links.map { "- [\($0.name)](\($0.path)): \($0.title)" }
    let blocks = ["# \(heading)"] + texts + (items.isEmpty ? [] : [items.joined(separator: "\n")])
    return blocks.joined(separator: "\n\n") + "\n"
  }

  /// In HTML, without a style of its own.
  var html: String {
    let texts = paragraphs.map { paragraph in
      "<p>\(paragraph.label.map { "<strong>\(Self.escaped($0))</strong> " } ?? "")\(Self.marked(paragraph.text))</p>"
    }
    let items = links.map { "<li><a href=\"\($0.path)\">\($0.name)</a>: \(Self.marked($0.title))</li>" }
    // Relative, so that a prefix needs no mention.
    let list = items.isEmpty ? ["<p><a href=\"../problems\">All problems</a></p>"] : ["<ul>"] + items + ["</ul>"]
    return """
      <!doctype html>
      <html lang="en">
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <title>\(heading)</title>
      <link rel="icon" href="data:,">
      <h1>\(heading)</h1>
      \((texts + list).joined(separator: "\n"))
      </html>

      """
  }

  private static func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
  }

  /// The text with code marked as such.
  private static func marked(_ text: String) -> String {
    text.split(separator: "`", omittingEmptySubsequences: false).enumerated().map { index, part in
      index.isMultiple(of: 2) ? escaped(String(part)) : "<code>\(escaped(String(part)))</code>"
    }.joined()
  }

  private static func status(_ code: ProblemCode) -> String {
    code == .remoteException ? "400 to 599, by the class of the exception; 500 for classes not known" : "\(code.status)"
  }
}
