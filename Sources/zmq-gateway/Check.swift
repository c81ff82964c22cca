import ArgumentParser
import Gateway

struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check a configuration; exit 78 and tell every line that is wrong.")

  @Argument(help: "The configuration, a YAML file.")
  var file: String

  func run() throws {
    let configuration = try ConfigurationFile(file).load()
    let count = configuration.services.count
    print("\(file): valid, \(count) \(count == 1 ? "service" : "services")")
    for note in configuration.notes { print("\(file): \(note)") }
  }
}
