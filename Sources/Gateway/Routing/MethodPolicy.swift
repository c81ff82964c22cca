/// Which methods of a service callers reach, ready to be asked for each call.
struct MethodPolicy: Sendable {
  /// What a caller may do with a method.
  enum Decision: Sendable, Hashable {
    /// Nothing: it is as if it did not exist.
    case hidden
    /// Call it with POST.
    case exposed
    /// Call it with GET as well.
    case safe
  }

  private let expose: [Glob]
  private let hide: [Glob]
  private let safe: [Glob]
  private let exposesEverything: Bool

  init(_ methods: Configuration.Methods) {
    expose = methods.expose.map(Glob.init)
    hide = methods.hide.map(Glob.init)
    safe = methods.safe.map(Glob.init)
    exposesEverything = hide.isEmpty && expose.contains(where: \.matchesEverything)
  }

  /// Hiding beats exposing, and a name that cannot be called is hidden whatever the globs say.
  func decision(for method: Span<UInt8>) -> Decision {
    guard NameRules.isMethod(method) else { return .hidden }
    if !exposesEverything {
      guard Self.any(of: expose, matches: method), !Self.any(of: hide, matches: method) else { return .hidden }
    }
    return Self.any(of: safe, matches: method) ? .safe : .exposed
  }

  func decision(for method: String) -> Decision { decision(for: method.utf8.span) }

  private static func any(of globs: [Glob], matches name: Span<UInt8>) -> Bool {
    for glob in globs where glob.matches(name) { return true }
    return false
  }
}
