import Foundation
import Support
import Testing
import ZeroMQRPC

@testable import Gateway

@Suite("The annotated configuration", .inTurn(minutes: 3))
struct AnnotatedConfigurationTests {
  private static func load(_ text: String) throws -> Configuration {
    try Configuration.load(yaml: text, file: "gateway.yaml")
  }

  @Test("is valid, and sets nothing to anything but its default where it says so")
  func defaults() throws {
    let configuration = try Self.load(try Repository.text("docs/gateway.yaml"))
    let least = try Self.load(
      """
      services:
        calc:
          pattern: rpc
          connect: ["tcp://127.0.0.1:5555"]
          methods: { hide: ["admin.*"], safe: ["get*"], settings: { "report.*": { timeout: 30s } } }
        jobs: { pattern: pipeline, connect: ["tcp://127.0.0.1:5556"] }
        news: { pattern: pubsub, publish: { connect: ["tcp://127.0.0.1:5557"] }, subscribe: { connect: ["tcp://127.0.0.1:5558"] } }
      """)
    #expect(configuration == least)
  }

  @Test("is valid with all that it leaves out as well")
  func everything() throws {
    let text = try Repository.text("docs/gateway.yaml")
    let (head, rest) = (text.components(separatedBy: "\nhttp:\n")[0], text.components(separatedBy: "\nhttp:\n")[1])
    let lines = rest.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      let isKey = line.drop { $0 == " " }.hasPrefix("# ") && line.contains(":") && !line.contains("POST")
      return isKey ? line.replacing("# ", with: "", maxReplacements: 1) : line
    }
    let configuration = try Self.load(head + "\nhttp:\n" + lines.joined(separator: "\n"))
    guard case .rpc(let rpc) = configuration.services[0].pattern,
      case .pubsub(let pubsub) = configuration.services[2].pattern
    else { throw Wrong() }
    #expect(rpc.routes.count == 1 && rpc.hedge == .percentile95 && rpc.repeats)
    #expect(pubsub.subscribe?.last != nil && pubsub.subscribe?.numbering != nil)
    #expect(configuration.isOpenToAll)
  }

  @Test("names every key that docs/configuration.md has in a table")
  func complete() throws {
    let text = try Repository.text("docs/gateway.yaml")
    let sections = try Repository.text("docs/configuration.md").components(separatedBy: "\n## ")
    var keys: Set<String> = []
    for section in sections where section.hasPrefix("`") {
      for line in section.split(separator: "\n") where line.hasPrefix("| `") {
        let key = line.dropFirst(3).prefix { $0 != "`" }
        for part in key.split(separator: ".") { keys.insert(String(part)) }
      }
    }
    // Types of arguments stand in a table of their own.
    keys.subtract(["str", "int", "float", "bool"])
    #expect(keys.count > 60)
    for key in keys.sorted() { #expect(try text.contains(Regex("(^|[^\\w-])\(key):")), "\(key)") }
  }

  private struct Wrong: Error {}
}
