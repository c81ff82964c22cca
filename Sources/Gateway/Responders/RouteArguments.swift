import HTTPServer
import MessagePack

/// The arguments of one call of a REST route, all by keyword. Each stands in the path, in the query or in the body, and in no two of
/// them; what is none of the route's is refused.
struct RouteArguments {
  /// A value that is not read yet.
  private enum Source {
    case path(String)
    case query(Query.Argument)
    /// MessagePack, in the buffer.
    case body(Range<Int>)
  }

  private let route: Configuration.Route
  private var sources: [String: Source] = [:]

  /// Takes the values of the path, in its order, and those of the query.
  init(_ route: Configuration.Route, _ values: [String], _ query: Query) throws(Problem) {
    self.route = route
    for (name, value) in zip(route.namesInPath, values) { sources[name] = .path(value) }
    guard query.positionals.isEmpty else {
      throw Problem(.badQuery, "This path takes no \"arg\"; its arguments have names.")
    }
    for argument in query.keywords {
      let name = String(decoding: argument.name ?? [], as: UTF8.self)
      try add(name, .query(argument), "in the query", else: .badQuery)
    }
  }

  private mutating func add(
    _ name: String, _ source: Source, _ place: String, else code: ProblemCode
  ) throws(Problem) {
    guard route.parameters.contains(where: { $0.name == name }) else {
      let nearest = name.nearestName(among: route.parameters.map(\.name)).map { "; did you mean \"\($0)\"?" } ?? "."
      throw Problem(code, "\"\(name)\" \(place) is no argument here\(nearest)")
    }
    guard sources.updateValue(source, forKey: name) == nil else {
      throw Problem(code, "\"\(name)\" is given twice; the second one stands \(place).")
    }
  }

  /// Reads the body, JSON or MessagePack, and appends all arguments as one map. What the buffer held before stays there.
  func read(
    _ body: UnsafeRawBufferPointer, isPacked: Bool, _ reader: JSONToMessagePack, into buffer: inout ByteBuffer
  ) throws(Problem) -> CallFrames {
    var complete = self
    if !body.isEmpty { try complete.readMembers(body, isPacked: isPacked, reader, &buffer) }
    var map = ByteBuffer()
    var count = 0
    for parameter in route.parameters {
      guard let source = complete.sources[parameter.name] else {
        if parameter.isOptional { continue }
        throw missing(parameter)
      }
      map.appendString(parameter.name)
      try Self.append(parameter, source, reader, buffer, into: &map)
      count += 1
    }
    let start = buffer.count
    buffer.appendMapHeader(count)
    map.withUnsafeBytes { buffer.append($0) }
    return CallFrames(keywords: start..<buffer.count, at: .init(route.verb == .get ? .envelope : .bare))
  }

  private func missing(_ parameter: Configuration.Route.Parameter) -> Problem {
    let (name, kind) = (parameter.name, parameter.kind.rawValue)
    return route.verb == .get
      ? Problem(.badQuery, "\"\(name)\" is missing; add ?\(name)= with a value of type \(kind).")
      : Problem(.invalidArgument, "\"\(name)\" is missing; it is a member of the body, of type \(kind).")
  }

  /// The body becomes MessagePack in the buffer, and its members are found there.
  private mutating func readMembers(
    _ body: UnsafeRawBufferPointer, isPacked: Bool, _ reader: JSONToMessagePack, _ buffer: inout ByteBuffer
  ) throws(Problem) {
    let start = buffer.count
    var members: [(name: String, range: Range<Int>)]?
    do throws(TranscodingError) {
      if isPacked {
        try MessagePackArguments(reader).pass(body, into: &buffer)
      } else {
        try reader.transcode(body, into: &buffer)
      }
      members = try buffer.withUnsafeBytes(start..<buffer.count) { bytes throws(TranscodingError) in
        try Self.members(bytes, reader.limits)
      }
    } catch {
      throw Problem(arguments: error)
    }
    guard let members else {
      throw Problem(.badShape, "The body of this path is a JSON object whose members are the arguments by name.")
    }
    for (name, range) in members {
      do throws(Problem) {
        try add(name, .body(start + range.lowerBound..<start + range.upperBound), "in the body", else: .invalidArgument)
      } catch {
        throw Self.pointing(error, at: name)
      }
    }
  }

