/// The document at `/problems/{code}`: what a code means and what to do about it, in Markdown.
enum ProblemPage {
  /// The media type of `text`.
  static let contentType: StaticString = "text/markdown; charset=utf-8"

  /// The page of a listed code; `nil` for any other.
  static func text(_ code: String) -> String? {
    guard let known = ProblemCode.all.first(where: { $0.rawValue == code }), let advice = advice[known] else {
      return nil
    }
    return """
      # \(known.rawValue)

      \(known.title). Status \(status(known)).

      \(advice.meaning)

      **What to do.** \(advice.remedy)

      **Did it run?** \(didRun(known))

      """
  }

  private static func status(_ code: ProblemCode) -> String {
    code == .remoteException ? "400 to 599, by the class of the exception; 500 for classes not known" : "\(code.status)"
  }

  private static func didRun(_ code: ProblemCode) -> String {
    switch code {
    case .timeout, .backendLost:
      "Perhaps: the call was sent, and nothing tells how far it came. Send it again only if running it twice is safe."
    case .badReply, .replyTooLarge, .replyNotRepresentable:
      "Yes: the method ended and answered. Sending the call again runs it again."
    case .remoteException, .nestedCall: "Yes, until it raised the exception."
    case .internal: "Perhaps: `sent` in the problem document tells whether the call left the gateway."
    case .noSuchMethod: "No: the backend has no such method. `sent` is true all the same."
    case .invalidArgument: "No: the arguments were refused before the method began, by the backend if `sent` is true."
    default: "No: the call never left the gateway."
    }
  }
}
