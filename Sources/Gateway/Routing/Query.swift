import ConfigurationReader
import MessagePack

/// What a query says, decoded and checked: arguments of a call, or topics of a stream, and control parameters.
struct Query: Hashable, Sendable {
  /// One argument or topic, in the order of the query.
  struct Argument: Hashable, Sendable {
    /// The keyword, UTF-8; `nil` for a positional argument and for a topic.
    let name: [UInt8]?
    /// Whether the value is JSON, written `:=`; otherwise it is text, UTF-8.
    let isJSON: Bool
    /// The value; JSON is not checked yet, and the bytes of a topic may be anything.
    let value: [UInt8]
  }

  /// What a query may hold besides control parameters.
  enum Content: Hashable, Sendable {
    /// `arg=x` and `arg:=3`, positional; `a=2` and `a:=2`, by keyword.
    case arguments
    /// `topic=x`, any number of times.
    case topics
    /// Nothing: arguments come in the body.
    case nothing
  }

  /// Arguments by position, in order.
  private(set) var positionals: [Argument] = []
  /// Arguments by keyword, in order, no keyword twice.
  private(set) var keywords: [Argument] = []
  /// The topics a stream asks for, in order.
  private(set) var topics: [[UInt8]] = []
  private var controls: [String: String] = [:]
  private var names: Set<[UInt8]> = []

  /// The value of a control parameter, such as `_timeout`.
  func control(_ name: String) -> String? { controls[name] }

  /// A query that says nothing.
  init() {}

  /// Reads a query, which starts after the `?`; `controls` lists the control parameters that are understood here.
  /// Their names start with `_`, but for those that other programs have given.
  init(_ query: Span<UInt8>, _ content: Content = .arguments, controls known: Set<String>) throws(Problem) {
    var start = 0
    while start <= query.count {
      var end = start
      var equals: Int?
      while end < query.count, query[end] != UInt8(ascii: "&") {
        if query[end] == UInt8(ascii: "="), equals == nil { equals = end }
        end += 1
      }
      if start < end { try read(query, start..<(equals ?? end), equals.map { $0 + 1..<end }, content, known) }
      start = end + 1
    }
  }

  private mutating func read(
    _ query: Span<UInt8>, _ nameRange: Range<Int>, _ valueRange: Range<Int>?, _ content: Content, _ known: Set<String>
  ) throws(Problem) {
    guard var name = PercentEncoding.decode(query, nameRange, plusIsSpace: true), name.isText else { throw Self.broken }
    // Form encoders escape the colon of `:=`, so it counts once decoded.
    let isJSON = name.last == UInt8(ascii: ":")
    if isJSON { name.removeLast() }
    let text = String(decoding: name, as: UTF8.self)
    guard let valueRange else {
      let isControl = name.first == UInt8(ascii: "_") || known.contains(text)
      let hint =
        switch content {
        case .arguments where !isControl: "\(text)=text or \(text):=json"
        case .topics where !isControl: "topic=..."
        default: "\(text)=..."
        }
      throw Problem(.badQuery, "\"\(text)\" has no value; write \(hint).")
    }
    guard let value = PercentEncoding.decode(query, valueRange, plusIsSpace: true) else { throw Self.broken }
    if name.isEmpty { throw Problem(.badQuery, "A parameter has no name before its \"=\".") }
    if name.first == UInt8(ascii: "_") || known.contains(text) {
      try readControl(text, value, isJSON: isJSON, known)
    } else {
      try readArgument(.init(name: name, isJSON: isJSON, value: value), text, content)
    }
  }

  private mutating func readControl(
    _ name: String, _ value: [UInt8], isJSON: Bool, _ known: Set<String>
  ) throws(Problem) {
    guard known.contains(name) else {
      let nearest = name.nearest(among: known.sorted()).map { "; did you mean \"\($0)\"?" } ?? "."
      throw Problem(.unknownParameter, "\"\(name)\" is no control parameter here\(nearest)")
    }
    guard value.isText, !isJSON else { throw Problem(.badQuery, "\"\(name)\" takes text: \(name)=...") }
    guard controls.updateValue(String(decoding: value, as: UTF8.self), forKey: name) == nil else {
      throw Problem(.badQuery, "\"\(name)\" is given twice.")
    }
  }

