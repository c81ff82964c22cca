import Yams

extension Configuration {
  /// Reads and checks the text of a YAML file.
  ///
  /// Variables in `${NAME}` come from `environment`, and so do `ZMQ_GATEWAY_HTTP_LISTEN` and
  /// `ZMQ_GATEWAY_HTTP_THREADS`, which beat the file; `overrides`, the flags of a command, beat both. Throws everything
  /// that is wrong, each with its line in `file`.
  public static func load(
    yaml: String, file: String, environment: [String: String] = [:], overrides: Overrides = .init()
  ) throws(ConfigurationErrors) -> Configuration {
    let diagnostics = Diagnostics(file: file, environment: environment)
    let variables = Overrides(environment: environment, diagnostics)
    var configuration = Configuration()
    var places: [Place] = []
    let document = YAMLDocument(yaml, diagnostics)
    if let root = document.root {
      let field = Field(node: root, path: "", key: Place(line: 1, column: 1), diagnostics: diagnostics)
      if let section = field.section() { places = configuration.read(section) }
    }
    let isListenOverridden = variables.listen != nil || overrides.listen != nil
    let merged = configuration.merging(variables).merging(overrides)
    merged.check(listening: isListenOverridden ? [] : places, diagnostics)
    try diagnostics.finish()
    return merged
  }

  /// Takes each key of the file; returns where each address to listen on stands.
  private mutating func read(_ root: Section) -> [Place] {
    var places: [Place] = []
    if let section = root.section("http") { places = http.read(section) }
    root.read("grace", into: &grace) { $0.duration(in: .zero ... .hours(1)) }
    if let field = root.field("auth") { isOpenToAll = Self.isOpenToAll(field) }
    if let section = root.section("errors") { errors.read(section) }
    if let section = root.section("services") {
      services = section.keys.compactMap { key in Service(key, of: section) }
    }
    root.unavailable("limits")
    root.finish()
    return places
  }

  private static func isOpenToAll(_ field: Field) -> Bool {
    if case .mapping = field.node, let section = field.section() {
      section.unavailable("keys", "jwt")
      section.finish()
      return false
    }
    guard let text = field.text("none") else { return false }
    if text != "none" { field.report("\"\(text)\" is not available in this version; only \"none\" is") }
    return text == "none"
  }

  /// What no single key shows: an open door must be meant.
  func check(listening places: [Place], _ diagnostics: Diagnostics) {
    if !(0...256).contains(http.threads) {
      diagnostics.report(.outside, "http.threads", "must be between 0 and 256")
    }
    if http.listen.isEmpty { diagnostics.report(.outside, "http.listen", "needs at least one address") }
    for (index, address) in http.listen.enumerated() where !address.isLoopback && !isOpenToAll {
      diagnostics.report(
        places.indices.contains(index) ? places[index] : .outside, "http.listen",
        "\(address) is reachable from other machines; write \"auth: none\" to serve everyone who reaches it")
    }
  }
}

extension Configuration.Errors {
  mutating func read(_ section: Section) {
    section.read("expose", into: &expose) { $0.choice(Configuration.Exposure.self) }
    if let names = section.section("map") {
      for key in names.keys {
        guard let status = names.field(key.name)?.integer(in: 400...599) else { continue }
        map[key.name] = status
      }
    }
    section.finish()
  }
}

extension Duration {
  static func hours(_ count: Int) -> Duration { .seconds(3_600 * count) }
}
