import ConfigurationReader
import HTTPServer

extension Configuration {
  /// What callers learn of a remote exception, and with which status: `errors`, of the gateway or of one service.
  public struct Errors: Sendable, Hashable {
    /// How much of a remote exception callers see; `nil` takes the enclosing setting (default: `nil`).
    public var expose: Exposure?
    /// Status (400...599) by exact dotted name, bare class name or glob (default: none).
    public var map: [String: Int]

    /// Settings that override nothing by default.
    public init(expose: Exposure? = nil, map: [String: Int] = [:]) {
      self.expose = expose
      self.map = map
    }

    mutating func read(_ section: Section) {
      section.read("expose", into: &expose) { $0.choice(Exposure.self) }
      if let names = section.section("map") {
        for name in names.keys {
          if let status = names.field(name)?.integer(in: 400...599) { map[name] = status }
        }
      }
      section.finish()
    }
  }

  /// How much callers see of the exceptions of a service with these settings. What `auto` means depends on who can call: those
  /// on this machine see everything.
  func exposure(_ errors: Errors) -> Exposure {
    let exposure = errors.expose ?? self.errors.expose ?? .auto
    return exposure == .auto && http.listen.allSatisfy(\.isLoopback) ? .full : exposure
  }

  /// How much of a remote exception callers see.
  public enum Exposure: String, Sendable, Hashable, CaseIterable {
    /// `full` while all addresses to listen on are loopback; else `message` when the status is 4xx, and `class` when it is 5xx.
    case auto
    /// Class, arguments and `repr`.
    case full
    /// Class and arguments.
    case message
    /// The class only.
    case `class`
    /// Nothing but the status and the code.
    case none
  }
}
