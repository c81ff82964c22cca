import MessagePack
import ZeroMQRPC

/// How the replies of a service become answers.
struct ReplyReader: Sendable {
  let writer: MessagePackToJSON
  let errors: ErrorMap
  /// What holds for some methods before `errors` and `exposure`; nil when nothing does.
  let special: SettingsByName?
  let exposure: Configuration.Exposure

  /// Writes a result, which stays as it is for a client that wants MessagePack.
  func write(
    _ body: UnsafeRawBufferPointer, as format: ResultFormat, into buffer: inout ByteBuffer
  ) throws(TranscodingError) {
    guard format == .json else { return try MessagePackResult(limits: writer.limits).pass(body, into: &buffer) }
    try writer.transcode(body, into: &buffer)
  }

  /// Appends the result of a call in that format, or returns what is answered in its place; the buffer is then left to be cleared.
  func read(
    _ body: UnsafeRawBufferPointer, isException: Bool, calling method: MethodName, as format: ResultFormat,
    into result: inout ByteBuffer
  ) -> Problem? {
    do throws(TranscodingError) {
      if isException { return try problem(body, calling: method, &result) }
      try write(body, as: format, into: &result)
      return nil
    } catch {
      return Problem(reply: error)
    }
  }

  /// What an exception that came as the reply is answered with. Leaves its arguments in the buffer.
  func problem(
    _ body: UnsafeRawBufferPointer, calling method: MethodName, _ buffer: inout ByteBuffer
  ) throws(TranscodingError) -> Problem {
    let exception = try RemoteException(body, limits: writer.limits)
    try exception.arguments.span.withUnsafeBytes { arguments throws(TranscodingError) in
      try writer.transcode(arguments, into: &buffer)
    }
    let shown = ShownException(
      type: exception.name, arguments: buffer.withUnsafeBytes { Array($0) }, repr: exception.repr)
    let errors = special?.errors(for: method.text, before: errors) ?? errors
    let verdict = errors.verdict(
      for: exception.name, firstArgument: exception.firstArgument, innerArgument: exception.innerArgument,
      calling: method.text)
    return Problem(shown, verdict, exposing: special?.first(for: method.text, \.errors.expose) ?? exposure)
  }
}
