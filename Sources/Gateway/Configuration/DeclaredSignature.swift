import ConfigurationReader

/// What a method takes and gives, as the configuration declares it: `(id:int, verbose:bool?, *rest, **options:str) -> dict[str, float]`.
///
/// A parameter without a type takes anything, and one with `?` may be left out. Behind `*rest`, or a lone `*`, parameters are passed by
/// keyword only.
struct DeclaredSignature: Sendable, Hashable {
  /// In their order.
  let parameters: [ServiceDescription.Parameter]
  /// The type of the result, as Python writes it; empty for any.
  let result: String

  private static let example = "(id:int, verbose:bool?) -> dict"

  init(_ text: String) throws(InvalidText) {
    let text = text[...].trimmed
    guard text.first == "(", let end = text.firstIndex(of: ")") else {
      throw InvalidText("expected a signature such as \(Self.example), not \"\(text)\"")
    }
    parameters = try Self.parameters(text[text.index(after: text.startIndex)..<end].trimmed)
    let rest = text[text.index(after: end)...].trimmed
    guard rest.isEmpty || rest.hasPrefix("->") else {
      throw InvalidText("behind the parameters stands nothing, or the type of the result: \(Self.example)")
    }
    result = try Self.typeName(rest.dropFirst(2))
  }

  private static func parameters(_ text: Substring) throws(InvalidText) -> [ServiceDescription.Parameter] {
    guard !text.isEmpty else { return [] }
    var parameters: [ServiceDescription.Parameter] = []
    var isByKeyword = false
    for part in text.split(at: ",") {
      let part = part.trimmed
      if parameters.last?.kind == .keywords { throw InvalidText("behind ** stands no parameter") }
      if part == "*" {
        if isByKeyword { throw InvalidText("* stands twice") }
        isByKeyword = true
        continue
      }
      let parameter = try parameter(part, isByKeyword: isByKeyword)
      if parameter.kind == .rest {
        if isByKeyword { throw InvalidText("* stands twice") }
        isByKeyword = true
      }
      if parameters.contains(where: { $0.name == parameter.name }) {
        throw InvalidText("the parameter \"\(parameter.name)\" stands twice")
      }
      if parameter.isRequired, parameter.kind == .positional, parameters.contains(where: { !$0.isRequired }) {
        throw InvalidText("\"\(parameter.name)\" has to be given, and stands behind one that may be left out")
      }
      parameters.append(parameter)
    }
    guard parameters.count <= ServiceDescription.mostParameters else {
      throw InvalidText("a method has at most \(ServiceDescription.mostParameters) parameters")
    }
    return parameters
  }

  private static func parameter(
    _ text: Substring, isByKeyword: Bool
  ) throws(InvalidText) -> ServiceDescription.Parameter {
    let kind: ServiceDescription.Kind =
      text.hasPrefix("**") ? .keywords : text.hasPrefix("*") ? .rest : isByKeyword ? .keyword : .positional
    let isOptional = text.last == "?"
    let parts = text.drop { $0 == "*" }.dropLast(isOptional ? 1 : 0).split(
      separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let name = parts.first?.trimmed ?? ""
    guard let first = name.utf8.first, name.utf8.allSatisfy({ $0.isNameByte && $0 != 0x2D && $0 != 0x2E }),
      !(0x30...0x39 ~= first)
    else { throw InvalidText("\"\(name)\" is no name of a parameter: letters, digits and \"_\", and no digit first") }
    if name == CallerContext.keyword {
      throw InvalidText(
        "\"\(name)\" is what the gateway adds to the calls of methods.context; leave it out, callers never send it")
    }
    if text.contains("=") {
      throw InvalidText(
        "\"\(text)\" has a default, which is the service's: write \"\(name)?\", or \"\(name):int?\" with a type")
    }
    let isFixed = kind == .positional || kind == .keyword
    if isOptional, !isFixed { throw InvalidText("\"\(text)\" needs no \"?\": it is empty when nothing is left for it") }
    return ServiceDescription.Parameter(
      name: String(name), kind: kind, type: try typeName(parts.count > 1 ? parts[1] : ""),
      isRequired: isFixed && !isOptional)
  }

  private static func typeName(_ text: Substring) throws(InvalidText) -> String {
    let text = String(text.trimmed)
    if let word = PythonType.unknownWord(in: text) {
      let nearest = word.nearest(among: PythonType.known).map { "; did you mean \"\($0)\"?" } ?? ""
      throw InvalidText(
        "\"\(word)\" is no type that is known here; use int, float, bool, str, bytes, list[...], dict[str, ...], these with | None, or any\(nearest)"
      )
    }
    guard PythonType.isWellFormed(text) else {
      throw InvalidText(
        "\"\(text)\" is no type: its brackets or what is between them do not fit; write list[int] or dict[str, int]")
    }
    return text
  }
}

extension DeclaredSignature {
  /// Throws what of a route to the method would always be refused: its arguments are passed by keyword.
  func check(_ route: Configuration.Route) throws(InvalidText) {
    let named = parameters.filter { $0.kind == .positional || $0.kind == .keyword }
    let others = parameters.first { $0.kind == .keywords }
    for own in route.parameters {
      guard let parameter = named.first(where: { $0.name == own.name }) ?? others else {
        let nearest = own.name.nearest(among: named.map(\.name)).map { "; did you mean \"\($0)\"?" } ?? ""
        throw InvalidText(
          "contradiction: \"\(own.name)\" is no argument of \"\(route.method)\" as methods.declare has it\(nearest)")
      }
      guard PythonType(parameter.type).mayTake(own.kind) else {
        throw InvalidText(
          "contradiction: \"\(own.name)\" is of type \(own.kind.rawValue) here, and of type \(parameter.type) in methods.declare"
        )
      }
    }
    for parameter in named where parameter.isRequired {
      guard let own = route.parameters.first(where: { $0.name == parameter.name }), !own.isOptional else {
        throw InvalidText(
          "contradiction: methods.declare says that \"\(route.method)\" needs \"\(parameter.name)\"; pass it, and not as one that may be left out"
        )
      }
    }
  }
}
