import MessagePack

/// Prints nanoseconds for one document, both directions: the best of several rounds, as other work only adds time.
@main
enum Main {
  static func main() throws {
    print("document      JSON B   msgpack B   JSON->msgpack ns   msgpack->JSON ns   call ns")
    for document in Documents.all {
      let json = Array(document.json.utf8)
      var packed = ByteBuffer(capacity: 4 * json.count + 64)
      try json.withUnsafeBytes { try JSONToMessagePack().transcode($0, into: &packed) }
      let bytes = packed.withUnsafeBytes { Array($0) }
      var buffer = ByteBuffer(capacity: 4 * json.count + 256)
      let reader = JSONToMessagePack()
      let writer = MessagePackToJSON()
      let there = try measure(json) {
        try reader.transcode($0, into: &buffer); buffer.removeAll()
      }
      let back = try measure(bytes) {
        try writer.transcode($0, into: &buffer); buffer.removeAll()
      }
      let isCall = json.first != UInt8(ascii: "5")
      let call =
        isCall
        ? try measure(json) {
          _ = try reader.transcodeCall($0, into: &buffer); buffer.removeAll()
        } : 0
      print(
        pad(document.name, -12), pad("\(json.count)", 7), pad("\(bytes.count)", 11), pad(rounded(there), 18),
        pad(rounded(back), 18), pad(rounded(call), 9))
    }
  }

  static func measure(_ bytes: [UInt8], _ body: (UnsafeRawBufferPointer) throws -> Void) throws -> Double {
    let repeats = max(20, 2_000_000 / (bytes.count + 40))
    let clock = ContinuousClock()
    var best = Double.infinity
    for _ in 0..<15 {
      let time = try clock.measure { for _ in 0..<repeats { try bytes.withUnsafeBytes(body) } }
      let (seconds, attoseconds) = time.components
      best = min(best, (Double(seconds) * 1e9 + Double(attoseconds) * 1e-9) / Double(repeats))
    }
    return best
  }

  static func rounded(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }

  static func pad(_ text: String, _ width: Int) -> String {
    let space = String(repeating: " ", count: max(0, abs(width) - text.count))
    return width < 0 ? text + space : space + text
  }
}
