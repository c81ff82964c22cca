import MessagePack
import Reactor
import ZeroMQ

/// A call that somebody awaits, until its end. Confined to the reactor's thread from when it is handed over there.
final class AwaitedReply: ReplyHandler {
  /// Bytes of the longest result that is read at once: to copy it for the caller takes longer.
  private static let readAtOnce = 16

  /// How it travels.
  let call: CopiedCall
  let timeout: Duration
  private let limits: TranscodingLimits
  /// Who awaits it; nil when it has ended. Not a checked one, which costs an allocation: it is always taken out to be resumed.
  var continuation: UnsafeContinuation<Reply, any Error>?
  /// It was handed over to the reactor.
  var hasBegun = false
  /// Its task was cancelled, perhaps before the call began.
  var isCancelled = false
  /// Its number in the engine, once it has one.
  var number: UInt32?

  init(_ call: CopiedCall, within timeout: Duration, _ limits: TranscodingLimits) {
    self.call = call
    self.limits = limits
    self.timeout = timeout
  }

  func replied(_ body: UnsafeRawBufferPointer, isException: Bool) {
    guard let continuation = continuation.take() else { return }
    // What cannot be read is left to the caller, who is told why.
    if !isException, body.count <= Self.readAtOnce, let value = try? Unpacker(limits: limits).unpack(body) {
      continuation.resume(returning: Reply(body: .value(value), isException: false))
    } else {
      continuation.resume(returning: Reply(body: .bytes(Array(body)), isException: isException))
    }
  }

  func replied(_ reply: LongReply) {
    continuation.take()?.resume(returning: Reply(body: .frame(reply.body), isException: reply.isException))
  }

  func failed(_ failure: CallFailure) { ended(by: failure) }

  func ended(by error: any Error) { continuation.take()?.resume(throwing: error) }
}

/// A reply, which is read where its caller runs, unless it is very short.
struct Reply: Sendable {
  enum Body: Sendable {
    case value(Value)
    case bytes([UInt8])
    case frame(KeptFrame)
  }

  let body: Body
  let isException: Bool

  /// The result. Throws what the service raised, and `badReply` for what cannot be read.
  func value(
    limits: TranscodingLimits, errors: [String: @Sendable (RemoteError) throws -> any Error]
  ) throws -> Value {
    switch body {
    case .value(let value): value
    case .bytes(let bytes): try bytes.withUnsafeBytes { try value($0, limits, errors) }
    case .frame(let frame): try frame.withUnsafeBytes { try value($0, limits, errors) }
    }
  }

  private func value(
    _ bytes: UnsafeRawBufferPointer, _ limits: TranscodingLimits,
    _ errors: [String: @Sendable (RemoteError) throws -> any Error]
  ) throws -> Value {
    let error: RemoteError
    do throws(TranscodingError) {
      guard isException else { return try Unpacker(limits: limits).unpack(bytes) }
      error = try RemoteError(bytes, limits: limits)
    } catch {
      throw CallFailure(.badReply, sent: true)
    }
    // A function that refuses the arguments leaves the error as it came.
    throw (try? errors[error.name]?(error)) ?? error
  }
}
