import MessagePack

/// The arguments of a call that have names.
struct Keywords {
  /// In the order in which they travel. No name occurs twice.
  let pairs: [(name: String, value: (any ValueEncodable)?)]

  static var none: Keywords { Keywords([:]) }

  /// In the order of their names, so that equal calls are equal bytes.
  init(_ arguments: [String: (any ValueEncodable)?]) {
    pairs = arguments.isEmpty ? [] : arguments.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  /// Those of a call that is written out, in its order. Of a name that occurs twice the last counts, as it does for who reads a map.
  init(of arguments: KeyValuePairs<String, (any ValueEncodable)?>) {
    pairs = arguments.enumerated().filter { index, argument in
      !argument.key.isEmpty && !arguments[(index + 1)...].contains { $0.key == argument.key }
    }.map { ($1.key, $1.value) }
  }
}
