/// A failure inside a transcoding loop: small enough to be thrown in registers, turned into a `TranscodingError` outside.
struct TranscodingFault: Error {
  enum Kind: UInt8 {
    case unexpectedEnd, unexpectedByte, byteOrderMark, trailingText, badLiteral, badNumber, leadingZero
    case controlCharacter, badEscape, loneSurrogate, badUTF8, duplicateKey, missingKey, missingColon, tooLarge
    case integerRange, floatRange, tooDeep, tooManyElements
    case badBase64, badTimestamp, badPairs, badPairKey, duplicatePairKey, badExtension, pickledExtension
    case timestampExtension, unlistedExtension, dateTypes, shape
    case truncated, reservedByte, trailingBytes, longString, pickledPayload, keyType, textEncoding, notFinite
  }

  let kind: Kind
  /// The byte of the source where it was noticed.
  let offset: Int
  /// For faults inside `{"$map": ...}`: the pair.
  var pair: Int?

  init(_ kind: Kind, _ offset: Int, pair: Int? = nil) {
    self.kind = kind
    self.offset = offset
    self.pair = pair
  }

  /// The error that users see, from a reader that keeps no path.
  func error() -> TranscodingError { TranscodingError(code: text.0, message: text.1, offset: offset) }

  /// The error that users see; `pointer` is asked only when the failure belongs to a value.
  func error(pointer: () -> String) -> TranscodingError {
    let (code, message) = text
    let placed = code != .badMessagePack && code != .badShape && (code != .badJSON || kind == .duplicateKey)
    return TranscodingError(code: code, message: message, offset: offset, pointer: placed ? pointer() : nil)
  }
}
