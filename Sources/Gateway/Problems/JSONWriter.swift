import MessagePack

/// JSON written by hand, member after member.
struct JSONWriter: ~Copyable {
  private var buffer = ByteBuffer()
  private var needsComma = false

  /// What has been written.
  var bytes: [UInt8] { buffer.withUnsafeBytes { Array($0) } }

  mutating func open(_ bracket: Unicode.Scalar) {
    separate()
    buffer.append(UInt8(ascii: bracket))
    needsComma = false
  }

  mutating func close(_ bracket: Unicode.Scalar) {
    buffer.append(UInt8(ascii: bracket))
    needsComma = true
  }

  mutating func key(_ name: String) {
    string(name)
    buffer.append(UInt8(ascii: ":"))
    needsComma = false
  }

  mutating func member(_ name: String, _ value: String) {
    key(name)
    string(value)
  }

  mutating func member(_ name: String, _ value: Int) {
    key(name)
    raw("\(value)")
  }

  mutating func member(_ name: String, _ value: Bool) {
    key(name)
    raw(value ? "true" : "false")
  }

  /// A value that is JSON already.
  mutating func raw(_ json: String) {
    separate()
    buffer.append(utf8: json)
  }

  /// A value that is JSON already.
  mutating func raw(_ json: [UInt8]) {
    separate()
    json.withUnsafeBytes { buffer.append($0) }
  }

  mutating func string(_ text: String) {
    separate()
    buffer.appendJSONString(text)
  }

  /// Bytes that should be text: a string, or `{"$bin":...}` when they are not UTF-8.
  mutating func text(_ bytes: [UInt8]) {
    separate()
    var packed = ByteBuffer()
    bytes.withUnsafeBytes { packed.appendString($0) }
    // It is one short string: it always has a form.
    try? packed.withUnsafeBytes { try MessagePackToJSON().transcode($0, into: &buffer) }
  }

  private mutating func separate() {
    if needsComma { buffer.append(UInt8(ascii: ",")) }
    needsComma = true
  }
}
