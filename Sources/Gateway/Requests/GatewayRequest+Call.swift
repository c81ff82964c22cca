import HTTPServer
import MessagePack
import ZeroMQRPC

/// Request and reply.
extension GatewayRequest: ReplyHandler {
  func call(_ method: String, of backend: RPCUpstream) throws(Refusal) {
    handler.buffers.clear()
    let query = try readQuery(exchange.method == .post ? .nothing : .arguments)
    let timeout = try timeout(query, of: backend)
    defer { handler.buffers.clear() }
    try answeringFailures {
      let frames: CallFrames
      if exchange.method == .post {
        try checkContentType()
        frames = try backend.reader.transcodeCall(exchange.body, into: &handler.buffers.request)
      } else {
        frames = try query.transcode(backend.reader, into: &handler.buffers.request)
      }
      let number = try handler.buffers.withFrames(frames) { arguments, keywords in
        var method = method
        return try method.withUTF8 {
          try backend.client.call(
            BorrowedCall(method: UnsafeRawBufferPointer($0), arguments: arguments, keywords: keywords),
            timeout: timeout, replyTo: self)
        }
      }
      call = Call(backend: backend, number: number)
    }
  }

  /// The control parameters, and the arguments where the query may hold some.
  func readQuery(_ content: Query.Content, controls: Set<String> = [RequestTimeout.parameter]) throws(Refusal) -> Query
  {
    let bytes = UnsafeRawBufferPointer(rebasing: exchange.target[query])
    return try bytes.bytes { span throws(Refusal) in try Query(span, content, controls: controls) }
  }

  private func timeout(_ query: Query, of backend: RPCUpstream) throws(Refusal) -> Duration {
    if let text = query.control(RequestTimeout.parameter) {
      return try RequestTimeout.parse(text, maximum: backend.maximumTimeout)
    }
    guard let header = exchange.header(.requestTimeout) else { return backend.timeout }
    return try RequestTimeout.parse(String(decoding: header, as: UTF8.self), maximum: backend.maximumTimeout)
  }

  func replied(_ body: UnsafeRawBufferPointer, isException: Bool) {
    guard let call else { return }
    self.call = nil
    if isException { return raised(body, call.backend) }
    let buffers = handler.buffers
    buffers.clear()
    defer { buffers.clear() }
    do throws(TranscodingError) {
      try call.backend.writer.transcode(body, into: &buffers.reply)
    } catch {
      return answer(unreadable(error))
    }
    buffers.reply.withUnsafeBytes { json in
      if exchange.method == .post {
        exchange.respond(200, contentType: "application/json", body: json)
      } else {
        respondTagged(json)
      }
    }
  }

  func failed(_ failure: CallFailure) {
    guard call != nil else { return }
    call = nil
    answer(problem(failure))
  }

  private func respondTagged(_ json: UnsafeRawBufferPointer) {
    let tag = EntityTag.of(json)
    if EntityTag.matches(exchange.header(.ifNoneMatch), tag) {
      let empty = UnsafeRawBufferPointer(start: nil, count: 0)
      exchange.respond(304, contentType: "", headers: [("ETag", tag)], body: empty)
    } else {
      exchange.respond(200, contentType: "application/json", headers: [("ETag", tag)], body: json)
    }
  }

  private func raised(_ body: UnsafeRawBufferPointer, _ backend: RPCUpstream) {
    guard case .rpc(_, let method)? = route else { return }
    handler.buffers.clear()
    defer { handler.buffers.clear() }
    do throws(TranscodingError) {
      let reply = try RemoteReply(body, writer: backend.writer, buffers: handler.buffers)
      let verdict = backend.errors.verdict(
        for: reply.exception.type, firstArgument: reply.firstArgument, innerArgument: reply.innerArgument,
        calling: method)
      let base = makeProblem(verdict.code, "")
      answer(
        Problem(
          reply.exception, verdict, exposing: backend.exposure, instance: base.instance, requestID: base.requestID))
    } catch {
      answer(unreadable(error))
    }
  }

  /// A reply that is not MessagePack, or cannot be shown.
  private func unreadable(_ error: TranscodingError) -> Problem {
    let code: ProblemCode =
      switch error.code {
      case .badMessagePack: .badReply
      case .tooManyElements: .replyTooLarge
      default: .replyNotRepresentable
      }
    var problem = makeProblem(code, "The backend's reply cannot be passed on: \(error.message)")
    problem.sent = true
    problem.pointer = error.pointer
    return problem
  }
}
