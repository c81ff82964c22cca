import ArgumentParser
import Gateway
import Logging
import ZeroMQ
import ZeroMQRPC

/// Which gateway is asked.
struct GatewayOptions: ParsableArguments {
  @Option(
    help:
      "A gateway: http(s)://host:port, with its prefix; its key is in ZMQ_GATEWAY_KEY. Default: http://127.0.0.1:8080."
  )
  var http: String?

  func validate() throws { _ = try url }

  var url: GatewayURL {
    get throws {
      do {
        return try GatewayURL(http ?? "http://127.0.0.1:8080")
      } catch {
        throw ValidationError("--http: \(error)")
      }
    }
  }
}

/// Whom the commands of a client talk to: a gateway, or a service without one.
struct PeerOptions: ParsableArguments {
  enum Peer {
    case gateway(GatewayURL)
    case service(Endpoint)
  }

  @OptionGroup var gateway: GatewayOptions

  @Option(help: "A service itself, without a gateway, such as tcp://127.0.0.1:5555.")
  var zmq: String?

  func validate() throws {
    if gateway.http != nil, zmq != nil {
      throw ValidationError("name a gateway with --http or a service with --zmq, not both")
    }
    _ = try peer
  }

  var peer: Peer {
    get throws {
      guard let zmq else { return .gateway(try gateway.url) }
      do {
        let endpoint = try Endpoint(zmq)
        try endpoint.requireConnectable()
        return .service(endpoint)
      } catch {
        throw ValidationError("--zmq: \(error)")
      }
    }
  }

  /// The log of connections, which a client's user does not want to read.
  static var quiet: Logger {
    var logger = Logger(label: "zmq-gateway")
    logger.logLevel = .critical
    return logger
  }
}

/// Ends a command that could not reach a service, with the reason if a look at its endpoint finds one.
func fail(_ failure: CallFailure, at endpoint: Endpoint, _ pattern: (Endpoint) -> Configuration.Pattern) async
  -> ExitCode
{
  let fault = failure.sent ? nil : await connectFault(at: endpoint, pattern(endpoint))
  return fail("\(endpoint): \(fault.map { "\($0.code.rawValue): \($0)" } ?? "\(failure)")", .of(failure))
}

/// Why a service of that pattern cannot be reached; nil when it is there. Waits three seconds at most.
func connectFault(at endpoint: Endpoint, _ pattern: Configuration.Pattern) async -> ConnectFault? {
  var configuration = Configuration()
  configuration.services = [.init("service", pattern)]
  return await ConnectionCheck(configuration).run().first?.fault
}

/// What the commands that send something have in common, behind the name of what they send.
struct SendingOptions: ParsableArguments {
  @OptionGroup var peers: PeerOptions

  @OptionGroup var arguments: Arguments

  @OptionGroup var waiting: WaitingOptions

  /// Refuses a timeout that nothing would wait for: a gateway takes what needs no answer at once.
  func requireNoTimeoutAtGateway() throws {
    guard peers.zmq == nil, waiting.timeout != nil else { return }
    throw ValidationError("--timeout is for --zmq: a gateway answers at once whether it has taken this")
  }
}

/// How long a command waits.
struct WaitingOptions: ParsableArguments {
  @Option(help: "Seconds to wait for an answer, or for somebody to send to. Default: what the service has, or 5.")
  var timeout: Double?

  func validate() throws {
    if let timeout, !(timeout > 0 && timeout <= 86_400) {
      throw ValidationError("--timeout: seconds above 0, at most 86400")
    }
  }

  /// What a service without a gateway is given.
  var limit: Duration { .milliseconds(Int((timeout ?? 5) * 1_000)) }

  /// How long libzmq keeps what has not left: longer than `untilLeft` waits, which tells of it.
  var linger: Duration { limit + .seconds(1) }

  /// Waits until what libzmq was given has left it, which would be gone with the process otherwise. The sockets of the context are closed.
  func untilLeft(_ context: Context, to endpoint: Endpoint) async throws {
    guard await context.close(within: limit) else {
      throw fail("\(endpoint): it was sent, and did not leave in its time; it may be lost", .failure)
    }
  }
}

/// Ends a command with a sentence on standard error.
func fail(_ sentence: String, _ code: ExitCode) -> ExitCode {
  StandardStream.error.write(sentence + "\n")
  return code
}

extension ExitCode {
  /// What is told of a call that had no answer, by the exit code.
  static func of(_ failure: CallFailure) -> ExitCode { failure.sent ? .failure : .unavailable }
}
