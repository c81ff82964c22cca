/// The value of MessagePack's extension -1: a moment in UTC, in nanoseconds from 1970-01-01.
struct Timestamp: Hashable {
  var seconds: Int64
  /// 0 ..< 10^9, counted forwards also before 1970.
  var nanoseconds: UInt32

  /// The moment that an extension's payload of 4, 8 or 12 bytes holds; nil for others and for 10^9 ns and above.
  init?(payload: UnsafeRawBufferPointer) {
    switch payload.count {
    case 4:
      seconds = Int64(UInt32(bigEndian: payload.loadUnaligned(as: UInt32.self)))
      nanoseconds = 0
    case 8:
      let word = UInt64(bigEndian: payload.loadUnaligned(as: UInt64.self))
      seconds = Int64(word & 0x3_ffff_ffff)
      nanoseconds = UInt32(word >> 34)
    case 12:
      nanoseconds = UInt32(bigEndian: payload.loadUnaligned(as: UInt32.self))
      seconds = Int64(bigEndian: payload.loadUnaligned(fromByteOffset: 4, as: Int64.self))
    default: return nil
    }
    guard nanoseconds < 1_000_000_000 else { return nil }
  }

  /// Writes the whole extension value in its shortest form, at most 15 bytes, and gives the position behind it.
  func write(_ out: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8> {
    if seconds >= 0, seconds < 1 << 34 {
      if nanoseconds == 0, seconds < 1 << 32 {
        let body = MessagePackWriter.extensionHeader(-1, 4, out)
        ByteWord.store(UInt32(seconds).bigEndian, body)
        return body + 4
      }
      let body = MessagePackWriter.extensionHeader(-1, 8, out)
      ByteWord.store((UInt64(nanoseconds) << 34 | UInt64(seconds)).bigEndian, body)
      return body + 8
    }
    let body = MessagePackWriter.extensionHeader(-1, 12, out)
    ByteWord.store(nanoseconds.bigEndian, body)
    ByteWord.store(UInt64(bitPattern: seconds).bigEndian, body + 4)
    return body + 12
  }
}

extension Timestamp {
  /// Reads RFC 3339 text: `2024-02-29T12:34:56.789Z`, up to nine decimals, years 1 to 9999, `Z` or an offset. No leap
  /// second: MessagePack's count has no place for one.
  init?(text: UnsafeRawBufferPointer) {
    var at = 0
    func digits(_ count: Int) -> Int? {
      guard at + count <= text.count else { return nil }
      var value = 0
      for _ in 0..<count {
        guard case let digit = text[at] &- 0x30, digit < 10 else { return nil }
        value = value * 10 + Int(digit)
        at += 1
      }
      return value
    }
    func skip(_ bytes: StaticString) -> Bool {
      guard at < text.count else { return false }
      for i in 0..<bytes.utf8CodeUnitCount where bytes.utf8Start[i] == text[at] {
        at += 1
        return true
      }
      return false
    }
    guard let year = digits(4), skip("-"), let month = digits(2), skip("-"), let day = digits(2), skip("Tt "),
      let hour = digits(2), skip(":"), let minute = digits(2), skip(":"), let second = digits(2),
      PythonDate.isValid(year, month, day), hour < 24, minute < 60, second < 60
    else { return nil }
    var fraction = 0
    if skip(".") {
      let first = at
      while at < text.count, let digit = digits(1) {
        guard at - first <= 9 else { return nil }
        fraction = fraction * 10 + digit
      }
      guard at > first else { return nil }
      for _ in (at - first)..<9 { fraction *= 10 }
    }
    var offset = 0
    if !skip("Zz") {
      let west = at < text.count && text[at] == UInt8(ascii: "-")
      guard skip("+-"), let hours = digits(2), skip(":"), let minutes = digits(2), hours < 24, minutes < 60 else {
        return nil
      }
      offset = (hours * 3600 + minutes * 60) * (west ? -1 : 1)
    }
    guard at == text.count else { return nil }
    let days = PythonDate.days(year, month, day)
    seconds = Int64(days * 86_400 + hour * 3600 + minute * 60 + second - offset)
    nanoseconds = UInt32(fraction)
  }

  /// The text, with 0, 3, 6 or 9 decimals as needed; nil outside the years 1 to 9999.
  var text: String? {
    let (days, rest) = Int(seconds).quotientAndFloorRemainder(dividingBy: 86_400)
    guard let date = PythonDate(daysSince1970: days) else { return nil }
    var text = "\(date)T\(PythonTime.clock(rest / 3600, rest / 60 % 60, rest % 60))"
    let fraction = Int(nanoseconds)
    if fraction % 1_000 != 0 {
      text += ".\(fraction.padded(9))"
    } else if fraction % 1_000_000 != 0 {
      text += ".\((fraction / 1_000).padded(6))"
    } else if fraction != 0 {
      text += ".\((fraction / 1_000_000).padded(3))"
    }
    return text + "Z"
  }
}
