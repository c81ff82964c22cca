import CYAML

/// Reads a text with libyaml, event by event, and builds its nodes. An alias is the node that its anchor names, which is shared.
final class YAMLParser {
  private enum Event {
    case scalar(YAMLNode.Scalar, anchor: String?)
    case sequence(Place, anchor: String?)
    case mapping(Place, anchor: String?)
    case alias(String, Place)
    /// The end of a sequence or a mapping.
    case end
    case document(Place)
    case streamEnd
    /// What says nothing of the nodes.
    case other
  }

  /// How deep containers may be nested: each level is a call.
  private static let deepest = 100

  private let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
  private let text: String
  private var anchors: [String: YAMLNode] = [:]

  /// Reads the bytes of the text, which outlive the parser.
  init(_ bytes: UnsafeBufferPointer<UInt8>, _ text: String) throws(YAMLFault) {
    self.text = text
    parser.initialize(to: yaml_parser_t())
    guard yaml_parser_initialize(parser) == 1 else {
      throw YAMLFault("there is no memory to read it", at: Place(line: 1, column: 1))
    }
    yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
    yaml_parser_set_input_string(parser, bytes.baseAddress, bytes.count)
  }

  deinit {
    yaml_parser_delete(parser)
    parser.deallocate()
  }

  /// The one document; nil when there is none.
  func root() throws(YAMLFault) -> YAMLNode? {
    while true {
      switch try next() {
      case .streamEnd: return nil
      case .document:
        let node = try node(try next(), depth: 0)
        while true {
          switch try next() {
          case .streamEnd: return node
          case .document(let place):
            throw YAMLFault(
              "but found another document (expected a single document in the stream on line 1)", at: place)
          default: continue
          }
        }
      default: continue
      }
    }
  }

  private func node(_ event: Event, depth: Int) throws(YAMLFault) -> YAMLNode {
    switch event {
    case .sequence(let place, _) where depth == Self.deepest, .mapping(let place, _) where depth == Self.deepest:
      throw YAMLFault("this is nested more than \(Self.deepest) deep", at: place)
    case .scalar(let scalar, let anchor): return named(anchor, .scalar(scalar))
    case .alias(let anchor, let place):
      guard let node = anchors[anchor] else { throw YAMLFault("*\(anchor) has no &\(anchor) before it", at: place) }
      return node
    case .sequence(let place, let anchor):
      var nodes: [YAMLNode] = []
      while let event = try member() { nodes.append(try node(event, depth: depth + 1)) }
      return named(anchor, .sequence(nodes, place))
    case .mapping(let place, let anchor):
      var pairs: [YAMLNode.Pair] = []
      while let event = try member() {
        let key = try node(event, depth: depth + 1)
        pairs.append(.init(key: key, value: try node(try next(), depth: depth + 1)))
      }
      try Self.checkDuplicates(pairs)
      return named(anchor, .mapping(try YAMLMerge.resolve(pairs), place))
    case .end, .document, .streamEnd, .other:
      // libyaml's grammar has none of them here.
      throw YAMLFault("a value is missing", at: Place(line: 1, column: 1))
    }
  }

  /// The event with which the next member of a container begins; nil at its end.
  private func member() throws(YAMLFault) -> Event? {
    let event = try next()
    if case .end = event { return nil }
    return event
  }

  private func named(_ anchor: String?, _ node: YAMLNode) -> YAMLNode {
    if let anchor { anchors[anchor] = node }
    return node
  }

  /// Equal scalars of different kinds, such as 1 and "1", are two keys.
  private static func checkDuplicates(_ pairs: [YAMLNode.Pair]) throws(YAMLFault) {
    guard pairs.count > 1 else { return }
    var seen: [String: [YAMLNode.Scalar]] = [:]
    var first: (key: String, place: Place)?
    for case .scalar(let key) in pairs.lazy.map(\.key) {
      if let earlier = seen[key.string]?.first(where: { $0.value == key.value })?.place {
        if first.map({ earlier.isBefore($0.place) }) ?? true { first = (key.string, earlier) }
      } else {
        seen[key.string, default: []].append(key)
      }
    }
    if let first { throw YAMLFault(duplicate: first.key, at: first.place) }
  }

  private func next() throws(YAMLFault) -> Event {
    var event = yaml_event_t()
    guard yaml_parser_parse(parser, &event) == 1 else { throw fault() }
    defer { yaml_event_delete(&event) }
    let place = Place(event.start_mark)
    switch event.type {
    case YAML_SCALAR_EVENT:
      let scalar = event.data.scalar
      let bytes = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
      return .scalar(
        .init(
          string: String(decoding: bytes, as: UTF8.self), isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE,
          tag: Self.string(scalar.tag), place: place), anchor: Self.string(scalar.anchor))
    case YAML_SEQUENCE_START_EVENT: return .sequence(place, anchor: Self.string(event.data.sequence_start.anchor))
    case YAML_MAPPING_START_EVENT: return .mapping(place, anchor: Self.string(event.data.mapping_start.anchor))
    case YAML_ALIAS_EVENT: return .alias(Self.string(event.data.alias.anchor) ?? "", place)
    case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT: return .end
    case YAML_DOCUMENT_START_EVENT: return .document(place)
    case YAML_STREAM_END_EVENT: return .streamEnd
    default: return .other
    }
  }

  private static func string(_ bytes: UnsafeMutablePointer<UInt8>?) -> String? { bytes.map { String(cString: $0) } }

  /// What libyaml says of the text.
  private func fault() -> YAMLFault {
    let parser = parser.pointee
    let problem = parser.problem.map { String(cString: $0) } ?? "it cannot be read"
    if parser.error == YAML_READER_ERROR {
      // Told in bytes.
      let before = String(decoding: text.utf8.prefix(parser.problem_offset), as: UTF8.self)
      let line = before.count(where: \.isNewline) + 1
      let column = before.lastIndex(where: \.isNewline).map { before[$0...].count } ?? before.count + 1
      return YAMLFault(problem, at: Place(line: line, column: column))
    }
    let context = parser.context.map { " (\(String(cString: $0)) on line \(parser.context_mark.line + 1))" } ?? ""
    return YAMLFault(problem + context, at: Place(parser.problem_mark))
  }
}

extension Place {
  fileprivate init(_ mark: yaml_mark_t) { self.init(line: Int(mark.line) + 1, column: Int(mark.column) + 1) }

  fileprivate func isBefore(_ other: Place) -> Bool { (line, column) < (other.line, other.column) }
}
