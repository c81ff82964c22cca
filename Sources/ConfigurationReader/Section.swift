/// A mapping under reading: remembers which keys were asked for, so that the rest are unknown.
package final class Section {
  /// The keys in the order of the file.
  package let keys: [String]
  /// The keys that lead here, joined by dots.
  private let path: String
  /// Where the key stands that names this section.
  private let place: Place
  private let diagnostics: Diagnostics
  private let members: [String: (place: Place, value: YAMLNode)]
  private var known: Set<String> = []

  /// Keys that are no strings are reported and left out.
  init(_ mapping: [YAMLNode.Pair], path: String, place: Place, _ diagnostics: Diagnostics) {
    self.path = path
    self.place = place
    self.diagnostics = diagnostics
    var keys: [String] = []
    var members: [String: (place: Place, value: YAMLNode)] = [:]
    for pair in mapping {
      let (key, value) = (pair.key, pair.value)
      guard let name = key.scalar?.string else {
        diagnostics.report(key.place, path, "a key must be a string")
        continue
      }
      // Equal scalars of different tags, such as 1 and "1", are two keys to YAML.
      if members.updateValue((key.place, value), forKey: name) == nil {
        keys.append(name)
      } else {
        diagnostics.report(key.place, path.isEmpty ? name : "\(path).\(name)", "duplicate key")
      }
    }
    self.keys = keys
    self.members = members
  }

  /// Whether the key is written.
  package func has(_ key: String) -> Bool { members[key] != nil }

  /// Whether the value of a key is a mapping with that key. Neither is known by that.
  package func has(_ key: String, with inner: String) -> Bool {
    members[key]?.value.mapping?.contains { $0.key.scalar?.string == inner } == true
  }

  /// The value of a key, which is known from now on; `nil` when it is not written.
  package func field(_ key: String) -> Field? {
    known.insert(key)
    diagnostics.ask(inner(key))
    return members[key].map { Field(node: $0.value, path: inner(key), key: $0.place, diagnostics: diagnostics) }
  }

  /// Takes a key's value if it is there and `parse` finds nothing wrong with it.
  package func read<Value>(_ key: String, into value: inout Value, _ parse: (Field) -> Value?) {
    if let field = field(key), let parsed = parse(field) { value = parsed }
  }

  /// The mapping under a key, which is known from now on; `nil` when it is not written or is no mapping.
  package func section(_ key: String) -> Section? { field(key)?.section() }

  /// Declares keys that are understood but may not stand here, each for the same reason.
  package func refuse(_ keys: String..., because reason: String) {
    for key in keys {
      known.insert(key)
      if has(key) { report(reason, at: key) }
    }
  }

  /// Declares keys that a later version will take.
  package func unavailable(_ keys: String...) {
    for key in keys { refuse(key, because: "not available in this version") }
  }

  /// Declares keys that are left unread because something else about the section is wrong.
  package func ignore(_ keys: [String]) { known.formUnion(keys) }

  /// Declares the keys that begin with `x-`. They hold what has an anchor, for use elsewhere in the file, and say nothing by themselves.
  package func ignoreExtensions() { ignore(keys.filter(Self.isExtension)) }

  private static func isExtension(_ key: String) -> Bool { key.hasPrefix("x-") }

  /// Reports what is wrong with the section, or with one of its keys.
  package func report(_ message: String, at key: String? = nil) {
    diagnostics.report(key.flatMap { members[$0]?.place } ?? place, key.map(inner) ?? path, message)
  }

  /// Reports the keys that were not asked for. Comes after all reading. `hints` say what to write for keys that people expect here; of
  /// several for one key the first counts.
  package func finish(hints: [(keys: [String], words: String)] = []) {
    for key in keys where !known.contains(key) {
      let hint =
        Self.isExtension(key)
        ? "keys with x- stand at the top of the file" : hints.first { $0.keys.contains(key) }?.words
      diagnostics.report(
        members[key]?.place ?? place, inner(key), hint.map { "unknown key; \($0)" } ?? "unknown key",
        suggestion: hint == nil ? key.nearest(among: known) : nil)
    }
  }

  private func inner(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }
}
