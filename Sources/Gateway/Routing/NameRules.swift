/// What names of services, methods and topics may be.
enum NameRules {
  /// The longest name of a service or a method, in bytes.
  static let longest = 255
  /// The longest topic, in bytes: libzmq 4.3.4 corrupts its subscription stream above.
  static let longestTopic = 245

  /// Whether a service can have this name.
  static func isService(_ name: Span<UInt8>) -> Bool {
    if name.isEmpty || name.count > longest { return false }
    for index in name.indices where !name[index].isNameByte { return false }
    return true
  }

  /// Whether a method of this name can be called: no part between its dots is empty or starts with `_`.
  static func isMethod(_ name: Span<UInt8>) -> Bool {
    if name.isEmpty || name.count > longest { return false }
    var startsPart = true
    for index in name.indices {
      let byte = name[index]
      if startsPart, byte == 0x5F || byte == 0x2E { return false }
      if !byte.isNameByte { return false }
      startsPart = byte == 0x2E
    }
    return !startsPart
  }
}
