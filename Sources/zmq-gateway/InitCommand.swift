import ArgumentParser
import Glibc

struct InitCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init",
    abstract: "Write a configuration to begin with: each pattern once, and all that can be set, with what it means.")

  @Argument(help: "The file to write, which must not be there yet; - is standard output.")
  var file = ConfigurationChoice.usualName

  func run() throws {
    let text = PackageResources.annotated_yaml
    if file == "-" { return StandardStream.output.write(text) }
    // What is there is never overwritten, whoever writes it in the same moment.
    let descriptor = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      let reason =
        errno == EEXIST
        ? "is there already; name another file, or - for standard output"
        : "cannot be written: \(String(cString: strerror(errno)).lowercased())"
      StandardStream.error.write("\(file): \(reason)\n")
      throw ExitCode.cannotCreate
    }
    defer { close(descriptor) }
    guard write(descriptor, text, text.count) == text.count else {
      throw fail("\(file): cannot be written: \(String(cString: strerror(errno)).lowercased())", .cannotCreate)
    }
    print("\(file): written; change its endpoints to yours, then: zmq-gateway check --connect \(file)")
  }
}
