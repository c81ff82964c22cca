import ArgumentParser
import Glibc
import ZeroMQ

struct CurveKeyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "curve", abstract: "Make a pair of keys of CURVE, for curve of a service, or for a backend.",
    discussion: """
      The secret key goes to FILE.key, which only its owner may read, and the public key to FILE.pub, and to standard output. Neither may be \
      there yet. Without a file both are printed.
      """)

  @Option(name: .shortAndLong, help: "The names of the two files, without their endings.")
  var file: String?

  func validate() throws {
    if let file, file.isEmpty || file.hasSuffix("/") {
      throw ValidationError(
        "--file: \"\(file)\" names no file; of gateway, for example, gateway.key and gateway.pub are made")
    }
  }

  func run() throws {
    let pair: CurveKeyPair
    do {
      pair = try CurveKeyPair()
    } catch {
      throw fail("\(error)", .unavailable)
    }
    guard let file else {
      print("public-key: \(pair.publicKey)\nsecret-key: \(pair.secretKey.text)")
      return
    }
    // The public one first: a secret without it is of use to nobody.
    try write("\(pair.publicKey)", to: file + ".pub", mode: 0o644)
    try write(pair.secretKey.text, to: file + ".key", mode: 0o600)
    print(pair.publicKey)
  }

  private func write(_ text: String, to path: String, mode: mode_t) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
    guard descriptor >= 0 else { throw cannotWrite(path, errno) }
    defer { close(descriptor) }
    let line = Array((text + "\n").utf8)
    guard Glibc.write(descriptor, line, line.count) == line.count else { throw cannotWrite(path, errno) }
  }

  private func cannotWrite(_ path: String, _ number: CInt) -> ExitCode {
    fail("\(path): cannot be written: \(String(cString: strerror(number)).lowercased())", .cannotCreate)
  }
}
