/// A failure inside a transcoding loop: small enough to be thrown in registers, turned into a `TranscodingError` outside.
struct TranscodingFault: Error {
  enum Kind: UInt8 {
    case unexpectedEnd, unexpectedByte, byteOrderMark, trailingText, badLiteral, badNumber, leadingZero
    case controlCharacter, badEscape, loneSurrogate, badUTF8, duplicateKey, missingKey, missingColon, tooLarge
    case integerRange, floatRange, tooDeep, tooManyElements
    case badBase64, badTimestamp, badPairs, badPairKey, duplicatePairKey, badExtension, pickledExtension
    case timestampExtension, unlistedExtension, dateTypes, badDate, shape
    case truncated, reservedByte, trailingBytes, longString, keyType, notFinite
    case textNotUTF8, repeatedKey, keywordType, badMoment
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
    let placed =
      switch code {
      case .badJSON: kind == .duplicateKey
      case .badMessagePack: kind == .repeatedKey || kind == .textNotUTF8
      case .badShape: false
      default: true
      }
    return TranscodingError(code: code, message: message, offset: offset, pointer: placed ? pointer() : nil)
  }
}

extension TranscodingFault {
  /// The code and the words of each failure, all in one place.
  var text: (TranscodingError.Code, String) {
    switch kind {
    case .unexpectedEnd: (.badJSON, "the JSON text ends too early; check for a missing quote or bracket")
    case .unexpectedByte: (.badJSON, "a value, comma or closing bracket of JSON is expected here")
    case .byteOrderMark: (.badJSON, "the text starts with a byte order mark; send UTF-8 without one")
    case .trailingText: (.badJSON, "text follows the JSON value; send exactly one value")
    case .badLiteral: (.badJSON, "only true, false and null are words in JSON; put other text in double quotes")
    case .badNumber: (.badJSON, "not a JSON number; write digits, then optionally .digits and e+digits")
    case .leadingZero: (.badJSON, "a JSON number must not start with a zero that another digit follows")
    case .controlCharacter: (.badJSON, "a raw control character in a string; write it as \\u00XX")
    case .badEscape: (.badJSON, "unknown escape in a string; JSON has \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\uXXXX")
    case .loneSurrogate: (.badJSON, "half of a surrogate pair; write both halves or the character itself")
    case .badUTF8: (.badJSON, "not valid UTF-8; send bytes as {\"$bin\":\"<base64>\"}")
    case .duplicateKey: (.badJSON, "the object has this key twice; keep one of them")
    case .missingKey: (.badJSON, "a key in double quotes is expected here")
    case .missingColon: (.badJSON, "a colon is expected after the key")
    case .tooLarge:
      (.tooManyElements, "the document has more than \(TranscodingLimits.largestDocument) bytes; send it in parts")
    case .integerRange:
      (.notEncodable, "integers travel from -2^63 to 2^64-1; send this one as a string or, with a fraction, as a float")
    case .floatRange:
      (.notEncodable, "the number is too large, or too close to zero, for a 64-bit float; send it as a string")
    case .tooDeep: (.tooDeep, "too deep: arrays and objects are nested deeper than allowed; flatten the value")
    case .tooManyElements: (.tooManyElements, "more values than one document may hold; send it in parts")
    case .badBase64:
      (.notEncodable, "\"$bin\" takes a string of padded base64 (RFC 4648, standard alphabet)\(Self.hint)")
    case .badTimestamp:
      (.notEncodable, "\"$timestamp\" takes RFC 3339 text such as \"2024-02-29T12:34:56.789Z\"\(Self.hint)")
    case .badPairs: (.notEncodable, "\"$map\" takes an array of [key, value] pairs")
    case .badPairKey: (.notEncodable, "a key in \"$map\" must be a string: the services read no other keys")
    case .duplicatePairKey: (.notEncodable, "\"$map\" has this key twice; keep one of them")
    case .badExtension:
      (
        .notEncodable,
        "\"$ext\" takes [code, \"<base64>\"] or [code, {\"text\":\"...\"}] with a code that the service lists\(Self.hint)"
      )
    case .pickledExtension:
      (.notEncodable, "extension codes 123 to 127 would be unpickled by the service and are never passed on")
    case .timestampExtension: (.notEncodable, "extension code -1 is written as {\"$timestamp\":\"...\"}")
    case .unlistedExtension: (.notEncodable, "this extension code is not listed for the service; ask its operator")
    case .dateTypes:
      (.notEncodable, "this service takes no dates: its operator can set datetimes: pickle; else send text\(Self.hint)")
    case .badDate:
      (
        .notEncodable,
        "a date is written {\"$datetime\":\"2024-02-29T12:34:56.789012+02:00\"} ([Zone/Key] and [fold=1] may end it), {\"$date\":"
          + "\"2024-02-29\"}, {\"$time\":\"12:34:56\"} or {\"$timedelta\":\"-P1DT2H3M4.000005S\"}, with at most six decimals; it is"
          + " one that Python has: a day that exists, in the years 1 to 9999, or a timedelta below 1,000,000,000 days\(Self.hint)"
      )
    case .shape:
      (
        .badShape,
        "arguments are an array [1,2], an object {\"a\":1} or {\"args\":[...],\"kwargs\":{...}}; wrap a lone value in [ ]"
      )
    case .truncated: (.badMessagePack, "the MessagePack value ends too early or declares more than its bytes hold")
    case .reservedByte: (.badMessagePack, "c1 is no MessagePack value")
    case .trailingBytes: (.badMessagePack, "bytes follow the MessagePack value; exactly one value is expected")
    case .longString: (.badMessagePack, "a string or binary declares more bytes than follow")
    case .keyType: (.notEncodable, "a map key must be a string or binary: the services read no other keys")
    case .textNotUTF8: (.badMessagePack, "a string is not UTF-8; send its bytes as binary")
    case .repeatedKey: (.badMessagePack, "the map has this key twice; keep one of them")
    case .keywordType: (.notEncodable, "the names of keyword arguments must be strings")
    case .badMoment:
      (.notEncodable, "a timestamp (extension -1) has 4, 8 or 12 bytes and less than 10^9 nanoseconds")
    case .notFinite:
      (.notRepresentable, "JSON has no NaN and no infinity; choose null or string for non-finite numbers")
    }
  }

  /// How to send an object literally whose one key is a reserved word.
  private static let hint = "; a map with just this key is written {\"$map\":[[key,value]]}"
}
