import ConfigurationReader
import Reactor

extension Configuration {
  /// Which service is asked whether a caller may do what the rules allow: `auth.decision`.
  public struct Decision: Hashable, Sendable {
    /// The service, one of pattern rpc of this configuration. Where there is none of that name, nothing is allowed.
    public var service: String
    /// Its method, which is called with one map (default: `decide`).
    public var method = "decide"
    /// For how long its answer holds unless it says so itself, 0 s to 1 h; 0: it is asked each time (default: 10 s).
    public var keep: Duration = .seconds(10)
    /// How long a question may take, 1 ms to 1 min (default: 1 s).
    public var timeout: Duration = .seconds(1)
    /// Answers that are kept at one time, on each thread, 1...1,000,000 (default: 10,000).
    public var entries = 10_000
    /// Whether it is told the address of the caller (default: no).
    public var tellsAddress = false
    /// Whether everything that the rules allow is allowed while it cannot be asked (default: no).
    public var failsOpen = false

    /// A decision of that service, all else by default.
    public init(service: String) { self.service = service }

    /// For how long an answer may hold.
    static let times: ClosedRange<Duration> = .zero ... .hours(1)

    /// Takes each key of the section.
    init(_ section: Section) {
      let name = section.field("service")?.text("the name of a service of this configuration")
      service = name ?? ""
      if name?.isEmpty == true { section.report("is empty; name a service of this configuration", at: "service") }
      if !section.has("service") {
        section.report("has no service; name one of pattern rpc that is asked whether a caller may do something")
      }
      section.read("method", into: &method) { $0.text("the name of a method") }
      if MethodName(method) == nil { section.report("\"\(method)\" is no name of a method", at: "method") }
      section.read("keep", into: &keep) { $0.duration(in: Self.times) }
      section.read("timeout", into: &timeout) { $0.duration(in: .milliseconds(1) ... .seconds(60)) }
      section.read("entries", into: &entries) { $0.integer(in: 1...1_000_000) }
      section.read("address", into: &tellsAddress) { $0.boolean() }
      section.read("fail-open", into: &failsOpen) { $0.boolean() }
      section.finish()
    }

    /// Reports a service that cannot be asked.
    func check(among services: [Service], in section: Section) {
      guard section.has("service"), !service.isEmpty else { return }
      guard let asked = services.first(where: { $0.name == service }) else {
        let nearest = service.nearest(among: services.map(\.name)).map { "; did you mean \"\($0)\"?" } ?? ""
        return section.report("there is no service \"\(service)\"\(nearest)", at: "service")
      }
      guard case .rpc = asked.pattern else {
        return section.report(
          "\"\(service)\" is not of pattern rpc, and only such a service can be asked", at: "service")
      }
    }
  }
}
