/// MessagePack bytes to JSON text in one pass: every value has a form, and none is dropped.
///
/// Floats are the shortest text that reads back the same, always with a point or an exponent; binary data is
/// `{"$bin":"<base64>"}`, as is a string that is not UTF-8; timestamps and pickled dates are ISO 8601 text; other
/// extensions are `{"$ext":[code,"<base64>"]}`, or a string where the rules say so. A map that an object cannot show truly (two keys with the same text, or
/// one reserved key) is `{"$map":[[key,value],...]}`.
public struct MessagePackToJSON: Sendable, Hashable {
  /// How integers are written.
  public enum Integers: String, Sendable, Hashable, CaseIterable {
    /// As numbers, exactly.
    case number
    /// Those outside -2^53 ... 2^53, the range in which JavaScript has every integer, as strings.
    case string
  }

  /// How NaN and the infinities, which JSON lacks, are written.
  public enum NonFinite: String, Sendable, Hashable, CaseIterable {
    /// As null.
    case null
    /// As `"NaN"`, `"Infinity"` and `"-Infinity"`.
    case string
    /// Not at all: `notRepresentable` is thrown.
    case error
  }

  /// How maps with keys other than strings are written.
  public enum Keys: String, Sendable, Hashable, CaseIterable {
    /// As objects; a key is the JSON text of its value, in a string.
    case string
    /// As `{"$map":[[key,value],...]}`.
    case pairs
  }

  /// Depth and number of values that a document may have.
  public var limits: TranscodingLimits
  /// How integers are written. Default: as numbers.
  public var integers: Integers
  /// How NaN and the infinities are written. Default: as null.
  public var nonFinite: NonFinite
  /// How maps with keys other than strings are written. Default: as objects.
  public var keys: Keys

  /// Which extensions are written as text. Default: none.
  public var extensions: ExtensionRules

  /// A transcoder with these rules.
  public init(
    limits: TranscodingLimits = .init(), integers: Integers = .number, nonFinite: NonFinite = .null,
    keys: Keys = .string, extensions: ExtensionRules = .init()
  ) {
    self.limits = limits
    self.integers = integers
    self.nonFinite = nonFinite
    self.keys = keys
    self.extensions = extensions
  }

  /// Appends the JSON form of the one value that fills `bytes`.
  ///
  /// Throws `badMessagePack`, `tooDeep`, `tooManyElements` or `notRepresentable`; `buffer` is then as it was before.
  public func transcode(_ bytes: UnsafeRawBufferPointer, into buffer: inout ByteBuffer) throws(TranscodingError) {
    guard bytes.count <= TranscodingLimits.largestDocument else { throw TranscodingFault(.tooLarge, 0).error() }
    let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) ?? Cursor.nowhere
    try withUnsafeTemporaryAllocation(
      byteCount: JSONPrinter.lentBytes, alignment: 8
    ) { memory throws(TranscodingError) in
      var printer = JSONPrinter(
        start: start, end: start + bytes.count, options: self, before: buffer.count,
        frames: BorrowedStack(in: UnsafeMutableRawBufferPointer(rebasing: memory[..<JSONPrinter.lentToFrames])),
        keys: SeenKeys(in: UnsafeMutableRawBufferPointer(rebasing: memory[JSONPrinter.lentToFrames...])))
      do throws(TranscodingFault) {
        try printer.run(&buffer)
      } catch {
        throw error.error { printer.pointer(buffer.base + buffer.count) }
      }
    }
  }
}
