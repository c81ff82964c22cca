/// A look at whether services with `describe` tell what they can be called with, without a gateway: what `check --connect` prints.
public struct DescriptionCheck: Sendable {
  private let configuration: Configuration

  /// A check of all services of the configuration.
  public init(_ configuration: Configuration) { self.configuration = configuration }

  /// Asks all at once, and returns the names of those that do not tell, with why, in the order of the configuration. Waits five seconds at most.
  public func run() async -> [(service: String, fault: String)] {
    let answers = await DescriptionReader.ask(configuration)
    return configuration.services.compactMap { service in
      guard case .failure(let error)? = answers[service.name] else { return nil }
      return (service.name, "\(error)")
    }
  }
}
