import ConfigurationReader
package import GatewaySecurity
import Reactor

extension Configuration {
  /// Who makes tokens that count here: `auth.jwt`, or an element of it.
  package struct TokenSettings: Hashable, Sendable {
    /// The file of its keys (JWKS).
    package var file = ""
    /// What its tokens say in `iss`.
    package var names: [String] = []
    /// What one of its tokens says in `aud`, at least one of these.
    package var audiences: [String] = []
    /// How its tokens may be signed.
    package var algorithms: [TokenAlgorithm] = [.es256, .rs256, .edDSA]
    /// By how much clocks may differ.
    package var leeway: Duration = .seconds(30)
    /// The claim that names the caller.
    package var subject = "sub"
    /// The claim that lists what the caller may do.
    package var scopes = "scope"
    /// The keys that the file had.
    package var keys: [KeyDescription] = []

    /// Paths are those of the folder of the configuration.
    init(_ section: Section, in folder: String) {
      section.read("issuer", into: &names, Self.texts)
      section.read("audience", into: &audiences, Self.texts)
      section.read("algorithms", into: &algorithms) { field in
        let elements = field.elements()
        if elements?.isEmpty == true { field.report("names no algorithm") }
        return elements?.compactMap { $0.choice(TokenAlgorithm.self) }
      }
      section.read("leeway", into: &leeway) { $0.duration(in: .zero ... .seconds(600)) }
      section.read("subject", into: &subject, Self.claim)
      section.read("scopes", into: &scopes, Self.claim)
      for key in ["jwks", "issuer", "audience"] where !section.has(key) {
        section.report("has no \(key): say \(Self.reasons[key] ?? "it")")
      }
      if let field = section.field("jwks"), let path = field.text("the path of a file") {
        file = path.hasPrefix("/") ? path : folder + path
        do throws(KeyDescription.Fault) {
          if !algorithms.isEmpty { keys = try reloadedKeys() }
        } catch {
          field.report(error.description)
        }
      }
      section.finish()
    }

    private static let reasons = [
      "jwks": "which file has its keys", "issuer": "what its tokens have as iss",
      "audience": "what they have as aud, for a token may be meant for somebody else",
    ]

    private static func claim(_ field: Field) -> String? {
      let name = field.text("the name of a claim")
      if name?.allSatisfy(\.isWhitespace) == true { field.report("is blank; write the name of a claim") }
      return name
    }

    private static func texts(_ field: Field) -> [String]? {
      let elements = field.elements()
      if elements?.isEmpty == true { field.report("names nobody; no token would count") }
      return elements?.compactMap { element in
        guard let text = element.text("a text such as https://id.example") else { return nil }
        // A token without the claim would have what is empty.
        guard text.allSatisfy(\.isWhitespace) else { return text }
        element.report("is blank; write what the tokens have")
        return nil
      }
    }

    /// The keys that the file has now.
    package func reloadedKeys() throws(KeyDescription.Fault) -> [KeyDescription] {
      let text: String
      do throws(TextFile.Unreadable) { text = try TextFile.read(file) } catch {
        throw KeyDescription.Fault("\(file) \(error.reason)")
      }
      let found: [KeyDescription]
      do throws(KeyDescription.Fault) { found = try KeyDescription.read(jwks: text) } catch {
        throw KeyDescription.Fault("\(file) \(error.description)")
      }
      let fit = found.filter { key in algorithms.contains { key.isFit(for: $0) } }
      guard !fit.isEmpty else {
        let names = algorithms.map(\.rawValue).joined(separator: ", ")
        throw KeyDescription.Fault("\(file) has no key for any of \(names)")
      }
      return fit
    }

    /// The issuer with these keys.
    func issuer(with keys: [TokenKey]) -> TokenIssuer {
      TokenIssuer(
        names: Set(names), audiences: Set(audiences), algorithms: Set(algorithms),
        leeway: Double(leeway.nanoseconds) / 1e9, subjectClaim: subject, scopesClaim: scopes, keys: keys)
    }
  }
}
