/// The name of a method that can be called. `NameRules` were checked when it was made, and need not be checked again.
struct MethodName: Hashable, Sendable {
  let text: String

  /// `nil` for a name that no method can be called by.
  init?(_ text: String) {
    guard NameRules.isMethod(text.utf8.span) else { return nil }
    self.text = text
  }
}
