public import Foundation
public import MessagePack

extension TimeZone {
  /// The zone of that key, or that fixed offset. The name of a fixed offset is lost.
  ///
  /// Throws for a key that Foundation does not know, and for an offset that it does not take: one of more than 18 hours, or with parts of a
  /// second.
  public init(python zone: PythonTimeZone) throws(ConversionError) {
    if let key = zone.key {
      guard let known = TimeZone(identifier: key) else {
        throw ConversionError(code: .value, message: "Foundation knows no zone \(key)")
      }
      self = known
    } else {
      let (seconds, rest) = (zone.offset ?? .zero).components
      guard rest == 0, let fixed = TimeZone(secondsFromGMT: Int(seconds)) else {
        throw ConversionError(
          code: .value, message: "Foundation has no offset of \(zone): it takes whole seconds, up to 18 hours")
      }
      self = fixed
    }
  }
}

extension PythonTimeZone {
  /// The key of a zone, or a fixed offset where Foundation's identifier is that of one, such as `GMT+0130`; UTC and GMT become
  /// `PythonTimeZone.utc`. Of one that follows the system's settings it is the zone of this moment.
  ///
  /// Throws for an identifier that can be no key. Whether Python knows it is not looked up.
  public init(_ zone: TimeZone) throws(ConversionError) {
    let identifier = zone.identifier
    if ["UTC", "GMT"].contains(identifier) {
      self = .utc
    } else if identifier.hasPrefix("GMT"), let fixed = PythonTimeZone(offset: .seconds(zone.secondsFromGMT())) {
      self = fixed
    } else if let named = PythonTimeZone(key: identifier) {
      self = named
    } else {
      throw ConversionError(code: .value, message: "\(identifier) is no key of a zone")
    }
  }
}
