import Foundation

/// `README.md`, taken apart into what can be tried.
struct Readme {
  /// A fenced block.
  struct Block {
    let section: String
    let language: String
    let lines: [String]

    var text: String { lines.map { $0 + "\n" }.joined() }

    /// The commands of a `console` or `sh` block.
    var steps: [Step] {
      if language == "sh" { return lines.map { Step(section: section, command: $0, output: "") } }
      guard language == "console" else { return [] }
      var steps: [Step] = []
      for line in lines {
        if line.hasPrefix("$ ") {
          steps.append(Step(section: section, command: String(line.dropFirst(2)), output: ""))
        } else if !steps.isEmpty {
          steps[steps.count - 1].output += line + "\n"
        }
      }
      return steps
    }
  }

  /// A command and what it prints.
  struct Step {
    let section: String
    let command: String
    var output: String

    /// The program it starts.
    var program: String { command.split(separator: " ").first.map(String.init) ?? "" }
    /// Whether it goes on until it is stopped.
    var isStream: Bool { command.contains("/sub/") }
  }

  private(set) var blocks: [Block] = []
  /// Code in a line of text.
  private(set) var inline: [String] = []
  /// Where links lead.
  private(set) var links: [String] = []
  /// How long it is.
  let lines: Int

  init(_ text: String) {
    lines = text.count(where: { $0 == "\n" })
    var section = ""
    var open: (language: String, lines: [String])?
    for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
      if let block = open {
        if line.hasPrefix("```") {
          blocks.append(Block(section: section, language: block.language, lines: block.lines))
          open = nil
        } else {
          open?.lines.append(line)
        }
      } else if line.hasPrefix("```") {
        open = (String(line.dropFirst(3)), [])
      } else {
        if line.hasPrefix("## ") { section = String(line.dropFirst(3)) }
        inline += line.matches(of: /`([^`]+)`/).map { String($0.1) }
        links += line.matches(of: /\]\(([^)#]+)/).map { String($0.1) }
      }
    }
  }

  /// The commands of all blocks.
  var steps: [Step] { blocks.flatMap(\.steps) }

  /// The only block of a language.
  func block(_ language: String) -> Block? { blocks.first { $0.language == language } }
}
