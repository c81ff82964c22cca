import MessagePack

/// An exception as a backend sends it: `[dotted name, args, repr]`, read without trust.
struct RemoteReply {
  let exception: RemoteException
  /// The first argument when it is a string.
  let firstArgument: String?
  /// The first argument of the exception inside, when the second argument is an array that begins with a string: a relayed
  /// `GenericError(name, args, repr)`.
  let innerArgument: String?

  /// Reads the body of an exception reply. Releases of aiozmq before 0.2 sent no repr.
  init(_ body: UnsafeRawBufferPointer, writer: MessagePackToJSON, buffers: TranscodingBuffers) throws(TranscodingError)
  {
    var cursor = Cursor(body, limits: writer.limits)
    guard case .array(let count) = try cursor.next(), count == 2 || count == 3,
      case .string(let name) = try cursor.next()
    else { throw Self.malformed }
    let start = cursor.offset
    try cursor.skipValue()
    let arguments = UnsafeRawBufferPointer(rebasing: body[start..<cursor.offset])
    var repr: String?
    if count == 3 {
      guard case .string(let text) = try cursor.next() else { throw Self.malformed }
      repr = String(decoding: text, as: UTF8.self)
    }
    guard cursor.isAtEnd else { throw Self.malformed }
    buffers.reply.removeAll()
    try writer.transcode(arguments, into: &buffers.reply)
    exception = RemoteException(
      type: String(decoding: name, as: UTF8.self), arguments: buffers.reply.withUnsafeBytes { Array($0) }, repr: repr)
    (firstArgument, innerArgument) = Self.firstStrings(arguments, limits: writer.limits)
  }

  private static func firstStrings(
    _ arguments: UnsafeRawBufferPointer, limits: TranscodingLimits
  ) -> (String?, String?) {
    var cursor = Cursor(arguments, limits: limits)
    guard case .array? = try? cursor.next(), case .string(let first)? = try? cursor.next() else { return (nil, nil) }
    let name = String(decoding: first, as: UTF8.self)
    guard case .array(1...)? = try? cursor.next(), case .string(let inner)? = try? cursor.next() else {
      return (name, nil)
    }
    return (name, String(decoding: inner, as: UTF8.self))
  }

  private static let malformed = TranscodingError(
    code: .badMessagePack, message: "The reply is not the exception of an aiozmq service.", offset: 0)
}
