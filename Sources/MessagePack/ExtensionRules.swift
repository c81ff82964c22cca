/// Which values of application types (MessagePack's extensions) pass between clients and a service, and in which form.
///
/// Without rules none comes in and each goes out as `{"$ext":[code,"<base64>"]}`. Timestamps (code -1) always pass. What aiozmq
/// services unpickle (123 to 127) is never passed on as it came: a sender of those could run code there.
public struct ExtensionRules: Sendable, Hashable {
  /// How the values of a listed code are shown in JSON.
  public enum Form: String, Sendable, Hashable, CaseIterable {
    /// As a string, when their bytes are UTF-8 text; others as `base64`.
    case text
    /// As `{"$ext":[code,"<base64>"]}`.
    case base64
  }

  /// The codes that can be listed: aiozmq has no others to give.
  public static let codes: ClosedRange<Int8> = 0...122

  /// The codes that clients may send, and those among them that are shown as text: a bit for each.
  private let listed: SIMD2<UInt64>
  private let texts: SIMD2<UInt64>
  /// Whether clients may send dates, which are pickled for the service.
  public let picklesDates: Bool

  /// Rules by which clients may send the codes of `forms`, those outside ``codes`` excepted, and, if so told, dates.
  public init(_ forms: [Int8: Form] = [:], picklesDates: Bool = false) {
    var (listed, texts) = (SIMD2<UInt64>(), SIMD2<UInt64>())
    for (code, form) in forms where Self.codes.contains(code) {
      listed[Int(code) >> 6] |= 1 << UInt64(code & 63)
      if form == .text { texts[Int(code) >> 6] |= 1 << UInt64(code & 63) }
    }
    self.listed = listed
    self.texts = texts
    self.picklesDates = picklesDates
  }

  /// Whether a client may send this code.
  func lists(_ code: Int8) -> Bool { code >= 0 && listed[Int(code) >> 6] >> UInt64(code & 63) & 1 != 0 }

  /// Whether values of this code are shown as text.
  func isText(_ code: Int8) -> Bool { code >= 0 && texts[Int(code) >> 6] >> UInt64(code & 63) & 1 != 0 }
}
