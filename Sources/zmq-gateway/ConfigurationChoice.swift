import ArgumentParser
import FoundationEssentials

/// Which configuration a command reads: the one that is named, else the one that the environment names, else `gateway.yaml` here.
struct ConfigurationChoice: ParsableArguments {
  @Argument(
    help:
      "The configuration, a YAML file; - is standard input. Default: what ZMQ_GATEWAY_CONFIG names, else gateway.yaml.")
  var file: String?

  @Option(name: .shortAndLong, help: "The same.")
  var config: String?

  func validate() throws {
    if file != nil, config != nil { throw ValidationError("name one configuration, not two") }
  }

  /// The file that is read.
  func path() throws -> String {
    guard let path = file ?? config ?? Self.usual else {
      throw ValidationError(
        "name a configuration, such as gateway.yaml; \"zmq-gateway init\" writes one to begin with, and \"zmq-gateway demo\" needs none"
      )
    }
    return path
  }

  /// The file that is read when none is named; nil when there is none.
  static var usual: String? {
    if let path = ProcessInfo.processInfo.environment[variable], !path.isEmpty { return path }
    return FileManager.default.fileExists(atPath: usualName) ? usualName : nil
  }

  private static let variable = "ZMQ_GATEWAY_CONFIG"
  static let usualName = "gateway.yaml"
}
