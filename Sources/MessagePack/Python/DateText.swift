/// Reads the text of a value of the datetime family, in the forms that `PickledDate.text` writes.
///
/// Whatever the text has too much (a seventh decimal, a zone that is both an offset and a name) refuses it: nothing is rounded.
struct DateText {
  /// What a text is read as.
  enum Kind {
    case datetime, date, time, timedelta
  }

  private let text: UnsafeRawBufferPointer
  private var at = 0

  private init(_ text: UnsafeRawBufferPointer) { self.text = text }

  /// The value of the whole text, or nil.
  static func read(_ text: UnsafeRawBufferPointer, as kind: Kind) -> PickledDate? {
    var reader = DateText(text)
    let value: PickledDate? =
      switch kind {
      case .datetime: reader.datetime()
      case .date: reader.date().map { .date($0) }
      case .time: reader.time().map { .time($0) }
      case .timedelta: reader.timedelta()
      }
    return reader.at == text.count ? value : nil
  }

  /// `2024-02-29T12:34:56.789012+02:00`
  private mutating func datetime() -> PickledDate? {
    guard let date = date(), skip("Tt "), let time = time() else { return nil }
    return .datetime(PythonDateTime(date, time))
  }

  /// `2024-02-29`
  private mutating func date() -> PythonDate? {
    guard let year = digits(4), skip("-"), let month = digits(2), skip("-"), let day = digits(2) else { return nil }
    return PythonDate(year: year, month: month, day: day)
  }

  /// `12:34:56`, with up to six decimals, then `Z`, `+02:00` or `[Europe/Paris]`, then `[fold=1]`, which Python's own text lacks.
  private mutating func time() -> PythonTime? {
    guard let hour = digits(2), skip(":"), let minute = digits(2), skip(":"), let second = digits(2),
      let microsecond = fraction()
    else { return nil }
    var zone: PythonTimeZone?
    if skip("Zz") {
      zone = .utc
    } else if let sign = peek, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") {
      guard let offset = offset() else { return nil }
      zone = PythonTimeZone(offset: offset, name: nil)
    } else if peek == UInt8(ascii: "["), !isFold {
      guard let key = bracketed(), let named = PythonTimeZone(key: key) else { return nil }
      zone = named
    }
    let fold = isFold
    if fold { at = text.count }
    return PythonTime(
      hour: hour, minute: minute, second: second, microsecond: microsecond, fold: fold, zone: zone)
  }

  /// `+HH:MM`, with seconds and their decimals when it has them: in microseconds, below 24 hours.
  private mutating func offset() -> Int? {
    let west = peek == UInt8(ascii: "-")
    guard skip("+-"), let hours = digits(2), skip(":"), let minutes = digits(2), hours < 24, minutes < 60 else {
      return nil
    }
    var (seconds, microseconds) = (0, 0)
    if skip(":") {
      guard let more = digits(2), more < 60, let fraction = fraction() else { return nil }
      (seconds, microseconds) = (more, fraction)
    }
    return ((hours * 3600 + minutes * 60 + seconds) * 1_000_000 + microseconds) * (west ? -1 : 1)
  }

  /// `P1DT2H3M4.000005S`, each part at most once and in this order, with a `-` before all of it when it is negative.
  private mutating func timedelta() -> PickledDate? {
    let isNegative = skip("-")
    guard skip("P") else { return nil }
    var days = 0
    if peek != UInt8(ascii: "T") {
      guard let count = number(), skip("D") else { return nil }
      days = count
    }
    var (seconds, microseconds) = (0, 0)
    if skip("T") {
      var isEmpty = true
      var size = 3600
      while at < text.count {
        guard let count = number() else { return nil }
        let first = at
        guard let fraction = fraction() else { return nil }
        let hasFraction = at > first
        if size == 3600, !hasFraction, skip("H") {
          (seconds, size) = (count * 3600, 60)
        } else if size >= 60, !hasFraction, skip("M") {
          (seconds, size) = (seconds + count * 60, 1)
        } else if skip("S") {
          (seconds, microseconds) = (seconds + count, fraction)
          guard at == text.count else { return nil }
        } else {
          return nil
        }
        isEmpty = false
      }
      if isEmpty { return nil }
    }
    if isNegative { (days, seconds, microseconds) = (-days, -seconds, -microseconds) }
    return PythonTimeDelta(days: days, seconds: seconds, microseconds: microseconds).map { .timedelta($0) }
  }

  private var peek: UInt8? { at < text.count ? text[at] : nil }

  /// Whether `[fold=1]` is what is left of the text.
  private var isFold: Bool { text[at...].elementsEqual("[fold=1]".utf8) }

  /// Exactly so many digits.
  private mutating func digits(_ count: Int) -> Int? {
    let first = at
    guard let value = number(atMost: count), at - first == count else { return nil }
    return value
  }

  /// At least one digit; no part of a timedelta needs more than twelve.
  private mutating func number(atMost most: Int = 12) -> Int? {
    let first = at
    var value = 0
    while at - first < most, let byte = peek, case let digit = byte &- 0x30, digit < 10 {
      value = value * 10 + Int(digit)
      at += 1
    }
    return at > first ? value : nil
  }

  /// The microseconds of a point with one to six decimals; 0 when there is no point.
  private mutating func fraction() -> Int? {
    guard skip(".") else { return 0 }
    let first = at
    guard var value = number(atMost: 6) else { return nil }
    for _ in (at - first)..<6 { value *= 10 }
    return value
  }

  /// The text between brackets.
  private mutating func bracketed() -> String? {
    guard skip("["), let end = text[at...].firstIndex(of: UInt8(ascii: "]")) else { return nil }
    defer { at = end + 1 }
    return String(decoding: text[at..<end], as: UTF8.self)
  }

  /// Steps over one of these characters.
  private mutating func skip(_ characters: StaticString) -> Bool {
    guard let byte = peek,
      UnsafeBufferPointer(start: characters.utf8Start, count: characters.utf8CodeUnitCount).contains(byte)
    else { return false }
    at += 1
    return true
  }
}
