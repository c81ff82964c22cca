/// A request target, taken apart: what the path asks for, and where the query is.
///
/// Takes the target as it came, undecoded. A path without escapes costs two strings at most, and none that is longer
/// than the 15 bytes a `String` holds in itself.
struct Target: Hashable, Sendable {
  /// What the path asks for.
  let route: Route
  /// Where the query stands in the target, without its `?`; empty when there is none.
  let query: Range<Int>

  /// Takes a target apart; `prefix` is what every path starts with, such as `/api`.
  init(_ target: Span<UInt8>, prefix: String = "") throws(Refusal) {
    var end = target.count
    for index in target.indices {
      let byte = target[index]
      if byte == UInt8(ascii: "?"), end == target.count { end = index }
      guard 0x21...0x7E ~= byte, byte != UInt8(ascii: "#") else {
        throw Refusal(.badTarget, "Byte \(index) of the request target must be percent-encoded.")
      }
    }
    query = min(end + 1, target.count)..<target.count
    guard end > 0, target[0] == UInt8(ascii: "/") else {
      throw Refusal(.badTarget, "A request target starts with \"/\".")
    }
    var path = Path(position: prefix.utf8.count, end: end)
    guard path.position < end, target[path.position] == UInt8(ascii: "/"), Self.starts(target, with: prefix) else {
      throw Path.unknown
    }
    route = try path.route(target)
  }

  private static func starts(_ target: Span<UInt8>, with prefix: String) -> Bool {
    var index = 0
    for byte in prefix.utf8 {
      if target[index] != byte { return false }
      index += 1
    }
    return true
  }
}

/// The segments of a path, one after the other.
private struct Path {
  /// The slash before the next segment, or the end.
  var position: Int
  let end: Int

  mutating func route(_ target: Span<UInt8>) throws(Refusal) -> Route {
    let route: Route
    switch try text(target, next(target)) {
    case "rpc": route = .rpc(service: try service(target), method: try method(target))
    case "push": route = .push(service: try service(target), method: try method(target))
    case "pub": route = .pub(service: try service(target), topic: try topic(target), method: try method(target))
    case "sub": route = .sub(service: try service(target))
    case "live": route = .live
    case "openapi.json": route = .openAPIJSON
    case "openapi.yaml": route = .openAPIYAML
    case "problems": route = .problem(code: try text(target, next(target)))
    default: throw Self.unknown
    }
    if position != end { throw Self.unknown }
    return route
  }

  private mutating func next(_ target: Span<UInt8>) throws(Refusal) -> Range<Int> {
    guard position < end else { throw Self.unknown }
    let start = position + 1
    position = start
    while position < end, target[position] != UInt8(ascii: "/") { position += 1 }
    return start..<position
  }

  private mutating func service(_ target: Span<UInt8>) throws(Refusal) -> String {
    let name = try text(target, next(target))
    guard NameRules.isService(name.utf8.span) else {
      throw Refusal(.noSuchService, "A service name is letters, digits, \"_\", \".\" and \"-\", at most 255 bytes.")
    }
    return name
  }

  private mutating func method(_ target: Span<UInt8>) throws(Refusal) -> String {
    let name = try text(target, next(target))
    guard NameRules.isMethod(name.utf8.span) else {
      throw Refusal(
        .notExposed,
        "A method name is letters, digits, \"_\", \".\" and \"-\", at most 255 bytes, and no part of it starts with \"_\"."
      )
    }
    return name
  }

  private mutating func topic(_ target: Span<UInt8>) throws(Refusal) -> [UInt8] {
    let segment = try next(target)
    if segment.isEmpty { throw Refusal(.badTarget, "A topic segment is not empty; \"-\" is the empty topic.") }
    if segment.count == 1, target[segment.lowerBound] == UInt8(ascii: "-") { return [] }
    if isDots(target.extracting(segment)) { throw Self.dots }
    guard let topic = PercentEncoding.decode(target, segment) else { throw Self.broken }
    if topic.count > NameRules.longestTopic {
      throw Refusal(.badTarget, "A topic has at most \(NameRules.longestTopic) bytes, not \(topic.count).")
    }
    return topic
  }

  /// A segment that is text: no escape may hide what would be refused in the open.
  private func text(_ target: Span<UInt8>, _ segment: Range<Int>) throws(Refusal) -> String {
    let raw = target.extracting(segment)
    var isEscaped = false
    for index in raw.indices where raw[index] == UInt8(ascii: "%") { isEscaped = true }
    guard isEscaped else {
      if isDots(raw) { throw Self.dots }
      return raw.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
    }
    guard let decoded = PercentEncoding.decode(target, segment) else { throw Self.broken }
    if isDots(decoded.span) { throw Self.dots }
    for byte in decoded where byte < 0x20 || byte == 0x7F || byte == UInt8(ascii: "/") {
      throw Refusal(.badTarget, "An escape in the path stands for a control byte or a slash.")
    }
    return String(decoding: decoded, as: UTF8.self)
  }

  private func isDots(_ segment: Span<UInt8>) -> Bool {
    guard 1...2 ~= segment.count else { return false }
    for index in segment.indices where segment[index] != UInt8(ascii: ".") { return false }
    return true
  }

  private static let dots = Refusal(.badTarget, "A path has no \".\" and \"..\" segments.")
  private static let broken = Refusal(
    .badTarget, "A percent sign in the path is not followed by two hexadecimal digits.")
  static let unknown = Refusal(
    .noSuchRoute, "Nothing is served at this path; calls go to /rpc/{service}/{method}.")
}
