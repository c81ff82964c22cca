/// The result of a service for a client that wants MessagePack: checked, and passed on as it came.
///
/// Only what aiozmq pickles (extensions 123 to 127) is rewritten: a date becomes its ISO 8601 text, as in JSON, and anything else
/// the map `{"$ext": [code, bytes]}`.
public struct MessagePackResult: Sendable, Hashable {
  /// Depth and number of values that a document may have.
  public let limits: TranscodingLimits

  /// Results within these limits.
  public init(limits: TranscodingLimits = .init()) { self.limits = limits }

  /// Appends the one value that fills `bytes`.
  ///
  /// Throws `badMessagePack`, `tooDeep` or `tooManyElements`; `buffer` is then as it was before.
  public func pass(_ bytes: UnsafeRawBufferPointer, into buffer: inout ByteBuffer) throws(TranscodingError) {
    _ = try MessagePackPass.run(bytes, .toClient, limits, &buffer)
  }
}
