import ConfigurationReader
import MessagePack
import ZeroMQRPC

/// One call of a batch as its text says it. What is wrong with it is its own problem.
struct BatchItem {
  /// What its answer is told by, as JSON: its own `id`, or else its place in the batch.
  private(set) var id: [UInt8]
  private(set) var service = ""
  private(set) var method = ""
  /// For a service that is published to.
  private(set) var topic: [UInt8]?
  /// How long the caller gives the call.
  private(set) var timeout: Duration?
  private let place: Int
  private let body: UnsafeRawBufferPointer
  private var arguments: UnsafeRawBufferPointer?
  private var keywords: UnsafeRawBufferPointer?
  private var seen: Set<String> = []
  private var problem: Problem?

  private static let members = ["id", "service", "method", "topic", "args", "kwargs", "timeout"]

  /// Takes the text at that place of a batch, whose `body` it lies in.
  init(_ text: UnsafeRawBufferPointer, at place: Int, of body: UnsafeRawBufferPointer) {
    self.place = place
    self.body = body
    id = Array("\(place)".utf8)
    do throws(Problem) {
      try read(text)
      for name in ["service", "method"] where !seen.contains(name) {
        throw Problem(.badShape, "The item has no \"\(name)\".")
      }
    } catch {
      problem = problem ?? error
    }
  }

  /// Throws what is wrong with the item.
  func check() throws(Problem) { if let problem { throw problem } }

  /// Appends the arguments in the form of a service, and tells where they lie.
  func frames(_ reader: JSONToMessagePack, into buffer: inout ByteBuffer) throws(Problem) -> CallFrames {
    var frames = CallFrames(at: .init(item: place))
    if let arguments {
      frames.arguments = try transcode(arguments, "args", reader, into: &buffer) {
        if case .array = $0 { true } else { false }
      }
    }
    if let keywords {
      frames.keywords = try transcode(keywords, "kwargs", reader, into: &buffer) {
        if case .map = $0 { true } else { false }
      }
    }
    return frames
  }

  private mutating func read(_ text: UnsafeRawBufferPointer) throws(Problem) {
    guard var members = JSONMembers(text), members.isObject else {
      throw Problem(.badShape, #"An item is an object: {"service":"...","method":"...","args":[...]}."#)
    }
    while true {
      let member: JSONMembers.Member?
      do throws(TranscodingError) { member = try members.next() } catch { throw fault(error, in: text) }
      guard let member, let key = member.key else { return }
      do throws(Problem) {
        // The rest is read all the same: the answer bears the item's `id`.
        try take(String(decoding: key.dropFirst().dropLast(), as: UTF8.self), member.value)
      } catch {
        problem = problem ?? error
      }
    }
  }

  private mutating func take(_ name: String, _ value: UnsafeRawBufferPointer) throws(Problem) {
    guard Self.members.contains(name) else {
      let nearest = name.nearestName(among: Self.members).map { "; did you mean \"\($0)\"?" } ?? "."
      throw Problem(.badShape, "An item has no member \"\(name)\"\(nearest)")
    }
    guard seen.insert(name).inserted else { throw Problem(.badJSON, "The item has \"\(name)\" twice.") }
    switch name {
    case "id":
      let isID = try read(value, name) { token in
        switch token {
        case .string, .int, .uint, .double, .nil: true
        default: false
        }
      }
      guard isID else { throw Problem(.badShape, "An \"id\" is a text, a number or null.") }
      id = Array(value)
    case "service": service = try text(value, name)
    case "method": method = try text(value, name)
    case "topic":
      topic = try read(value, name) { token in
        switch token {
        case .string(let bytes), .binary(let bytes): bytes.count <= NameRules.longestTopic ? Array(bytes) : nil
        default: nil
        }
      }
      if topic == nil {
        throw Problem(
          .badShape, #"A "topic" is a text or {"$bin":"<base64>"}, at most \#(NameRules.longestTopic) bytes long."#)
      }
    case "timeout": timeout = try RequestTimeout.parse(String(decoding: value, as: UTF8.self))
    case "args": arguments = value
    default: keywords = value
    }
  }

  private func text(_ value: UnsafeRawBufferPointer, _ name: String) throws(Problem) -> String {
    let text: String? = try read(value, name) { token in
      if case .string(let text) = token { String(decoding: text, as: UTF8.self) } else { nil }
    }
    guard let text else { throw Problem(.badShape, "The \"\(name)\" of an item is a text.") }
    return text
  }

  /// Reads a value that no service reads.
  private func read<Result>(
    _ value: UnsafeRawBufferPointer, _ name: String, _ body: (Cursor.Token) -> Result
  ) throws(Problem) -> Result {
    var buffer = ByteBuffer(capacity: 3 * value.count + 64)
    do throws(TranscodingError) {
      try JSONToMessagePack().transcode(value, into: &buffer)
      return try buffer.withUnsafeBytes { bytes throws(TranscodingError) in
        var cursor = Cursor(bytes)
        return body(try cursor.next())
      }
    } catch {
      throw fault(error, in: value, name)
    }
  }

  private func transcode(
    _ value: UnsafeRawBufferPointer, _ name: String, _ reader: JSONToMessagePack, into buffer: inout ByteBuffer,
    _ isFit: (Cursor.Token) -> Bool
  ) throws(Problem) -> Range<Int> {
    let start = buffer.count
    let token: Bool
    do throws(TranscodingError) {
      try reader.transcode(value, into: &buffer)
      token = try buffer.withUnsafeBytes { bytes throws(TranscodingError) in
        var cursor = Cursor(UnsafeRawBufferPointer(rebasing: bytes[start...]), limits: reader.limits)
        return isFit(try cursor.next())
      }
    } catch {
      throw fault(error, in: value, name)
    }
    guard token else {
      throw Problem(.badShape, "In an item \"args\" is an array, and \"kwargs\" an object.")
    }
    return start..<buffer.count
  }

  /// A fault in a part of the body, told by its place in the whole.
  private func fault(_ error: TranscodingError, in part: UnsafeRawBufferPointer, _ name: String? = nil) -> Problem {
    var offset = error.offset
    if let part = part.baseAddress, let body = body.baseAddress { offset += part - body }
    let base = name.map { "/\(place)/\($0)" } ?? "/\(place)"
    return Problem(
      arguments: TranscodingError(
        code: error.code, message: error.message, offset: offset, pointer: error.pointer.map { base + $0 }))
  }
}
