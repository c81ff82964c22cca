import ArgumentParser
import FoundationEssentials
import Gateway
import HTTPServer

struct HealthCheck: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "healthcheck", abstract: "Ask a running gateway whether it lives; exit 0, or 69.",
    discussion:
      "It asks the first address that `serve` listens on with the same configuration and environment; with TLS a Unix socket or http.admin of this machine, if there is one."
  )

  @Option(
    name: .shortAndLong,
    help:
      "The configuration that the gateway was started with. Default: what ZMQ_GATEWAY_CONFIG names, else gateway.yaml, if it is there."
  )
  var config: String?

  @Option(
    help:
      "Ask there instead: http://host:port, with a prefix behind it or none, or unix:/path; http:// may be left out.")
  var http: String?

  func run() throws {
    let url = try url()
    guard LivenessProbe(url).succeeds(within: .seconds(2)) else {
      print("\(url) does not answer")
      throw ExitCode.unavailable
    }
    print("\(url) is alive")
  }

  private func url() throws -> GatewayURL {
    do {
      if let http { return try GatewayURL(http) }
    } catch {
      throw ValidationError("--http: \(error)")
    }
    let settings = try settings()
    // Whoever asks there needs no certificate.
    let local =
      settings.tls == nil
      ? nil
      : (settings.listen + [settings.admin].compactMap(\.self)).first {
        $0.isLoopback && ($0.isUnixSocket || $0 == settings.admin)
      }
    guard let address = local ?? settings.listen.first else {
      throw ValidationError("there is no address to ask; give one with --http")
    }
    guard address.port != 0 || address.isUnixSocket else {
      throw ValidationError("\(address) lets the system choose the port; say with --http which one it was")
    }
    return GatewayURL(address, speaksTLS: settings.tls != nil && local == nil)
  }

  /// How `serve` listens.
  private func settings() throws -> Configuration.HTTP {
    if let config = config ?? ConfigurationChoice.usual { return try ConfigurationFile(config).load().http }
    do {
      let environment = try Overrides(environment: ProcessInfo.processInfo.environment)
      var http = Configuration().http
      http.listen = environment.listen ?? http.listen
      return http
    } catch {
      StandardStream.error.write("\(error)\n")
      throw ExitCode.configuration
    }
  }
}
