/// RFC 6901: the two characters a reference token must escape.
enum JSONPointer {
  static func append(_ key: UnsafeRawBufferPointer, _ pointer: inout String) {
    pointer += "/"
    for character in String(decoding: key, as: UTF8.self).unicodeScalars {
      switch character {
      case "~": pointer += "~0"
      case "/": pointer += "~1"
      default: pointer.unicodeScalars.append(character)
      }
    }
  }
}

extension JSONParser {
  /// The RFC 6901 pointer to the value that `fault` belongs to, from the frames that were open at that moment.
  func pointer(_ fault: TranscodingFault) -> String {
    var pointer = ""
    // The stack holds the parents of the innermost frame, the root (which has no members to name) first.
    for level in 0..<frames.count {
      let inner = level + 1 < frames.count ? frames[level + 1] : frame
      let nextKeys = level + 2 < frames.count ? Int(frames[level + 2].firstKey) : Int(frame.firstKey)
      let keyCount = level + 1 < frames.count ? nextKeys : keys.entries.count
      // Within a $map the keys on the list are those of its pairs, which are named by number.
      if fault.pair == nil || level + 1 < frames.count { append(inner, keyCount, fault, &pointer) }
    }
    if let pair = fault.pair { pointer += "/$map/\(pair)/0" }
    return pointer
  }

  private func append(_ frame: Frame, _ keyCount: Int, _ fault: TranscodingFault, _ pointer: inout String) {
    guard frame.isObject else {
      pointer += "/\(frame.count)"
      return
    }
    if fault.kind == .duplicateKey || keyCount > Int(frame.firstKey) + Int(frame.count) {
      var index = keyCount - 1
      // A repeated key found only at the object's end is not its last one.
      for other in Int(frame.firstKey)..<keyCount where Int(keys.entries[other].source) == fault.offset {
        index = other
      }
      let key = keys.entries[index]
      JSONPointer.append(
        UnsafeRawBufferPointer(start: output + Int(key.offset), count: Int(key.length)), &pointer)
    }
  }
}

extension JSONPrinter {
  /// The RFC 6901 pointer, into the JSON text as far as it is written (it begins at `text`), to where the pass stopped.
  func pointer(_ text: UnsafeMutablePointer<UInt8>) -> String {
    var pointer = ""
    // The stack holds the parents of the innermost frame, the root (which has no members to name) first.
    for level in 0..<frames.count {
      let inner = level + 1 < frames.count ? frames[level + 1] : frame
      let index = inner.count - inner.left
      switch inner.kind {
      case .root: break
      case .array: pointer += "/\(index)"
      case .pairs: pointer += "/$map/\(index / 2)/\(index % 2)"
      case .object:
        if inner.left & 1 != 0 { append(text + Int(inner.mark), &pointer) }
      }
    }
    return pointer
  }

  /// Adds the key whose JSON string begins at `text`.
  private func append(_ text: UnsafeMutablePointer<UInt8>, _ pointer: inout String) {
    var length = 1
    while text[length] != UInt8(ascii: "\"") { length += text[length] == UInt8(ascii: "\\") ? 2 : 1 }
    // The text is a JSON string of our own making: reading it again gives the key without its escapes.
    var plain = ByteBuffer()
    let string = UnsafeRawBufferPointer(start: text, count: length + 1)
    guard (try? JSONToMessagePack().transcode(string, into: &plain)) != nil else { return }
    plain.withUnsafeBytes { bytes in
      var cursor = Cursor(bytes)
      guard case .string(let key)? = try? cursor.token() else { return }
      JSONPointer.append(key, &pointer)
    }
  }
}
