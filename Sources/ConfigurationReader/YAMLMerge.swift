/// The key `<<`, as in `<<: *defaults`: what stands in other mappings counts as written in this one, unless it writes that key itself. YAML 1.2
/// does not have it any more, but files of many other programs do, and those who write them expect it here.
enum YAMLMerge {
  /// The pairs of a mapping with those in the place of its `<<`. Of several mappings in a list the first that has a key decides.
  static func resolve(_ pairs: [YAMLNode.Pair]) throws(YAMLFault) -> [YAMLNode.Pair] {
    guard let index = pairs.firstIndex(where: { $0.key.isMerge }) else { return pairs }
    var merged = pairs
    let value = merged.remove(at: index).value
    var written = Set(merged.compactMap { $0.key.scalar?.string })
    for node in value.sequence ?? [value] {
      guard let mapping = node.mapping else {
        throw YAMLFault("\"<<\" takes a mapping, as in <<: *defaults, or a list of them", at: node.place)
      }
      for pair in mapping {
        if let key = pair.key.scalar?.string, !written.insert(key).inserted { continue }
        merged.append(pair)
      }
    }
    return merged
  }
}

extension YAMLNode {
  fileprivate var isMerge: Bool { scalar.map { $0.isPlain && $0.string == "<<" } ?? false }
}
