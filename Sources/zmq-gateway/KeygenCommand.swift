import ArgumentParser
import FoundationEssentials
import GatewaySecurity
import Glibc

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
    let entry = Data("\(key.digest.hex): { subject: \(quoted(subject)), scopes: [\(list)] }\n".utf8)
    if let file {
      try append(entry, to: file)
    } else {
      StandardStream.error.write(entry)
    }
    print(key.text)
  }

  private var list: String { scopes.map(quoted).joined(separator: ", ") }

  /// As the configuration reads it, whatever it holds: visible characters need no other escapes.
  private func quoted(_ word: String) -> String {
    let escaped = word.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("$", with: "$$")
    return "\"\(escaped)\""
  }

  /// On a line of its own, and in one call, so that two commands at one time do not mix their lines.
  private func append(_ entry: Data, to file: String) throws {
    let descriptor = open(file, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw cannotWrite(file, errno) }
    defer { close(descriptor) }
    var last = UInt8(ascii: "\n")
    let end = lseek(descriptor, 0, SEEK_END)
    if end > 0 { _ = pread(descriptor, &last, 1, end - 1) }
    let entry = (last == UInt8(ascii: "\n") ? Data() : Data("\n".utf8)) + entry
    let written = entry.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    guard written == entry.count else { throw cannotWrite(file, errno) }
  }

  private func cannotWrite(_ file: String, _ number: CInt) -> ExitCode {
    let reason = String(cString: strerror(number)).lowercased()
    StandardStream.error.write("\(file): cannot be written: \(reason)\n")
    return .cannotCreate
  }
}