  private mutating func readArgument(_ argument: Argument, _ name: String, _ content: Content) throws(Problem) {
    switch content {
    case .nothing:
      throw Problem(.unknownParameter, "\"\(name)\" is not understood here; arguments of a POST go in its body.")
    case .topics:
      guard name == "topic", !argument.isJSON else {
        throw Problem(.unknownParameter, "\"\(name)\" is not understood here; a stream takes topic=...")
      }
      guard argument.value.count <= NameRules.longestTopic else {
        throw Problem(.badQuery, "A topic has at most \(NameRules.longestTopic) bytes, not \(argument.value.count).")
      }
      topics.append(argument.value)
    case .arguments:
      guard argument.value.isText else { throw Problem(.badQuery, "The value of \"\(name)\" is not UTF-8.") }
      if name == "arg" {
        positionals.append(.init(name: nil, isJSON: argument.isJSON, value: argument.value))
      } else if let name = argument.name, !names.insert(name).inserted {
        throw Problem(.badQuery, "\"\(String(decoding: name, as: UTF8.self))\" is given twice.")
      } else {
        keywords.append(argument)
      }
    }
  }

  private static let broken = Problem(
    .badQuery, "A name in the query is not UTF-8, or a percent sign is not followed by two hexadecimal digits.")
}

extension Query {
  /// Appends the arguments of a GET as MessagePack and tells where they lie: positionals as one array, keywords as one map.
  ///
  /// A problem with a value names its parameter; its pointer is that into the envelope of `args` and `kwargs` that the query stands for.
  func transcode(_ reader: JSONToMessagePack, into buffer: inout ByteBuffer) throws(Problem) -> CallFrames {
    // The array or the map of the arguments is a level of its own.
    var limits = reader.limits
    limits.depth -= 1
    let reader = JSONToMessagePack(limits: limits, extensions: reader.extensions)
    var frames = CallFrames()
    if !positionals.isEmpty {
      let start = buffer.count
      buffer.appendArrayHeader(positionals.count)
      for (index, argument) in positionals.enumerated() {
        try argument.transcode(reader, into: &buffer, as: "arg", at: "/args/\(index)")
      }
      frames.arguments = start..<buffer.count
    }
    if !keywords.isEmpty {
      let start = buffer.count
      buffer.appendMapHeader(keywords.count)
      for argument in keywords {
        let name = String(decoding: argument.name ?? [], as: UTF8.self)
        buffer.appendString(name)
        try argument.transcode(reader, into: &buffer, as: name, at: "/kwargs/\(name.pointerToken)")
      }
      frames.keywords = start..<buffer.count
    }
    return frames
  }
}

extension Query.Argument {
  fileprivate func transcode(
    _ reader: JSONToMessagePack, into buffer: inout ByteBuffer, as name: String, at pointer: @autoclosure () -> String
  ) throws(Problem) {
    let span = value.span
    do throws(TranscodingError) {
      try span.withUnsafeBytes { bytes throws(TranscodingError) in
        if isJSON { try reader.transcode(bytes, into: &buffer) } else { buffer.appendString(bytes) }
      }
    } catch {
      var problem = Problem(arguments: error)
      problem.detail = "Of the parameter \"\(name)\": \(problem.detail)"
      problem.pointer = problem.pointer.map { pointer() + $0 }
      throw problem
    }
  }
}

extension [UInt8] {
  /// Whether the bytes are UTF-8.
  fileprivate var isText: Bool { String(validating: self, as: UTF8.self) != nil }
}

extension String {
  /// The text as a token of a JSON pointer (RFC 6901, 3).
  var pointerToken: String { replacing("~", with: "~0").replacing("/", with: "~1") }
}
