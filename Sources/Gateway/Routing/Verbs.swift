/// A set of HTTP verbs.
struct Verbs: OptionSet, Hashable, Sendable {
  let rawValue: UInt8

  static let get = Verbs(rawValue: 1)
  static let head = Verbs(rawValue: 2)
  static let post = Verbs(rawValue: 4)
  static let options = Verbs(rawValue: 8)

  init(rawValue: UInt8) { self.rawValue = rawValue }

  /// The one verb of a request; empty for verbs no route takes. Verbs are case-sensitive.
  init(_ name: String) {
    switch name {
    case "GET": self = .get
    case "HEAD": self = .head
    case "POST": self = .post
    case "OPTIONS": self = .options
    default: self = []
    }
  }

  /// The value of an `Allow` header.
  var allow: String {
    let names: [(Verbs, String)] = [(.get, "GET"), (.head, "HEAD"), (.post, "POST"), (.options, "OPTIONS")]
    return names.filter { contains($0.0) }.map(\.1).joined(separator: ", ")
  }
}

extension Route {
  /// The verbs this route takes; `isSafe` says whether the method of an `rpc` route is declared safe.
  func verbs(isSafe: Bool = false) -> Verbs {
    switch self {
    case .rpc: isSafe ? [.get, .head, .post, .options] : [.post, .options]
    case .push, .pub: [.post, .options]
    case .sub, .live, .openAPIJSON, .openAPIYAML, .problem: [.get, .head, .options]
    }
  }

  /// Refuses a verb this route does not take.
  func check(_ verb: Verbs, isSafe: Bool = false) throws(Refusal) {
    let verbs = verbs(isSafe: isSafe)
    if !verb.isEmpty, verbs.contains(verb) { return }
    if case .rpc = self, verb == .get || verb == .head {
      throw Refusal(.notSafe, "This method is called with POST; it is not declared safe.", allow: verbs.allow)
    }
    throw Refusal(.methodNotAllowed, "This path takes \(verbs.allow).", allow: verbs.allow)
  }
}
