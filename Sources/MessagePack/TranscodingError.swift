/// A document that cannot be read, or a value that cannot travel: what, where, and how to mend it.
public struct TranscodingError: Error, Hashable, Sendable {
  /// The kind of failure; unknown values stay comparable and printable.
  public struct Code: RawRepresentable, Hashable, Sendable {
    /// The name of the code.
    public let rawValue: String
    /// A code by its name.
    public init(rawValue: String) { self.rawValue = rawValue }
    /// Not JSON by RFC 8259, not UTF-8, or an object with a key twice.
    public static let badJSON = Code(rawValue: "badJSON")
    /// Good JSON, but neither an array nor an object where arguments are wanted.
    public static let badShape = Code(rawValue: "badShape")
    /// Good JSON with a value that MessagePack cannot carry, or must not.
    public static let notEncodable = Code(rawValue: "notEncodable")
    /// Not exactly one MessagePack value.
    public static let badMessagePack = Code(rawValue: "badMessagePack")
    /// More values than ``TranscodingLimits/elements``, or more bytes than ``TranscodingLimits/largestDocument``.
    public static let tooManyElements = Code(rawValue: "tooManyElements")
    /// Deeper than ``TranscodingLimits/depth``.
    public static let tooDeep = Code(rawValue: "tooDeep")
    /// Good MessagePack with a value that the chosen options do not write as JSON.
    public static let notRepresentable = Code(rawValue: "notRepresentable")
  }

  /// The kind of failure.
  public let code: Code
  /// What is wrong and what to do, for the person who sent the document.
  public let message: String
  /// The byte of the document where it was noticed, from 0.
  public let offset: Int
  /// RFC 6901 pointer to the offending value, when the failure belongs to one; "" is the whole document.
  public let pointer: String?

  /// An error as the transcoders make it.
  public init(code: Code, message: String, offset: Int, pointer: String? = nil) {
    self.code = code
    self.message = message
    self.offset = offset
    self.pointer = pointer
  }
}

extension TranscodingError: CustomStringConvertible {
  /// One line with everything known.
  public var description: String {
    "\(code.rawValue) at byte \(offset)\(pointer.map { " (\($0.isEmpty ? "whole document" : $0))" } ?? ""): \(message)"
  }
}
