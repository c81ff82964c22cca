import CZeroMQ

/// Bytes as printable text (RFC 32 of ZeroMQ): four bytes are five characters.
enum Z85 {
  /// The text of bytes, whose number has to be a multiple of four.
  static func encode(_ bytes: [UInt8]) -> String {
    precondition(bytes.count % 4 == 0, "Z85 takes bytes by four")
    var text = [CChar](repeating: 0, count: bytes.count / 4 * 5 + 1)
    zmq_z85_encode(&text, bytes, bytes.count)
    return string(text)
  }

  /// The bytes that a text stands for; nil when it is no Z85.
  static func decode(_ text: String) -> [UInt8]? {
    // For libzmq the text would end at a zero.
    guard text.utf8.count % 5 == 0, !text.utf8.contains(0) else { return nil }
    var bytes = [UInt8](repeating: 0, count: text.utf8.count / 5 * 4)
    return zmq_z85_decode(&bytes, text) == nil ? nil : bytes
  }

  /// What stands in a buffer of C up to its zero.
  static func string(_ text: [CChar]) -> String {
    String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
