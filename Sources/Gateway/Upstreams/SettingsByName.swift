/// The settings of methods by name and glob, the most specific first: exact names, then globs, the longest of them first.
struct SettingsByName: Sendable {
  private struct Entry {
    let glob: Glob
    let settings: Configuration.MethodSettings
    let errors: ErrorMap
  }

  private let entries: [Entry]

  init(_ settings: [String: Configuration.MethodSettings]) {
    func order(_ name: String) -> (Int, Int, String) { (Glob.isGlob(name) ? 1 : 0, -name.utf8.count, name) }
    entries = settings.sorted { order($0.key) < order($1.key) }.map {
      Entry(glob: Glob($0.key), settings: $0.value, errors: ErrorMap($0.value.errors.map))
    }
  }

  /// Those of a service in that configuration, which says how much of an exception `auto` shows.
  init(_ settings: [String: Configuration.MethodSettings], in configuration: Configuration) {
    self.init(
      settings.mapValues { settings in
        var settings = settings
        if settings.errors.expose != nil { settings.errors.expose = configuration.exposure(settings.errors) }
        return settings
      })
  }

  /// What the most specific of those decides that match the name and set it.
  func first<Value>(for name: String, _ value: (Configuration.MethodSettings) -> Value?) -> Value? {
    for entry in entries where entry.glob.matches(name.utf8.span) {
      if let value = value(entry.settings) { return value }
    }
    return nil
  }

  /// The map of errors with those before it that match the name.
  func errors(for name: String, before map: ErrorMap) -> ErrorMap {
    var merged = map
    for entry in entries.reversed() where entry.glob.matches(name.utf8.span) { merged = entry.errors.before(merged) }
    return merged
  }
}
