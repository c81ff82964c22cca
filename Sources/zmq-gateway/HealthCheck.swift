import ArgumentParser
import Gateway

struct HealthCheck: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "healthcheck", abstract: "Ask a running gateway whether it lives; exit 0, or 69.")

  @Option(help: "Where it listens, http://host:port; http:// may be left out.")
  var http = "http://127.0.0.1:8080"

  func run() throws {
    let probe: LivenessProbe
    do {
      let address = http.hasPrefix("http://") ? String(http.dropFirst("http://".count)) : http
      probe = try LivenessProbe(address.hasSuffix("/") ? String(address.dropLast()) : address)
    } catch {
      throw ValidationError("--http: \(error)")
    }
    guard probe.succeeds(within: .seconds(2)) else {
      print("\(http) does not answer")
      throw ExitCode.unavailable
    }
    print("\(http) is alive")
  }
}
