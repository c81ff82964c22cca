/// The header lines that every answer to a request has, whoever makes it and whatever it says.
///
/// A browser takes the body for nothing but what its type says. It hands it to no page of another origin, not even as a script or an
/// image, unless that is said here (Fetch, "nosniff" and "Cross-Origin-Resource-Policy").
public struct StandingHeaders: Hashable, Sendable {
  /// What is usual: `isShared` false, and no more lines.
  static let usual: StaticString =
    "X-Content-Type-Options: nosniff\r\nCross-Origin-Resource-Policy: same-origin\r\n"

  /// Each ended by CR LF.
  let lines: String

  /// `isShared` says whether pages of other origins may have the answer; `more` are further headers, whose values hold no control
  /// characters.
  public init(isShared: Bool, _ more: [(name: StaticString, value: String)]) {
    let policy = isShared ? "cross-origin" : "same-origin"
    lines = more.reduce("X-Content-Type-Options: nosniff\r\nCross-Origin-Resource-Policy: \(policy)\r\n") {
      $0 + "\($1.name): \($1.value)\r\n"
    }
  }
}
