/// What `Cookie` says (RFC 6265, 5.4): pairs of a name and a value, with semicolons between them.
package enum Cookie {
  /// The value of the first cookie of that name; nil when there is none. It lies in the line.
  package static func value(of name: [UInt8], in line: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
    for pair in line.split(separator: UInt8(ascii: ";")) {
      let pair = pair.drop { $0 == 0x20 || $0 == 0x09 }
      guard pair.count > name.count, pair.starts(with: name), pair[pair.startIndex + name.count] == UInt8(ascii: "=")
      else { continue }
      return UnsafeRawBufferPointer(rebasing: pair.dropFirst(name.count + 1))
    }
    return nil
  }
}
