import MessagePack

/// What the service that decides has answered: `True`, `False`, or `{"allow": True, "ttl": 5}`.
struct DecisionAnswer: Hashable {
  let isAllowed: Bool
  /// For how long it holds; nil when it does not say.
  let time: Duration?

  /// Nil for whatever is no such answer. Members of other names are read over.
  init?(_ body: UnsafeRawBufferPointer) {
    var cursor = Cursor(body)
    guard let answer = try? Self.read(&cursor), cursor.offset == body.count else { return nil }
    self = answer
  }

  private init(isAllowed: Bool, time: Duration? = nil) { (self.isAllowed, self.time) = (isAllowed, time) }

  private static func read(_ cursor: inout Cursor) throws(TranscodingError) -> DecisionAnswer? {
    let count: Int
    switch try cursor.next() {
    case .bool(let isAllowed): return DecisionAnswer(isAllowed: isAllowed)
    case .map(let pairs): count = pairs
    default: return nil
    }
    var (isAllowed, time): (Bool?, Duration?) = (nil, nil)
    var names: Set<String> = []
    for _ in 0..<count {
      guard case .string(let bytes) = try cursor.next() else { return nil }
      let name = String(decoding: bytes, as: UTF8.self)
      guard names.insert(name).inserted else { return nil }
      switch name {
      case "allow":
        guard case .bool(let value) = try cursor.next() else { return nil }
        isAllowed = value
      case "ttl":
        switch try cursor.next() {
        case .nil: break
        case .int(let seconds) where seconds >= 0: time = .seconds(min(seconds, longest))
        case .uint: time = .seconds(longest)
        case .double(let seconds) where seconds >= 0: time = .seconds(min(seconds, Double(longest)))
        default: return nil
        }
      default: try cursor.skipValue()
      }
    }
    return isAllowed.map { DecisionAnswer(isAllowed: $0, time: time) }
  }

  /// Seconds; an answer that asks for more holds as long.
  private static let longest: Int64 = 3_600
}
