/// The keys that say what the one member of an object stands for (contract, section 3).
enum ReservedKey {
  case binary, `extension`, pairs, timestamp, date

  /// The reserved key that `text` spells, if any.
  init?(_ text: UnsafePointer<UInt8>, _ count: Int) {
    guard count >= 4, text[0] == UInt8(ascii: "$") else { return nil }
    if ByteWord.equal(text, count, "$bin") {
      self = .binary
    } else if ByteWord.equal(text, count, "$ext") {
      self = .extension
    } else if ByteWord.equal(text, count, "$map") {
      self = .pairs
    } else if ByteWord.equal(text, count, "$timestamp") {
      self = .timestamp
    } else if ByteWord.equal(text, count, "$datetime") || ByteWord.equal(text, count, "$date")
      || ByteWord.equal(text, count, "$time") || ByteWord.equal(text, count, "$timedelta")
    {
      self = .date
    } else {
      return nil
    }
  }
}
