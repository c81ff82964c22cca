import Logging
import MessagePack
import Reactor
import ZeroMQ
import ZeroMQRPC

/// A request-reply service as a shard reaches it.
final class RPCUpstream {
  let engine: CallEngine
  let policy: MethodPolicy
  let timeout: Duration
  let maximumTimeout: Duration
  let reader: JSONToMessagePack
  let replies: ReplyReader
  let longReplies: LongReplies
  /// How many calls a JSON-RPC document may have.
  let longestBatch: Int
  /// What clients make the gateway keep for the service counts here.
  let memory: MemoryBudget
  let loop: Loop

  init(
    _ service: Configuration.Service, _ rpc: Configuration.RPC, in configuration: Configuration, shared: SharedService,
    context: Context, loop: Loop, logger: Logger
  ) throws {
    var options = RPCOptions()
    options.longestReply = rpc.replyLimit
    options.longestShortReply = configuration.http.limits.inline
    // A caller may set any deadline; only one that the service's own timeout would have allowed says that the backend is silent.
    options.leastSilence = min(options.leastSilence, rpc.timeout)
    engine = try CallEngine(
      connect: rpc.connect, inFlight: shared.inFlight, memory: shared.memory, options: options, in: context,
      on: loop,
      logger: logger)
    policy = MethodPolicy(service.methods)
    timeout = rpc.timeout
    maximumTimeout = rpc.maximumTimeout
    reader = service.reader(limits: configuration.http.limits.transcoding)
    replies = ReplyReader(
      writer: service.writer(limits: configuration.http.limits.transcoding),
      errors: ErrorMap(rpc.errors.map, configuration.errors.map), exposure: configuration.exposure(rpc.errors))
    longReplies = LongReplies(shared, replies, on: loop)
    longestBatch = configuration.http.limits.batch
    memory = shared.memory
    self.loop = loop
  }
}

/// How the replies of a service become answers.
struct ReplyReader: Sendable {
  let writer: MessagePackToJSON
  let errors: ErrorMap
  let exposure: Configuration.Exposure

  /// Writes a result, which stays as it is for a client that wants MessagePack.
  func write(
    _ body: UnsafeRawBufferPointer, as format: ResultFormat, into buffer: inout ByteBuffer
  ) throws(TranscodingError) {
    guard format == .json else { return try MessagePackResult(limits: writer.limits).pass(body, into: &buffer) }
    try writer.transcode(body, into: &buffer)
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
    let verdict = errors.verdict(
      for: exception.name, firstArgument: exception.firstArgument, innerArgument: exception.innerArgument,
      calling: method.text)
    return Problem(shown, verdict, exposing: exposure)
  }
}
