/// Which methods of a service callers reach, ready to be asked for each call.
struct MethodPolicy: Sendable {
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

  /// Refuses a method that callers do not reach: it is as if it did not exist. Hiding beats exposing.
  func check(_ method: MethodName) throws(Problem) {
    if exposesEverything { return }
    let name = method.text.utf8.span
    guard Self.any(of: expose, matches: name), !Self.any(of: hide, matches: name) else {
      throw Problem(.notExposed, "\"\(method.text)\" is not exposed by this service.")
    }
  }

  /// Whether GET may call the method as well.
  func isSafe(_ method: MethodName) -> Bool { Self.any(of: safe, matches: method.text.utf8.span) }

  private static func any(of globs: [Glob], matches name: Span<UInt8>) -> Bool {
    for glob in globs where glob.matches(name) { return true }
    return false
  }
}
