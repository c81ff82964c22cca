import MessagePack

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
  mutating func text(_ name: StaticString, _ text: String) {
    key(name)
    if format == .json { return buffer.appendJSONString(text) }
    var text = text
    text.withUTF8 { escaped($0) }
  }

  /// Bytes of clients.
  mutating func bytes(_ name: StaticString, _ bytes: [UInt8]) {
    key(name)
    if format == .json { return buffer.appendJSONString(String(decoding: bytes, as: UTF8.self)) }
    bytes.withUnsafeBufferPointer { escaped($0) }
  }

  mutating func number(_ name: StaticString, _ number: Int) {
    key(name)
    decimal(number)
  }

  mutating func milliseconds(_ name: StaticString, _ duration: Duration) {
    key(name)
    let (seconds, attoseconds) = duration.components
    let microseconds = max(0, Int(seconds) * 1_000_000 + Int(attoseconds / 1_000_000_000_000))
    decimal(microseconds / 1_000)
    buffer.append(UInt8(ascii: "."))
    digits(microseconds % 1_000)
  }

  mutating func flag(_ name: StaticString) {
    key(name)
    buffer.append("true")
  }

  private mutating func key(_ name: StaticString) {
    buffer.append(format == .json ? #",""# : " ")
    buffer.append(name)
    buffer.append(format == .json ? #"":"# : "=")
  }

  private mutating func escaped(_ bytes: UnsafeBufferPointer<UInt8>) {
    if bytes.allSatisfy({ 0x21...0x7E ~= $0 && $0 != UInt8(ascii: "\\") }) {
      return buffer.append(UnsafeRawBufferPointer(bytes))
    }
    for byte in bytes {
      if 0x21...0x7E ~= byte, byte != UInt8(ascii: "\\") {
        buffer.append(byte)
      } else {
        buffer.append(utf8: "\\x\(byte < 16 ? "0" : "")\(String(byte, radix: 16))")
      }
    }
  }

  private mutating func decimal(_ number: Int) {
    if 0...9 ~= number { return buffer.append(UInt8(ascii: "0") + UInt8(number)) }
    buffer.append(utf8: "\(number)")
  }

  /// Three digits.
  private mutating func digits(_ number: Int) {
    for divisor in [100, 10, 1] { buffer.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / divisor % 10)) }
  }
}
