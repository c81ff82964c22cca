import MessagePack
import Reactor

/// A line of the log under writing: its names and values as text, or as an object of JSON.
struct LogLine: ~Copyable {
  private let format: Configuration.Log.Format
  private var buffer = ByteBuffer(capacity: 4_096)

  /// Lines of that format, none so far.
  init(_ format: Configuration.Log.Format) { self.format = format }

  /// Lends what has been written.
  func withBytes(_ body: (UnsafeRawBufferPointer) -> Void) { buffer.withUnsafeBytes(body) }

  /// Forgets what has been written.
  mutating func removeAll() { buffer.removeAll(keepingUpTo: 64 << 10) }

  /// Begins a line: its time, up to the second, and the thousandths of that.
  mutating func begin(_ second: [UInt8], _ thousandths: Int, isWarning: Bool) {
    if format == .json { buffer.append(#"{"time":""#) }
    second.withUnsafeBytes { buffer.append($0) }
    digits(thousandths)
    switch format {
    case .text: buffer.append(isWarning ? "Z warning request:" : "Z info request:")
    case .json:
      buffer.append(
        isWarning
          ? #"Z","level":"warning","message":"request""# : #"Z","level":"info","message":"request""#)
    }
  }

  mutating func end() { buffer.append(format == .json ? "}\n" : "\n") }

  /// Text, which is escaped where it does not print.
  mutating func text(_ key: Key, _ text: String) {
    begin(key)
    if format == .json { return buffer.appendJSONString(text) }
    text.utf8.span.withUnsafeBytes { escaped($0) }
  }

  /// Text of which all is printable, and none a blank, a quotation mark or a backslash.
  mutating func plain(_ key: Key, _ text: String) { quoted(key) { $0.append(utf8: text) } }

  /// The same, of a constant.
  mutating func plain(_ key: Key, _ text: StaticString) { quoted(key) { $0.append(text) } }

  private mutating func quoted(_ key: Key, _ append: (inout ByteBuffer) -> Void) {
    begin(key)
    if format == .json { buffer.append("\"") }
    append(&buffer)
    if format == .json { buffer.append("\"") }
  }

  /// Bytes of clients.
  mutating func bytes(_ key: Key, _ bytes: [UInt8]) {
    begin(key)
    if format == .json { return buffer.appendJSONString(String(decoding: bytes, as: UTF8.self)) }
    bytes.withUnsafeBytes { escaped($0) }
  }

  /// A number that is not negative.
  mutating func number(_ key: Key, _ number: Int) {
    begin(key)
    buffer.append(decimal: number)
  }

  mutating func milliseconds(_ key: Key, _ duration: Duration) {
    begin(key)
    let microseconds = Int(max(0, duration.nanoseconds / 1_000))
    buffer.append(decimal: microseconds / 1_000)
    buffer.append(UInt8(ascii: "."))
    digits(microseconds % 1_000)
  }

  mutating func flag(_ key: Key) {
    begin(key)
    buffer.append("true")
  }

  private mutating func begin(_ key: Key) { buffer.append(format == .json ? key.json : key.text) }

  private mutating func escaped(_ bytes: UnsafeRawBufferPointer) {
    // Most hold nothing to be escaped. All bytes are looked at, many at a time.
    var odd: UInt8 = 0
    for index in 0..<bytes.count {
      let byte = bytes[index]
      odd |= (byte &- 0x21 > 0x7E - 0x21 ? 1 : 0) | (byte == UInt8(ascii: "\\") ? 1 : 0)
    }
    if odd == 0 { return buffer.append(bytes) }
    for byte in bytes {
      if 0x21...0x7E ~= byte, byte != UInt8(ascii: "\\") {
        buffer.append(byte)
      } else {
        buffer.append(utf8: "\\x\(byte < 16 ? "0" : "")\(String(byte, radix: 16))")
      }
    }
  }

  /// Three digits.
  private mutating func digits(_ number: Int) {
    buffer.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / 100 % 10))
    buffer.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / 10 % 10))
    buffer.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number % 10))
  }
}

extension LogLine {
  /// The name of a value, as each format writes it before the value.
  struct Key {
    fileprivate let text: StaticString, json: StaticString

    static let id = Key(text: " id=", json: #","id":"#)
    static let method = Key(text: " method=", json: #","method":"#)
    static let path = Key(text: " path=", json: #","path":"#)
    static let route = Key(text: " route=", json: #","route":"#)
    static let status = Key(text: " status=", json: #","status":"#)
    static let code = Key(text: " code=", json: #","code":"#)
    static let abandoned = Key(text: " abandoned=", json: #","abandoned":"#)
    static let `in` = Key(text: " in=", json: #","in":"#)
    static let out = Key(text: " out=", json: #","out":"#)
    static let client = Key(text: " client=", json: #","client":"#)
    static let subject = Key(text: " subject=", json: #","subject":"#)
    static let total = Key(text: " total=", json: #","total":"#)
    static let calls = Key(text: " calls=", json: #","calls":"#)
    static let queue = Key(text: " queue=", json: #","queue":"#)
    static let backend = Key(text: " backend=", json: #","backend":"#)
    static let endpoint = Key(text: " endpoint=", json: #","endpoint":"#)
    static let trace = Key(text: " trace=", json: #","trace":"#)
    static let slow = Key(text: " slow=", json: #","slow":"#)
  }
}
