import ArgumentParser
import HTTPServer
import ZeroMQ

/// The command line: arguments, logging and signals; all else is the `Gateway` module's.
@main
struct ZMQGateway: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "zmq-gateway",
    abstract: "Puts ZeroMQ services that speak aiozmq.rpc on the web: REST and server-sent events.",
    version: "zmq-gateway \(ZeroMQ.version) (libzmq \(ZeroMQ.libzmqVersion), libmicrohttpd \(Server.libraryRelease))",
    subcommands: [
      Serve.self, DemoCommand.self, InitCommand.self, Check.self, SchemaCommand.self, OpenAPICommand.self,
      CallCommand.self, PushCommand.self, PublishCommand.self, SubscribeCommand.self, MockCommand.self,
      BenchCommand.self, KeygenCommand.self, HealthCheck.self, StatusCommand.self,
    ])
}

/// Exit codes of `sysexits.h`.
extension ExitCode {
  static let unavailable = ExitCode(69)
  static let cannotCreate = ExitCode(73)
  static let configuration = ExitCode(78)
}
