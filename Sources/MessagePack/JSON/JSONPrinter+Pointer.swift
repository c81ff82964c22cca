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
      guard case .string(let key)? = try? cursor.token(), let start = key.baseAddress else {
        pointer += "/"
        return
      }
      JSONPointer.append(start.assumingMemoryBound(to: UInt8.self), key.count, &pointer)
    }
  }
}
