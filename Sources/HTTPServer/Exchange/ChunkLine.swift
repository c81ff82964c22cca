/// The line before the bytes of a chunk (RFC 9112, 7.1). libmicrohttpd reads it, and tells nothing of it.
enum ChunkLine {
  /// The size that it gives, where the library has left it in front of the first bytes of its chunk. Nil in front of other bytes, of
  /// bytes that came behind the line and not with it, and where the size has an extension.
  ///
  /// The piece lies in the library's memory, behind the request's head: so there is something before it.
  static func size(before piece: UnsafeRawBufferPointer) -> UInt64? {
    guard let start = piece.baseAddress else { return nil }
    func byte(_ place: Int) -> UInt8 { start.load(fromByteOffset: place, as: UInt8.self) }
    guard byte(-1) == UInt8(ascii: "\n"), byte(-2) == UInt8(ascii: "\r") else { return nil }
    var (size, place, shift) = (UInt64(0), -3, UInt64(0))
    while shift < 64, let digit = Character(Unicode.Scalar(byte(place))).hexDigitValue {
      size |= UInt64(digit) << shift
      shift += 4
      place -= 1
    }
    return shift > 0 ? size : nil
  }
}
