/// The validator of a result that GET fetched: equal bytes, equal tag (RFC 9110, 8.8.3).
enum EntityTag {
  /// A strong tag, quotes included: 64 bits of FNV-1a and the length.
  static func of(_ body: UnsafeRawBufferPointer) -> String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in body { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return "\"\(String(hash, radix: 16))-\(String(body.count, radix: 16))\""
  }

  /// Whether the lines of `If-None-Match` list the tag, or anything by `*` (RFC 9110, 13.1.2: weak comparison).
  static func matches(_ lines: [UnsafeRawBufferPointer], _ tag: String) -> Bool {
    lines.lazy.flatMap { String(decoding: $0, as: UTF8.self).split(separator: ",") }.contains { item in
      let item = item.drop { $0 == " " || $0 == "\t" }
      let end = item.lastIndex { $0 != " " && $0 != "\t" } ?? item.startIndex
      guard !item.isEmpty else { return false }
      let value = item[...end]
      return value == "*" || (value.hasPrefix("W/") ? value.dropFirst(2) : value) == tag
    }
  }
}
