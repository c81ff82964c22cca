import Yams

/// A mapping under reading: remembers which keys were asked for, so that the rest are unknown.
final class Section {
  /// The keys that lead here.
  let path: String
  /// Where the key stands that names this section.
  let place: Place
  let diagnostics: Diagnostics
  /// The keys in the order of the file.
  let keys: [(name: String, place: Place)]
  private var values: [String: Node] = [:]
  private var known: Set<String> = []

  /// Keys that are no strings are reported; the first of two equal keys was reported and is left out.
  init(_ mapping: Node.Mapping, path: String, place: Place, _ diagnostics: Diagnostics) {
    self.path = path
    self.place = place
    self.diagnostics = diagnostics
    var keys: [(name: String, place: Place)] = []
    for (key, value) in mapping {
      guard let name = key.scalar?.string else {
        diagnostics.report(Place(key.mark), path, "a key must be a string")
        continue
      }
      if YAMLDocument.isBlotted(name) { continue }
      keys.append((name, Place(key.mark)))
      values[name] = value
    }
    self.keys = keys
  }

  func has(_ key: String) -> Bool { values[key] != nil }

  /// The value of a key, which is known from now on.
  func field(_ key: String) -> Field? {
    known.insert(key)
    return values[key].map { Field(node: $0, path: inner(key), key: place(of: key), diagnostics: diagnostics) }
  }

  /// Takes a key's value if it is there and `parse` finds nothing wrong with it.
  func read<Value>(_ key: String, into value: inout Value, _ parse: (Field) -> Value?) {
    if let field = field(key), let parsed = parse(field) { value = parsed }
  }

  func section(_ key: String) -> Section? { field(key)?.section() }

  /// Declares keys that are understood but may not stand here, each for the same reason.
  func refuse(_ keys: String..., because reason: String) {
    for key in keys {
      known.insert(key)
      if has(key) { diagnostics.report(place(of: key), inner(key), reason) }
    }
  }

  /// Declares keys that a later version will take.
  func unavailable(_ keys: String...) {
    for key in keys { refuse(key, because: "not available in this version") }
  }

  /// Declares keys that are left unread because something else about the section is wrong.
  func ignore(_ keys: [String]) { known.formUnion(keys) }

  func report(_ message: String, at key: String? = nil) {
    diagnostics.report(key.map(place(of:)) ?? place, key.map(inner) ?? path, message)
  }

  /// Reports the keys nobody asked for.
  func finish() {
    for key in keys where !known.contains(key.name) {
      diagnostics.report(
        key.place, inner(key.name), "unknown key", suggestion: key.name.nearest(among: known))
    }
  }

  private func inner(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

  private func place(of key: String) -> Place { keys.first { $0.name == key }?.place ?? place }
}
