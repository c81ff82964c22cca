import ArgumentParser
import CBuild
import ConfigurationReader
import HTTPServer
import MessagePack
import ZeroMQ

/// The command line: arguments, logging and signals; all else is the `Gateway` module's.
@main
struct ZMQGateway: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "zmq-gateway",
    abstract: "Puts ZeroMQ services that speak aiozmq.rpc on the web: REST and server-sent events.",
    version: """
      zmq-gateway \(ZeroMQ.version) (commit \(String(cString: cbuild_commit())), libzmq \(ZeroMQ.libzmqVersion), \
      libmicrohttpd \(Server.libraryRelease), msgpack-c \(msgpackRelease))
      """,
    subcommands: [
      Serve.self, DemoCommand.self, InitCommand.self, Check.self, SchemaCommand.self, OpenAPICommand.self,
      CallCommand.self, PushCommand.self, PublishCommand.self, SubscribeCommand.self, MockCommand.self,
      BenchCommand.self, KeygenCommand.self, HealthCheck.self, StatusCommand.self,
    ])

  /// As the default does it; but what is wrong with the words of a command, and shows only when it runs, is told with the usage of that
  /// command and not of the program.
  static func main() async {
    StandardStream.fill()
    do {
      try checkCommand()
      var command = try await asyncParseAsRoot()
      do {
        if var command = command as? any AsyncParsableCommand {
          try await command.run()
        } else {
          try command.run()
        }
      } catch let error as ValidationError {
        throw refused(error, by: type(of: command))
      }
    } catch {
      LogLines.flush()
      exit(withError: error)
    }
    LogLines.flush()
  }

  /// Refuses a first word that is no command, which would be an argument too many to the parser.
  private static func checkCommand() throws {
    let names = configuration.subcommands.map { $0._commandName } + ["help"]
    guard let word = CommandLine.arguments.dropFirst().first, !word.hasPrefix("-"), !names.contains(word) else {
      return
    }
    let meant: String? =
      switch word {
      case "version": "--version"
      case _ where word.hasSuffix(".yaml"): "serve \(word)"
      default: word.nearest(among: names)
      }
    let hint = meant.map { "; did you mean \"\($0)\"?" } ?? ""
    throw refused(ValidationError("there is no command \"\(word)\"\(hint)"), by: self)
  }

  private static func refused(_ error: ValidationError, by command: any ParsableCommand.Type) -> ExitCode {
    let usage = usageString(for: command)
    // Up to the first argument or option.
    let name = usage.split(separator: " ").prefix { $0.first?.isLetter == true }.joined(separator: " ")
    return fail(
      "Error: \(error.message)\nUsage: \(usage)\n  See '\(name) --help' for more information.", .usage)
  }
}

/// Exit codes of `sysexits.h`.
extension ExitCode {
  static let usage = ExitCode(64)
  static let unavailable = ExitCode(69)
  static let cannotCreate = ExitCode(73)
  static let configuration = ExitCode(78)
}
