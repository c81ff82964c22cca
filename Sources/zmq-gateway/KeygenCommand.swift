import ArgumentParser
import GatewaySecurity

struct KeygenCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "keygen", abstract: "Make keys.", subcommands: [APIKeyCommand.self, CurveKeyCommand.self])
}

struct APIKeyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "apikey", abstract: "Make a key for a caller.",
    discussion: """
      The key is printed to standard output, once: nothing keeps it. What the gateway knows it by goes to the file that auth.keys names, a \
      line for each key; or to standard error, when no file is named.
      """)

  @Option(help: "Who gets the key: visible characters of ASCII, such as alice.")
  var subject: String

  @Option(name: .customLong("scope"), help: "A word of auth.rules that applies to the key; can be given several times.")
  var scopes: [String] = []

  @Option(name: .shortAndLong, help: "The file of auth.keys. It is made when it is not there.")
  var file: String?

  func validate() throws {
    if file?.isEmpty == true { throw ValidationError("--file: names no file; leave it out to have the line printed") }
    for word in [subject] + scopes where !(1...255 ~= word.utf8.count && word.utf8.allSatisfy { 0x21...0x7E ~= $0 }) {
      throw ValidationError("\"\(word)\" is not 1 to 255 visible characters of ASCII")
    }
  }

  func run() throws {
    let key = APIKey.random()
    let line = "\(key.digest.hex): { subject: \(quoted(subject)), scopes: [\(list)] }\n"
    if let file {
      try KeyFile(file).add(line)
    } else {
      StandardStream.error.write(line)
    }
    print(key.text)
  }

  private var list: String { scopes.map(quoted).joined(separator: ", ") }

  /// As the configuration reads it, whatever it holds: visible characters need no other escapes.
  private func quoted(_ word: String) -> String {
    let escaped = word.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("$", with: "$$")
    return "\"\(escaped)\""
  }
}