  /// The members of a map whose keys are strings; nil for anything else.
  private static func members(
    _ bytes: UnsafeRawBufferPointer, _ limits: TranscodingLimits
  ) throws(TranscodingError) -> [(name: String, range: Range<Int>)]? {
    var cursor = Cursor(bytes, limits: limits)
    guard case .map(let count) = try cursor.next() else { return nil }
    var members: [(name: String, range: Range<Int>)] = []
    for _ in 0..<count {
      guard case .string(let name) = try cursor.next() else { return nil }
      let start = cursor.offset
      try cursor.skipValue()
      members.append((String(decoding: name, as: UTF8.self), start..<cursor.offset))
    }
    return members
  }

  /// Appends one value, if it is of the parameter's type.
  private static func append(
    _ parameter: Configuration.Route.Parameter, _ source: Source, _ reader: JSONToMessagePack,
    _ buffer: borrowing ByteBuffer, into map: inout ByteBuffer
  ) throws(Problem) {
    let (name, kind) = (parameter.name, parameter.kind)
    var value = ByteBuffer()
    switch source {
    case .path(let text):
      guard read(text, as: kind, reader, into: &value), kind.takes(value, reader.limits, into: &map) else {
        throw Problem(.badQuery, "{\(name)} in the path is of type \(kind.rawValue), which \"\(text)\" is not.")
      }
    case .query(let argument):
      let text = String(decoding: argument.value, as: UTF8.self)
      // After := stands JSON, a string in its quotes.
      guard read(text, as: argument.isJSON ? .json : kind, reader, into: &value),
        kind.takes(value, reader.limits, into: &map)
      else {
        throw Problem(.badQuery, "\"\(name)\" in the query is of type \(kind.rawValue), which \"\(text)\" is not.")
      }
    case .body(let range):
      buffer.withUnsafeBytes(range) { value.append($0) }
      guard kind.takes(value, reader.limits, into: &map) else {
        throw pointing(Problem(.invalidArgument, "\"\(name)\" is of type \(kind.rawValue)."), at: name)
      }
    }
  }

  /// Reads text as the type has it: JSON, or for a string the text itself. False when it is not JSON.
  private static func read(
    _ text: String, as kind: Configuration.Route.Kind, _ reader: JSONToMessagePack, into value: inout ByteBuffer
  ) -> Bool {
    if kind == .str {
      value.appendString(text)
      return true
    }
    do throws(TranscodingError) {
      try text.utf8.span.withUnsafeBytes { bytes throws(TranscodingError) in
        try reader.transcode(bytes, into: &value)
      }
      return true
    } catch {
      return false
    }
  }

  private static func pointing(_ problem: Problem, at name: String) -> Problem {
    var problem = problem
    problem.pointer = "/\(name.pointerToken)"
    return problem
  }
}

extension Configuration.Route.Kind {
  /// Appends a value in MessagePack if it is of this type: false when it is not. A whole number that a float holds exactly is one.
  fileprivate func takes(
    _ value: borrowing ByteBuffer, _ limits: TranscodingLimits, into map: inout ByteBuffer
  ) -> Bool {
    value.withUnsafeBytes { bytes in
      var cursor = Cursor(bytes, limits: limits)
      guard let token = try? cursor.next() else { return false }
      switch (self, token) {
      case (.float, .int(let whole)) where whole.magnitude <= 1 << 53:
        map.append(0xcb)
        withUnsafeBytes(of: Double(whole).bitPattern.bigEndian) { map.append($0) }
        return true
      case (.json, _), (.str, .string), (.bool, .bool), (.int, .int), (.int, .uint), (.float, .double):
        map.append(bytes)
        return true
      default: return false
      }
    }
  }
}
