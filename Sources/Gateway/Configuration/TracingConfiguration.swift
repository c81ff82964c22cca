import ConfigurationReader
import GatewayTracing
import Reactor

extension Configuration {
  /// How requests are traced: `tracing`.
  public struct Tracing: Sendable, Hashable {
    /// Which part of the traces that begin here is recorded, from 0 to 1 (default: 1).
    public var sample = 1.0
    /// Whether traces that callers have begun are recorded where these say so; else by `sample`, as others are (default: true).
    public var followsCallers = true
    /// Where spans are sent, and how; nil: nowhere (default), and traces are only passed on.
    var export: ExportOptions?

    /// Traces are passed on, and not recorded.
    public init() {}

    mutating func read(_ section: Section) {
      section.read("sample", into: &sample) { $0.number(in: 0...1) }
      section.read("follow", into: &followsCallers) { $0.boolean() }
      let address = section.field("otlp")?.value("the address of a collector", CollectorAddress.init(_:))
      var options = ExportOptions(collector: address ?? .usual)
      options.read(section)
      if address != nil { export = options }
      if !section.has("otlp") {
        for key in ["service", "queue", "batch", "interval", "timeout", "attempts", "headers"] where section.has(key) {
          section.report("has no effect without otlp, the address of a collector", at: key)
        }
      }
      section.finish()
    }
  }
}

extension ExportOptions {
  fileprivate mutating func read(_ section: Section) {
    section.read("service", into: &service) { $0.text("the name that spans bear") }
    section.read("queue", into: &queue) { $0.integer(in: 1...1_000_000) }
    section.read("batch", into: &batch) { $0.integer(in: 1...10_000) }
    section.read("interval", into: &interval) { $0.duration(in: .milliseconds(10) ... .seconds(60)) }
    section.read("timeout", into: &timeout) { $0.duration(in: .milliseconds(100) ... .seconds(60)) }
    section.read("attempts", into: &attempts) { $0.integer(in: 1...10) }
    guard let inner = section.section("headers") else { return }
    for name in inner.keys {
      guard let value = inner.field(name)?.value("the value of a header", Self.header) else { continue }
      if name.isEmpty || !name.utf8.allSatisfy({ $0.isNameByte }) {
        inner.report("a header's name is letters, digits, \"-\" and \"_\"", at: name)
      }
      headers[name] = value
    }
    inner.finish()
  }

  /// What would end the line would begin another header.
  private static func header(_ text: String) throws(InvalidText) -> String {
    guard text.utf8.allSatisfy({ 0x20...0x7E ~= $0 }) else {
      throw InvalidText("the value of a header is visible ASCII on one line")
    }
    return text
  }
}
