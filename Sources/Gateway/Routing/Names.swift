/// What names of services, methods and topics may be.
enum NameRules {
  /// The longest name of a service or a method, in bytes.
  static let longest = 255
  /// The longest topic, in bytes: libzmq 4.3.4 corrupts its subscription stream above.
  static let longestTopic = 245

  /// Whether a service can have this name.
  static func isService(_ name: Span<UInt8>) -> Bool {
    if name.isEmpty || name.count > longest { return false }
    for index in name.indices where !name[index].isNameByte { return false }
    return true
  }

  /// Whether a method of this name can be called: no part between its dots is empty or starts with `_`.
  static func isMethod(_ name: Span<UInt8>) -> Bool {
    if name.isEmpty || name.count > longest { return false }
    var startsPart = true
    for index in name.indices {
      let byte = name[index]
      if startsPart, byte == 0x5F || byte == 0x2E { return false }
      if !byte.isNameByte { return false }
      startsPart = byte == 0x2E
    }
    return !startsPart
  }
}

/// The name of a method that can be called. `NameRules` were checked when it was made, and need not be checked again.
struct MethodName: Hashable, Sendable {
  let text: String

  /// `nil` for a name that no method can be called by.
  init?(_ text: String) {
    guard NameRules.isMethod(text.utf8.span) else { return nil }
    self.text = text
  }
}

/// Which methods of a service callers reach, ready to be asked for each call.
struct MethodPolicy: Sendable {
  private let expose: [Glob]
  private let hide: [Glob]
  private let safe: [Glob]
  private let context: [Glob]
  private let exposesEverything: Bool
  /// Exposed in full: what a name that is not may have meant.
  private let named: [String]

  init(_ methods: Configuration.Methods) {
    let hide = methods.hide.map(Glob.init)
    self.hide = hide
    expose = methods.expose.map(Glob.init)
    named = methods.expose.filter { !Glob.isGlob($0) && !Self.any(of: hide, matches: $0.utf8.span) }
    safe = methods.safe.map(Glob.init)
    context = methods.context.map(Glob.init)
    exposesEverything = hide.isEmpty && expose.contains(where: \.matchesEverything)
  }

  /// Refuses a method that callers do not reach: it is as if it did not exist. Hiding beats exposing.
  func check(_ method: MethodName) throws(Problem) {
    if exposesEverything { return }
    let name = method.text.utf8.span
    guard Self.any(of: expose, matches: name), !Self.any(of: hide, matches: name) else {
      let nearest = method.text.nearestName(among: named).map { "; did you mean \"\($0)\"?" } ?? "."
      throw Problem(.notExposed, "\"\(method.text)\" is not exposed by this service\(nearest)")
    }
  }

  /// The method of that name, if callers reach it.
  func method(_ name: String) throws(Problem) -> MethodName {
    guard let method = MethodName(name) else {
      throw Problem(.notExposed, "\"\(name)\" is no name of a method that can be called.")
    }
    try check(method)
    return method
  }

  /// Whether GET may call the method as well.
  func isSafe(_ method: MethodName) -> Bool { Self.any(of: safe, matches: method.text.utf8.span) }

  /// Whether the method is told who calls it.
  func takesContext(_ method: MethodName) -> Bool {
    !context.isEmpty && Self.any(of: context, matches: method.text.utf8.span)
  }

  private static func any(of globs: [Glob], matches name: Span<UInt8>) -> Bool {
    for glob in globs where glob.matches(name) { return true }
    return false
  }
}

extension UInt8 {
  /// Whether a URL may hold this byte as it is in any part (RFC 3986, unreserved).
  var isUnreserved: Bool { isNameByte || self == UInt8(ascii: "~") }

  /// Whether names of services and methods may hold this byte: `[A-Za-z0-9_.-]`.
  var isNameByte: Bool {
    switch self {
    case 0x61...0x7A, 0x41...0x5A, 0x30...0x39, 0x5F, 0x2E, 0x2D: true
    default: false
    }
  }
}
