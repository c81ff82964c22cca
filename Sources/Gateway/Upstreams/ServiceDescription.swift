import MessagePack

/// What a service says that it can be called with, when it is asked `rpc.describe`.
struct ServiceDescription: Sendable, Hashable {
  /// A method, as the service tells of it.
  struct Method: Sendable, Hashable {
    let name: MethodName
    /// In their order.
    let parameters: [Parameter]
    /// The type of its result, as Python writes it.
    let result: String
    /// What it does; nil when the service does not say.
    let text: String?

    /// The first line of the text; nil when there is none, or it is longer than a line of a list.
    var title: String? {
      guard let line = text?.split(whereSeparator: \.isNewline).first, line.count <= 120 else { return nil }
      return String(line)
    }
  }

  /// A parameter of a method.
  struct Parameter: Sendable, Hashable {
    let name: String
    let kind: Kind
    /// As Python writes it, such as `int | None`.
    let type: String
    let isRequired: Bool
    /// What it is when it is left out, in JSON: null, a truth value, a number or a short text; nil when that is unknown, or anything else.
    var fallback: Fallback?
  }

  /// A plain value, and which type of JSON it has.
  struct Fallback: Sendable, Hashable {
    let type: String
    let json: String
  }

  /// How arguments reach a parameter, as Python's `inspect` names it.
  enum Kind: String, Sendable {
    case positionalOnly = "POSITIONAL_ONLY"
    case positional = "POSITIONAL_OR_KEYWORD"
    case keyword = "KEYWORD_ONLY"
    case rest = "VAR_POSITIONAL"
    case keywords = "VAR_KEYWORD"
  }

  /// The methods that can be called, in the order of the answer, no name twice.
  let methods: [Method]

  /// What is read of one answer: of it a document is made, while callers wait.
  static let mostMethods = 1_000
  static let mostParameters = 64
  fileprivate static let longestName = 255
  fileprivate static let longestText = 4_096

  /// Reads the answer; nil when it has no list of methods. Entries that name no method that can be called are left out.
  init?(_ answer: Value) {
    guard let entries = answer["methods"]?.arrayValue else { return nil }
    var names: Set<MethodName> = []
    methods = entries.prefix(Self.mostMethods).compactMap(Method.init).filter { names.insert($0.name).inserted }
  }
}

extension ServiceDescription.Method {
  fileprivate init?(_ entry: Value) {
    guard let name = entry["name"]?.stringValue.flatMap(MethodName.init),
      let entries = entry["parameters"]?.arrayValue
    else { return nil }
    guard entries.count <= ServiceDescription.mostParameters else { return nil }
    let parameters = entries.compactMap(ServiceDescription.Parameter.init)
    guard parameters.count == entries.count, Set(parameters.map(\.name)).count == entries.count else { return nil }
    self.name = name
    self.parameters = parameters
    result = entry["result"]?.stringValue?.typeName ?? ""
    text = entry["text"]?.stringValue?.printable(atMost: ServiceDescription.longestText)
  }
}

extension ServiceDescription.Parameter {
  fileprivate init?(_ entry: Value) {
    guard let name = entry["name"]?.stringValue, !name.isEmpty,
      name == name.printable(atMost: ServiceDescription.longestName),
      let kind = entry["kind"]?.stringValue.flatMap(ServiceDescription.Kind.init)
    else { return nil }
    self.name = name
    self.kind = kind
    type = entry["type"]?.stringValue?.typeName ?? ""
    isRequired = entry["required"]?.boolValue ?? false
    fallback = isRequired ? nil : entry["default"].flatMap(ServiceDescription.Fallback.init)
  }
}

extension ServiceDescription.Fallback {
  fileprivate init?(_ value: Value) {
    switch value {
    case .nil: self.init(type: "null", json: "null")
    case .bool(let isTrue): self.init(type: "boolean", json: "\(isTrue)")
    case .int(let number): self.init(type: "integer", json: "\(number)")
    case .double(let number) where number.isFinite: self.init(type: "number", json: "\(number)")
    case .string(let text) where text == text.printable(atMost: ServiceDescription.longestName):
      var json = JSONWriter()
      json.string(text)
      self.init(type: "string", json: String(decoding: json.bytes, as: UTF8.self))
    default: return nil
    }
  }
}

extension String {
  /// A type; one that is longer than a name is as if it were not known.
  fileprivate var typeName: String {
    utf8.count <= ServiceDescription.longestName ? printable(atMost: ServiceDescription.longestName) : ""
  }

  /// Without what YAML has no place for, for the document is written in that too; its beginning, when it has more bytes than that.
  fileprivate func printable(atMost limit: Int) -> String {
    var text = ""
    for scalar in unicodeScalars {
      guard text.utf8.count + UTF8.width(scalar) <= limit else { break }
      switch scalar.properties.generalCategory {
      case .control where scalar != "\n" && scalar != "\t", .unassigned, .privateUse, .surrogate: break
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text
  }
}
