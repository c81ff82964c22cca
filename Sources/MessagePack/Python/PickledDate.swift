/// A value of Python's datetime family, as aiozmq sends it in extensions 123 to 127.
///
/// Made only from checked parts, by a reader that knows these classes and nothing else: it can run no code and look up
/// no name.
enum PickledDate: Hashable {
  case date(PythonDate)
  case time(PythonTime)
  case datetime(PythonDateTime)
  case timedelta(PythonTimeDelta)
  case zone(PythonTimeZone)

  /// Reads an extension's payload; nil when it is anything but a value of the class that belongs to `code`.
  init?(code: Int8, payload: UnsafeRawBufferPointer) {
    guard let value = PickleReader.read(payload), value.code == code else { return nil }
    self = value
  }

  /// Nil for what is no such extension.
  init?(_ value: Value) {
    guard case .ext(let code, let payload) = value, code >= 123,
      let date = payload.withUnsafeBytes({ PickledDate(code: code, payload: $0) })
    else { return nil }
    self = date
  }

  /// The extension.
  var value: Value { .ext(code, pickle) }

  /// The extension code of the value's class.
  var code: Int8 {
    switch self {
    case .zone: 123
    case .timedelta: 124
    case .time: 125
    case .datetime: 126
    case .date: 127
    }
  }

  /// ISO 8601 text: what Python's `isoformat` gives; a duration such as `P1DT2H3M4.000005S`; an offset; a zone's key. A
  /// time in a named zone is the local time with the key in brackets (RFC 9557).
  var text: String {
    switch self {
    case .date(let date): date.description
    case .time(let time): time.description
    case .datetime(let moment): moment.description
    case .timedelta(let delta): delta.description
    case .zone(let zone): zone.description
    }
  }
}
