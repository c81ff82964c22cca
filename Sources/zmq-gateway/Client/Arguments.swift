import ArgumentParser
import MessagePack

/// What a call is given, as everywhere in JSON: an array by position, an object by name, both as `{"args":[...],"kwargs":{...}}`.
struct Arguments: ParsableArguments {
  @Argument(help: "The arguments in JSON, such as '[2, 3]' or '{\"a\": 2}'; - reads them from standard input.")
  var arguments: [String] = []

  func validate() throws {
    guard arguments.count > 1 else { return }
    throw ValidationError(
      "Write the arguments as one text in JSON, such as '[2, 3]' or '{\"a\": 2}', and not as \(arguments.count) words.")
  }

  /// The text.
  func json() throws -> [UInt8] {
    let text = arguments.first ?? ""
    return text == "-" ? StandardStream.input() : Array(text.utf8)
  }

  /// The text, if it is JSON of the shape of arguments. What a service may be sent, its gateway knows.
  func checkedJSON() throws -> [UInt8] {
    let json = try json()
    var buffer = ByteBuffer()
    do {
      _ = try json.withUnsafeBytes { try JSONToMessagePack().transcodeCall($0, into: &buffer) }
    } catch let error as TranscodingError where error.code == .badJSON || error.code == .badShape {
      throw ValidationError("the arguments: \(error.message)")
    } catch {}
    return json
  }

  /// The values, those without a name and those with one.
  func values() throws -> (positional: [Value], keywords: [String: Value]) {
    let json = try json()
    var buffer = ByteBuffer()
    do {
      let frames = try json.withUnsafeBytes { try JSONToMessagePack().transcodeCall($0, into: &buffer) }
      return try frames.withFrames(in: buffer) { arguments, keywords in
        let unpacker = Unpacker()
        var named: [String: Value] = [:]
        for pair in try unpacker.unpack(keywords).mapValue ?? [] { named[pair.key.stringValue ?? ""] = pair.value }
        return (try unpacker.unpack(arguments).arrayValue ?? [], named)
      }
    } catch let error as TranscodingError {
      throw ValidationError("the arguments: \(error.message)")
    }
  }
}

extension Value {
  /// As the gateway shows it.
  var json: String {
    get throws {
      let packed = try Packer(limits: .init(depth: 500), allowsAnyKeys: true).pack(self)
      var buffer = ByteBuffer()
      try packed.withUnsafeBytes { try MessagePackToJSON(limits: .init(depth: 500)).transcode($0, into: &buffer) }
      return buffer.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }
  }
}
