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
    let fault: Fault?
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
    guard let fault else { return }
    var problem = Problem(.invalidArgument, fault.detail)
    problem.pointer =
      switch fault.argument {
      case .position(let number)?: frames.place.pointer(to: "\(number)", isKeyword: false)
      case .keyword(let name)?: frames.place.pointer(to: name.pointerToken, isKeyword: true)
      case nil: nil
      }
    throw problem
  }

  /// What is wrong with the arguments of a call.
  private struct Fault {
    enum Argument {
      case position(Int)
      case keyword(String)
    }

    let detail: String
    /// The one that is wrong; nil when it is none of those that were given.
    var argument: Argument?
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

    mutating func fault(byPosition cursor: consuming Cursor) throws(TranscodingError) -> Fault? {
      guard case .array(let count) = try cursor.next() else { return nil }
      let places = parameters.indices.filter { parameters[$0].isByPosition }
      let rest = parameters.firstIndex { $0.kind == .rest }
      for number in 0..<count {
        guard let place = number < places.count ? places[number] : rest else {
          return Fault(
            detail: "\"\(method.text)\" takes at most \(places.count) by position, and was given \(count).",
            argument: .position(number))
        }
        isGiven[place] = true
        let value = copy cursor
        guard try parameters[place].type.takes(&cursor) else {
          return misfit(parameters[place], value, at: .position(number))
        }
      }
      return nil
    }

    mutating func fault(byKeyword cursor: consuming Cursor) throws(TranscodingError) -> Fault? {
      guard case .map(let count) = try cursor.next() else { return nil }
      let others = parameters.firstIndex { $0.kind == .keywords }
      for _ in 0..<count {
        guard case .string(let bytes) = try cursor.next() else { return Fault(detail: "Names of arguments are texts.") }
        let name = String(decoding: bytes, as: UTF8.self)
        let named = parameters.firstIndex { $0.name == name && ($0.kind == .positional || $0.kind == .keyword) }
        if named == nil, isToldCaller, name == CallerContext.keyword {
          try cursor.skipValue()
          continue
        }
        guard let place = named ?? others else { return stranger(name) }
        if named != nil, isGiven[place] {
          return Fault(detail: "\"\(name)\" is given twice.", argument: .keyword(name))
        }
        isGiven[place] = true
        let value = copy cursor
        guard try parameters[place].type.takes(&cursor) else {
          return misfit(parameters[place], value, at: .keyword(name))
        }
      }
      return nil
    }

    var missing: Fault? {
      let missing = parameters.indices.filter { parameters[$0].isRequired && !isGiven[$0] }.map { parameters[$0] }
      guard !missing.isEmpty else { return nil }
      let names = missing.map { "\"\($0.name)\"" }.joined(separator: ", ")
      return Fault(
        detail:
          "\(names) \(missing.count == 1 ? "is" : "are") missing; \"\(method.text)\" needs \(missing.count == 1 ? "it" : "them")."
      )
    }

    /// A value of another type. Text that would fit without its quotes is the mistake of a query: there it is told what to write.
    private func misfit(_ parameter: Parameter, _ value: Cursor, at argument: Fault.Argument) -> Fault {
      var (name, query) = (parameter.name, "arg")
      if case .keyword(let keyword) = argument { (name, query) = (keyword, keyword) }
      var detail = "\"\(name)\" is of type \(parameter.typeName)"
      if let text = Self.text(value), parameter.type.takes(json: text) {
        detail += ", and \"\(text)\" is text: write \(text) without quotes, in a query \(query):=\(text)"
      }
      return Fault(detail: detail + ".", argument: argument)
    }

    /// The value, if it is a short text.
    private static func text(_ value: Cursor) -> String? {
      var value = value
      guard case .string(let bytes)? = try? value.next(), bytes.count <= 32 else { return nil }
      return String(validating: bytes, as: UTF8.self)
    }

    private func stranger(_ name: String) -> Fault {
      let known = parameters.filter { $0.kind == .positional || $0.kind == .keyword }.map(\.name)
      let nearest = name.nearestName(among: known).map { "; did you mean \"\($0)\"?" } ?? "."
      return Fault(
        detail: "\"\(name)\" is no argument of \"\(method.text)\"\(nearest)", argument: .keyword(name))
    }
  }
}

extension PythonType {
  /// Whether that text is JSON, and of this type.
  fileprivate func takes(json text: String) -> Bool {
    var buffer = ByteBuffer(capacity: 64)
    do throws(TranscodingError) {
      try text.utf8.span.withUnsafeBytes { bytes throws(TranscodingError) in
        try JSONToMessagePack().transcode(bytes, into: &buffer)
      }
      return try buffer.withUnsafeBytes { bytes throws(TranscodingError) in
        var cursor = Cursor(bytes)
        return try takes(&cursor)
      }
    } catch {
      return false
    }
  }
}
