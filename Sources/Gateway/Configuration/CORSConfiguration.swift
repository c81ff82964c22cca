import ConfigurationReader
import Reactor

extension Configuration {
  /// Which pages of other origins may call, and read the answers: `http.cors`.
  public struct CORS: Hashable, Sendable {
    /// The origins of these pages (default: none).
    public var origins: [OriginPattern] = []
    /// Whether browsers send what they keep for the gateway along, such as its cookies (default: no). Only for origins in full.
    public var allowsCredentials = false
    /// For how long a browser may keep what a page may send: 0 s to 24 h, in whole seconds (default: 10 min).
    public var maxAge: Duration = .seconds(600)

    /// No pages of other origins.
    public init() {}

    mutating func read(_ section: Section) {
      section.read("origins", into: &origins) { field in
        field.elements()?.compactMap { $0.value("an origin such as https://app.example", OriginPattern.init(_:)) }
      }
      section.read("credentials", into: &allowsCredentials) { $0.boolean() }
      section.read("max-age", into: &maxAge) { $0.duration(in: .zero ... .hours(24)) }
      if allowsCredentials, let wide = origins.first(where: { !$0.isOne }) {
        section.report(
          "contradiction: \"\(wide)\" may be anybody's page, and credentials go to origins in full only; list each",
          at: "credentials")
      }
      section.finish()
    }
  }
}
