/// The document at `/problems/{code}`: what a code means and what to do about it, in Markdown.
enum ProblemPage {
  /// The media type of `text`.
  static let contentType: StaticString = "text/markdown; charset=utf-8"

  /// The page of a code; `nil` for a word that is none.
  static func text(_ word: String) -> String? {
    guard let code = ProblemCode(rawValue: word) else { return nil }
    let row = code.row
    return """
      # \(word)

      \(row.title). Status \(status(code)).

      \(row.meaning)

      **What to do.** \(row.remedy)

      **Did it run?** \(row.ran.rawValue)

      """
  }

  private static func status(_ code: ProblemCode) -> String {
    code == .remoteException ? "400 to 599, by the class of the exception; 500 for classes not known" : "\(code.status)"
  }
}
