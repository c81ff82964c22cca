/// What a header says of media types, compared without taking it apart into strings.
enum MediaType {
  /// What a request's body is.
  enum Body {
    case json
    /// curl's default; JSON only under conditions.
    case form
    case other
  }

  /// Reads `Content-Type`, parameters aside (RFC 9110, 8.3).
  static func body(_ value: UnsafeRawBufferPointer) -> Body {
    let type = essence(value)
    if type.equals("application/json") { return .json }
    if type.equals("application/x-www-form-urlencoded") { return .form }
    return type.hasSuffix("+json") ? .json : .other
  }

  /// Whether `Accept` lets the type be sent; an absent header lets everything (RFC 9110, 12.5.1).
  static func accepts(_ accept: UnsafeRawBufferPointer?, _ type: StaticString) -> Bool {
    guard let accept, !accept.isEmpty, !accept.equals("*/*") else { return true }
    var best: (specificity: Int, isWanted: Bool) = (0, false)
    for range in accept.split(separator: UInt8(ascii: ",")) {
      let range = UnsafeRawBufferPointer(rebasing: range)
      let found = specificity(essence(range), of: type)
      // The most specific range decides, so that "*/*, text/event-stream;q=0" refuses a stream.
      if found > best.specificity { best = (found, !hasZeroQuality(range)) }
    }
    return best.isWanted
  }

  private static func specificity(_ range: UnsafeRawBufferPointer, of type: StaticString) -> Int {
    if range.equals(type) { return 3 }
    if range.equals("*/*") { return 1 }
    guard range.count > 2, range.hasSuffix("/*") else { return 0 }
    let family = UnsafeRawBufferPointer(rebasing: range[..<(range.count - 1)])
    return type.withUTF8Buffer { UnsafeRawBufferPointer($0).hasPrefix(family) } ? 2 : 0
  }

  private static func hasZeroQuality(_ range: UnsafeRawBufferPointer) -> Bool {
    for parameter in range.split(separator: UInt8(ascii: ";")).dropFirst() {
      let text = String(decoding: parameter, as: UTF8.self).filter { $0 != " " && $0 != "\t" }.lowercased()
      if text.hasPrefix("q="), let quality = Double(text.dropFirst(2)), quality == 0 { return true }
    }
    return false
  }

  /// The type without parameters and blanks.
  private static func essence(_ value: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    var (start, end) = (0, value.firstIndex(of: UInt8(ascii: ";")) ?? value.count)
    while start < end, value[start] == 0x20 || value[start] == 0x09 { start += 1 }
    while end > start, value[end - 1] == 0x20 || value[end - 1] == 0x09 { end -= 1 }
    return UnsafeRawBufferPointer(rebasing: value[start..<end])
  }
}

extension UnsafeRawBufferPointer {
  /// Whether these are the bytes of the text, its letters in any case. The text is in small letters.
  func equals(_ text: StaticString) -> Bool { count == text.utf8CodeUnitCount && hasSuffix(text) }

  /// Whether the bytes end with the text, its letters in any case. The text is in small letters.
  func hasSuffix(_ text: StaticString) -> Bool {
    text.withUTF8Buffer { text in
      guard count >= text.count else { return false }
      let start = count - text.count
      for index in text.indices {
        let byte = self[start + index]
        if (0x41...0x5A ~= byte ? byte | 0x20 : byte) != text[index] { return false }
      }
      return true
    }
  }

  /// Whether the bytes begin with those, their letters in any case. These are in small letters.
  func hasPrefix(_ prefix: UnsafeRawBufferPointer) -> Bool {
    guard count >= prefix.count else { return false }
    for index in prefix.indices {
      let byte = prefix[index]
      if (0x41...0x5A ~= byte ? byte | 0x20 : byte) != self[index] { return false }
    }
    return true
  }
}
