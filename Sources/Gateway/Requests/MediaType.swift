import HTTPServer
import MessagePack

/// What a header says of media types, compared without taking it apart into strings.
enum MediaType {
  /// What a request's body is.
  enum Body {
    case json, messagePack
    /// curl's default; JSON only under conditions.
    case form
    case other
  }

  /// Reads `Content-Type`, parameters aside (RFC 9110, 8.3).
  static func body(_ value: UnsafeRawBufferPointer) -> Body {
    let type = essence(value)
    if type.isCaseless("application/json") { return .json }
    if type.isCaseless("application/x-www-form-urlencoded") { return .form }
    if ResultFormat.packed.contains(where: { type.isCaseless($0.contentType) }) { return .messagePack }
    return type.hasCaselessSuffix("+json") ? .json : .other
  }

  /// Whether it is the type that clients of JSON-RPC over HTTP declare beside `application/json`, parameters aside.
  static func isJSONRPC(_ value: UnsafeRawBufferPointer) -> Bool { essence(value).isCaseless("application/json-rpc") }

  /// Whether the lines of `Accept`, which are one list, let the type be sent; an empty list lets everything (RFC 9110, 12.5.1).
  static func accepts(_ lines: [UnsafeRawBufferPointer], _ type: StaticString) -> Bool {
    lines.allSatisfy(\.isEmpty) || preference(lines, type).quality > 0
  }

  /// How much the lines of `Accept` want the type, from 0 to 1, and whether they name it itself.
  static func preference(_ lines: [UnsafeRawBufferPointer], _ type: StaticString) -> (quality: Double, isNamed: Bool) {
    var best: (specificity: Int, quality: Double) = (0, 0)
    for range in lines.lazy.flatMap({ $0.split(separator: UInt8(ascii: ",")) }) {
      let range = UnsafeRawBufferPointer(rebasing: range)
      let found = specificity(essence(range), of: type)
      // The most specific range decides, so that "*/*, text/event-stream;q=0" refuses a stream.
      if found > best.specificity { best = (found, quality(of: range)) }
    }
    return (best.quality, best.specificity == 3)
  }

  /// One JSON text on each line.
  static let lines: StaticString = "application/x-ndjson"

  /// Whether the lines of `Accept` name a type, and want the other one no more: a range that covers both does not ask for it.
  static func prefers(_ type: StaticString, over other: StaticString, in accept: [UnsafeRawBufferPointer]) -> Bool {
    let wish = preference(accept, type)
    return wish.isNamed && wish.quality > 0 && wish.quality >= preference(accept, other).quality
  }

  /// The same of JSON on lines.
  static func prefersLines(_ accept: [UnsafeRawBufferPointer], over other: StaticString) -> Bool {
    prefers(lines, over: other, in: accept)
  }

  /// Which of the formats the lines of `Accept` want most; nil when they rule out all. One with a higher quality goes first, then one
  /// that a more specific range names, then one that is named earlier, then JSON.
  static func wanted(_ lines: [UnsafeRawBufferPointer]) -> ResultFormat? {
    if lines.allSatisfy(\.isEmpty) { return .json }
    let ranges = lines.lazy.flatMap { $0.split(separator: UInt8(ascii: ",")) }.map(
      UnsafeRawBufferPointer.init(rebasing:))
    var best: (format: ResultFormat, rank: (quality: Double, specificity: Int, place: Int))?
    for format in ResultFormat.allCases {
      var rank = (quality: 0.0, specificity: 0, place: 0)
      for (place, range) in ranges.enumerated() {
        let found = specificity(essence(range), of: format.contentType)
        if found > rank.specificity { rank = (quality(of: range), found, -place) }
      }
      if rank.quality > 0, best.map({ rank > $0.rank }) ?? true { best = (format, rank) }
    }
    return best?.format
  }

  private static func specificity(_ range: UnsafeRawBufferPointer, of type: StaticString) -> Int {
    if range.isCaseless(type) { return 3 }
    if range.isCaseless("*/*") { return 1 }
    guard range.count > 2, range.hasCaselessSuffix("/*") else { return 0 }
    let family = UnsafeRawBufferPointer(rebasing: range.dropLast())
    guard family.count <= type.utf8CodeUnitCount else { return 0 }
    return family.isCaseless(UnsafeRawBufferPointer(start: type.utf8Start, count: family.count)) ? 2 : 0
  }

  /// What a range says behind `q=`: 0 ... 1; 1 when it says nothing, or something else.
  private static func quality(of range: UnsafeRawBufferPointer) -> Double {
    for parameter in range.split(separator: UInt8(ascii: ";")).dropFirst() {
      let text = String(decoding: parameter, as: UTF8.self).filter { $0 != " " && $0 != "\t" }.lowercased()
      if text.hasPrefix("q="), let quality = Double(text.dropFirst(2)), 0...1 ~= quality { return quality }
    }
    return 1
  }

  /// The type without parameters and blanks.
  private static func essence(_ value: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: value.prefix { $0 != UInt8(ascii: ";") }).trimmed
  }
}

extension MessagePackArguments {
  /// Those of the service whose JSON this reads: by the same rules.
  init(_ reader: JSONToMessagePack) { self.init(limits: reader.limits, extensions: reader.extensions) }
}

extension GatewayRequest {
  /// Refuses a client that does not want what this is answered with.
  func checkAccept(_ type: StaticString) throws(Problem) {
    // Most clients send none, or one of these two: there is nothing to take apart.
    guard let accept = header(.accept) else { return }
    let isSingle = exchange.count(of: .accept) == 1
    if isSingle, accept.isCaseless("*/*") || accept.isCaseless(type) { return }
    guard !MediaType.accepts(exchange.values(of: .accept), type) else { return }
    throw Problem(.notAcceptable, "This is answered as \(type); name it in Accept, or leave Accept out.")
  }
}
