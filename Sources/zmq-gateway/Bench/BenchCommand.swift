import ArgumentParser

struct BenchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Put a load on a gateway, or on a service, and tell how long it took.",
    subcommands: [BenchCall.self, BenchSubscribe.self])
}

/// How long a load lasts, and how fast it comes.
struct LoadOptions: ParsableArguments {
  @Option(help: "How long, in seconds: up to 3600.")
  var seconds = 5.0

  func validate() throws {
    guard seconds > 0, seconds <= 3_600 else { throw ValidationError("--seconds: above 0, at most 3600") }
  }
}
