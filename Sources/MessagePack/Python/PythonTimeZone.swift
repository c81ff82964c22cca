/// What a local time is measured against, as Python's `datetime.timezone` and `zoneinfo.ZoneInfo`.
public struct PythonTimeZone: Hashable, Sendable {
  private enum Kind: Hashable {
    /// In microseconds.
    case offset(Int, name: String?)
    case named(String)
  }

  /// `datetime.timezone.utc`.
  public static let utc = PythonTimeZone(.offset(0, name: nil))

  private let kind: Kind

  private init(_ kind: Kind) { self.kind = kind }

  /// A fixed offset from UTC, with the name that Python's `tzname` gives if it has one. Nil for 24 hours and more either way, parts of
  /// a microsecond, and a name of more than 64 characters.
  public init?(offset: Duration, name: String? = nil) {
    guard let delta = PythonTimeDelta(offset), (-1...0).contains(delta.days) else { return nil }
    self.init(offset: (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds, name: name)
  }

  init?(offset microseconds: Int, name: String?) {
    guard abs(microseconds) < 86_400_000_000, (name?.unicodeScalars.count ?? 0) <= 64 else { return nil }
    kind = .offset(microseconds, name: name)
  }

  /// A zone of the time zone database, by its key, such as `Europe/Paris`. Whether Python knows it is not looked up; a key it does not
  /// know makes it keep the value as bytes. Nil for what cannot be a key: it has 1 to 64 letters, digits and `_ + - .`, in parts between
  /// slashes of which none begins with a dot.
  public init?(key: String) {
    guard Self.isKey(key) else { return nil }
    kind = .named(key)
  }

  /// The fixed offset; nil for a zone of the database, whose offset depends on the day.
  public var offset: Duration? { microseconds.map { .microseconds($0) } }

  /// The name of a fixed offset, if it has one.
  public var name: String? { if case .offset(_, let name) = kind { name } else { nil } }

  /// The key in the time zone database; nil for a fixed offset.
  public var key: String? { if case .named(let key) = kind { key } else { nil } }

  var microseconds: Int? { if case .offset(let offset, _) = kind { offset } else { nil } }

  /// So that no path escapes from a directory of zones.
  private static func isKey(_ key: String) -> Bool {
    guard (1...64).contains(key.utf8.count) else { return false }
    return key.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).allSatisfy { part in
      guard let first = part.first, first != UInt8(ascii: ".") else { return false }
      return part.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "+"), UInt8(ascii: "-"),
          UInt8(ascii: "."):
          true
        default: false
        }
      }
    }
  }
}

extension PythonTimeZone: CustomStringConvertible {
  /// `+HH:MM`, with seconds and microseconds when it has them, or the zone's key.
  public var description: String {
    switch kind {
    case .named(let key): return key
    case .offset(let offset, _):
      let (seconds, fraction) = abs(offset).quotientAndRemainder(dividingBy: 1_000_000)
      var text = offset < 0 ? "-" : "+"
      text += "\((seconds / 3600).padded(2)):\((seconds / 60 % 60).padded(2))"
      if seconds % 60 != 0 || fraction != 0 { text += ":\((seconds % 60).padded(2))" }
      if fraction != 0 { text += ".\(fraction.padded(6))" }
      return text
    }
  }
}

extension PythonTimeZone: ValueConvertible {
  public init(converting value: Value) throws(ConversionError) {
    guard case .zone(let zone)? = PickledDate(value) else { throw .needed("a timezone of Python", not: value) }
    self = zone
  }
  public func asValue() -> Value { PickledDate.zone(self).value }
}
