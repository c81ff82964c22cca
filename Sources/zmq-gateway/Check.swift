import ArgumentParser
import Gateway
import ZeroMQ

struct Check: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check a configuration; exit 78 and tell every line that is wrong.")

  @OptionGroup var choice: ConfigurationChoice

  @Flag(help: "Look who answers at each endpoint too, and tell why nobody does; exit 69 when one cannot be used.")
  var connect = false

  func run() async throws {
    let file = ConfigurationFile(try choice.path())
    let configuration = try file.load()
    let count = configuration.services.count
    print("\(file.name): valid, \(count) \(count == 1 ? "service" : "services")")
    for note in configuration.notes { print("\(file.name): \(note)") }
    if connect { return try await look(at: configuration) }
    // What a look at the endpoints would tell as well.
    for note in await NameCheck(configuration).run() { print("\(file.name): \(note)") }
  }

  private func look(at configuration: Configuration) async throws {
    let outcomes = await ConnectionCheck(configuration).run()
    for outcome in outcomes {
      let found = outcome.fault.map { "\($0.code.rawValue): \($0)" } ?? "ok"
      print("\(outcome.service) \(outcome.endpoint): \(found)")
    }
    let faulty = Set(outcomes.filter { $0.fault != nil }.map(\.service))
    for (service, fault) in await DescriptionCheck(configuration).run() where !faulty.contains(service) {
      print("\(service): describe: it does not tell what it can be called with: \(fault)")
    }
    guard faulty.isEmpty else { throw ExitCode.unavailable }
  }
}
