/// A value of any kind, as YAML's core schema reads it.
package indirect enum YAMLValue: Sendable, Hashable {
  case null
  case bool(Bool)
  case integer(Int64)
  case float(Double)
  case text(String)
  case list([YAMLValue])
  /// In the order of the file.
  case mapping([Member])

  /// A key, which is a text, and its value.
  package struct Member: Sendable, Hashable {
    package let key: String
    package let value: YAMLValue
  }
}

extension Field {
  /// The value, whatever it is, with variables expanded in its texts; what is quoted is a text.
  package func anything() -> YAMLValue? {
    switch node {
    case .sequence:
      guard let elements = elements() else { return nil }
      let values = elements.map { $0.anything() }
      return values.contains(nil) ? nil : .list(values.compactMap(\.self))
    case .mapping:
      guard let section = section() else { return nil }
      var members: [YAMLValue.Member] = []
      for key in section.keys {
        guard let value = section.field(key)?.anything() else { return nil }
        members.append(.init(key: key, value: value))
      }
      return .mapping(members)
    case .scalar: return scalar()
    }
  }

  private func scalar() -> YAMLValue? {
    guard let value = node.scalar?.value else { return nil }
    // Variables stand in texts.
    if case .text = value { return text().map(YAMLValue.text) }
    return value
  }
}
