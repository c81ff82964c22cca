import MessagePack

/// A document of JSON-RPC, taken apart: its calls, and the places of their arguments in a buffer of MessagePack.
///
/// Each request is read by itself. What is no JSON anywhere is wrong with the whole (section 5.1 of the specification: a parse error);
/// arguments that cannot travel are wrong with their own request only.
struct JSONRPCDocument {
  /// What is told as the `id` of a request that has none that can be told.
  static let noID = Array("null".utf8)

  /// One member of a batch, or the only one.
  enum Item {
    /// A call; `id` is JSON, and nil for a notification.
    case call(method: String, frames: CallFrames, id: [UInt8]?)
    /// A call whose arguments cannot travel.
    case unsendable(Problem, id: [UInt8]?)
    /// What is no request.
    case invalid(id: [UInt8])
  }

  let isSingle: Bool
  private(set) var items: [Item] = []

  private let body: UnsafeRawBufferPointer
  private let reader: JSONToMessagePack

  /// Reads a body into the buffer. Throws what is wrong with the whole.
  init(_ body: UnsafeRawBufferPointer, _ upstream: RPCUpstream, into buffer: inout ByteBuffer) throws(JSONRPCFault) {
    self.body = body
    reader = upstream.reader
    let most = upstream.longestBatch
    let members = JSONMembers(body)
    isSingle = members?.isObject == true
    if isSingle {
      items = [try item(body, at: nil, into: &buffer)]
    } else if var members {
      while let member = try Self.next(&members), items.count <= most {
        items.append(try item(member.value, at: items.count, into: &buffer))
      }
    } else {
      _ = try Self.text(body)
    }
    guard 1...most ~= items.count else {
      throw JSONRPCFault(.invalidRequest, "A document is a request or an array of 1 to \(most) of them.")
    }
  }

  /// The names of methods in a body, as far as it can be read; their arguments are not.
  static func methods(in body: UnsafeRawBufferPointer, atMost limit: Int) -> [String] {
    guard var members = JSONMembers(body) else { return [] }
    if members.isObject { return method(in: body).map { [$0] } ?? [] }
    var names: [String] = []
    var count = 0
    while count < limit, let member = try? next(&members) {
      count += 1
      if let name = method(in: member.value) { names.append(name) }
    }
    return names
  }

  /// What is wrong with a body in which no method is called.
  static func fault(in body: UnsafeRawBufferPointer) -> JSONRPCFault {
    do throws(JSONRPCFault) { _ = try text(body) } catch { return error }
    return JSONRPCFault(.invalidRequest, JSONRPCAnswer.notRequest.detail)
  }

  private static func method(in text: UnsafeRawBufferPointer) -> String? {
    guard var members = JSONMembers(text), members.isObject else { return nil }
    while let (name, value) = try? member(&members) {
      if name == "method" { return (try? Self.text(value)) ?? nil }
    }
    return nil
  }

  /// Reads one request, which stands at that place of a batch, or alone.
  private func item(
    _ text: UnsafeRawBufferPointer, at place: Int?, into buffer: inout ByteBuffer
  ) throws(JSONRPCFault) -> Item {
    guard var members = JSONMembers(text), members.isObject else {
      _ = try Self.text(text)
      return .invalid(id: Self.noID)
    }
    var (isVersion2, isValid) = (false, true)
    var (method, id): (String?, [UInt8]?) = (nil, nil)
    var frames = CallFrames(at: .init(.params, item: place))
    var problem: Problem?
    var seen: Set<String> = []
    while let (name, value) = try Self.member(&members) {
      guard seen.insert(name).inserted else { throw JSONRPCFault(.parse, "A request has \"\(name)\" twice.") }
      if name == "params" {
        do throws(Problem) {
          isValid = try read(value, at: (place.map { "/\($0)" } ?? "") + "/params", into: &buffer, &frames) && isValid
        } catch {
          guard error.code != .badJSON else { throw JSONRPCFault(.parse, error.detail) }
          problem = error
        }
        continue
      }
      let text = try Self.text(value)
      switch name {
      case "jsonrpc": isVersion2 = text == "2.0"
      case "method":
        method = text
        isValid = text != nil && isValid
      // It comes back as it is written; a number need not be one that could travel.
      case "id": if Self.isID(value) { id = Array(value) } else { isValid = false }
      default: break
      }
    }
    guard isVersion2, isValid, let method else { return .invalid(id: id ?? Self.noID) }
    return problem.map { .unsendable($0, id: id) } ?? .call(method: method, frames: frames, id: id)
  }

  /// Reads arguments; false when they are neither an array nor an object. Throws why they cannot travel.
  private func read(
    _ value: UnsafeRawBufferPointer, at place: String, into buffer: inout ByteBuffer, _ frames: inout CallFrames
  ) throws(Problem) -> Bool {
    let start = buffer.count
    do throws(TranscodingError) {
      try reader.transcode(value, into: &buffer)
      let range = start..<buffer.count
      return try buffer.withUnsafeBytes { bytes throws(TranscodingError) in
        var cursor = Cursor(UnsafeRawBufferPointer(rebasing: bytes[range]), limits: reader.limits)
        switch try cursor.next() {
        case .array: frames.arguments = range
        case .map: frames.keywords = range
        default: return false
        }
        return true
      }
    } catch {
      // Told by its place in the whole.
      var offset = error.offset
      if let part = value.baseAddress, let whole = body.baseAddress { offset += part - whole }
      throw Problem(
        arguments: TranscodingError(
          code: error.code, message: error.message, offset: offset, pointer: error.pointer.map { place + $0 }))
    }
  }

  private static func next(_ members: inout JSONMembers) throws(JSONRPCFault) -> JSONMembers.Member? {
    do throws(TranscodingError) { return try members.next() } catch {
      throw JSONRPCFault(.parse, Problem(arguments: error).detail)
    }
  }

  /// The next member of an object, its name read.
  private static func member(
    _ members: inout JSONMembers
  ) throws(JSONRPCFault) -> (name: String, value: UnsafeRawBufferPointer)? {
    guard let member = try next(&members), let key = member.key else { return nil }
    return (try text(key) ?? "", member.value)
  }

  /// Reads a value that no service reads: the text that it is; nil when it is something else. Throws when it is no JSON.
  private static func text(_ value: UnsafeRawBufferPointer) throws(JSONRPCFault) -> String? {
    var buffer = ByteBuffer(capacity: value.count + 16)
    do throws(TranscodingError) {
      try JSONToMessagePack().transcode(value, into: &buffer)
      return try buffer.withUnsafeBytes { bytes throws(TranscodingError) in
        var cursor = Cursor(bytes)
        guard case .string(let text) = try cursor.next() else { return nil }
        return String(decoding: text, as: UTF8.self)
      }
    } catch {
      guard error.code != .badJSON else { throw JSONRPCFault(.parse, Problem(arguments: error).detail) }
      return nil
    }
  }

  /// Whether JSON is what an `id` may be: a text, a number or null.
  private static func isID(_ json: UnsafeRawBufferPointer) -> Bool {
    json.first.map { first in
      switch first {
      case UInt8(ascii: "\""), UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "n"): true
      default: false
      }
    } ?? false
  }
}
