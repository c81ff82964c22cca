import MessagePack

/// The methods whose signatures the configuration declares: calls with other arguments are refused before anything is sent.
struct DeclaredMethods: Sendable {
  private struct Parameter: Sendable {
    let name: String
    let kind: ServiceDescription.Kind
    /// As it was written; empty for any.
    let typeName: String
    let type: PythonType
    let isRequired: Bool

    var isByPosition: Bool { kind == .positional || kind == .positionalOnly }
  }

  private let parameters: [MethodName: [Parameter]]
  /// Which of them are told who calls, by a keyword that no caller sends.
  private let policy: MethodPolicy
  private let limits: TranscodingLimits

  /// Nil when nothing is declared. The limits are those within which arguments were read.
  init?(_ declared: [String: DeclaredSignature], _ policy: MethodPolicy, limits: TranscodingLimits) {
    if declared.isEmpty { return nil }
    self.policy = policy
    self.limits = limits
    var parameters: [MethodName: [Parameter]] = [:]
    for (name, signature) in declared {
      guard let name = MethodName(name) else { continue }
      parameters[name] = signature.parameters.map {
        Parameter(
          name: $0.name, kind: $0.kind, typeName: $0.type, type: PythonType($0.type), isRequired: $0.isRequired)
      }
    }
    self.parameters = parameters
  }

  /// Throws what is wrong with the arguments of a call, which lie in the buffer, if the method is declared.
  func check(_ method: MethodName, _ frames: CallFrames, in buffer: borrowing ByteBuffer) throws(Problem) {
    guard let parameters = parameters[method] else { return }
    let fault: String?
    do throws(TranscodingError) {
      fault = try frames.withFrames(in: buffer) { arguments, keywords throws(TranscodingError) in
        var check = ArgumentCheck(method, parameters, isToldCaller: policy.takesContext(method))
        if let fault = try check.fault(byPosition: Cursor(arguments, limits: limits)) { return fault }
        if let fault = try check.fault(byKeyword: Cursor(keywords, limits: limits)) { return fault }
        return check.missing
      }
    } catch {
      throw Problem(arguments: error)
    }
    if let fault { throw Problem(.invalidArgument, fault) }
  }

  /// The arguments of one call, and the parameters that they are for.
  private struct ArgumentCheck {
    private let method: MethodName
    private let parameters: [Parameter]
    private let isToldCaller: Bool
    /// Which of them have a value.
    private var isGiven: [Bool]

    init(_ method: MethodName, _ parameters: [Parameter], isToldCaller: Bool) {
      self.method = method
      self.isToldCaller = isToldCaller
      self.parameters = parameters
      isGiven = [Bool](repeating: false, count: parameters.count)
    }

    mutating func fault(byPosition cursor: consuming Cursor) throws(TranscodingError) -> String? {
      guard case .array(let count) = try cursor.next() else { return nil }
      let places = parameters.indices.filter { parameters[$0].isByPosition }
      let rest = parameters.firstIndex { $0.kind == .rest }
      for number in 0..<count {
        guard let place = number < places.count ? places[number] : rest else {
          return "\"\(method.text)\" takes at most \(places.count) by position, and was given \(count)."
        }
        isGiven[place] = true
        guard try parameters[place].type.takes(&cursor) else { return misfit(parameters[place]) }
      }
      return nil
    }

    mutating func fault(byKeyword cursor: consuming Cursor) throws(TranscodingError) -> String? {
      guard case .map(let count) = try cursor.next() else { return nil }
      let others = parameters.firstIndex { $0.kind == .keywords }
      for _ in 0..<count {
        guard case .string(let bytes) = try cursor.next() else { return "Names of arguments are texts." }
        let name = String(decoding: bytes, as: UTF8.self)
        let named = parameters.firstIndex { $0.name == name && ($0.kind == .positional || $0.kind == .keyword) }
        if named == nil, isToldCaller, name == CallerContext.keyword {
          try cursor.skipValue()
          continue
        }
        guard let place = named ?? others else { return stranger(name) }
        if named != nil, isGiven[place] { return "\"\(name)\" is given twice." }
        isGiven[place] = true
        guard try parameters[place].type.takes(&cursor) else { return misfit(parameters[place], called: name) }
      }
      return nil
    }

    var missing: String? {
      let missing = parameters.indices.filter { parameters[$0].isRequired && !isGiven[$0] }.map { parameters[$0] }
      guard !missing.isEmpty else { return nil }
      let names = missing.map { "\"\($0.name)\"" }.joined(separator: ", ")
      return
        "\(names) \(missing.count == 1 ? "is" : "are") missing; \"\(method.text)\" needs \(missing.count == 1 ? "it" : "them")."
    }

    private func misfit(_ parameter: Parameter, called name: String? = nil) -> String {
      "\"\(name ?? parameter.name)\" is of type \(parameter.typeName)."
    }

    private func stranger(_ name: String) -> String {
      let known = parameters.filter { $0.kind == .positional || $0.kind == .keyword }.map(\.name)
      let nearest = name.nearestName(among: known).map { "; did you mean \"\($0)\"?" } ?? "."
      return "\"\(name)\" is no argument of \"\(method.text)\"\(nearest)"
    }
  }
}
