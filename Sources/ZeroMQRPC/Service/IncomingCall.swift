import MessagePack
import ZeroMQ

/// A call as it came in.
struct IncomingCall: Sendable {
  /// The way back to the caller.
  struct Reply: Sendable {
    let envelope: Envelope
    let number: UInt32
  }

  let name: String
  let arguments: PackedArguments
  /// nil in the one-way patterns.
  let reply: Reply?
}

/// A call whose method runs beside others. It goes from thread to thread, and so is one object.
final class MethodCall: Sendable {
  let method: Method
  let call: IncomingCall
  let context: CallContext

  init(_ method: Method, _ call: IncomingCall, _ context: CallContext) {
    self.method = method
    self.call = call
    self.context = context
  }

  /// Bytes of its arguments.
  var byteCount: Int { call.arguments.byteCount }
  /// nil in the one-way patterns.
  var reply: IncomingCall.Reply? { call.reply }
}

/// What the messages of a service are held to.
struct MessageLimits: Sendable {
  /// Of what is in them.
  let values: TranscodingLimits
  /// Of the longest one.
  let bytes: Int
  /// Maps in results may have any keys.
  let allowsAnyKeys: Bool

  init(_ options: ServiceOptions) {
    values = options.limits
    bytes = options.longestMessage
    allowsAnyKeys = options.allowsAnyKeys
  }
}

/// The arguments of a call before they are bound: short ones unpacked on the reactor, long ones where the method runs.
struct PackedArguments: Sendable {
  /// They were found not to be what they should be when the method was to run.
  struct Unreadable: Error { let exception: RemoteException }

  private struct Frames: Sendable { let positional: KeptFrame, keywords: KeptFrame, limits: TranscodingLimits }

  /// Up to so many bytes are unpacked on the reactor: others wait for that.
  private static let mostUnpacked = 64 << 10

  /// Bytes of both.
  let byteCount: Int
  // Side by side: a copy of one that holds either would be made each time that it is looked at.
  private let positional: Value
  /// None when nothing is given by name.
  private let keywords: Value?
  /// Of long ones.
  private let frames: Frames?

  /// Those of the frames at `index` and behind it. Throws what is wrong with those that are unpacked at once.
  init(_ message: borrowing ReceivedMessage, at index: Int, _ limits: MessageLimits) throws(RemoteException) {
    let (positional, keywords) = (message[index], message[index + 1])
    byteCount = positional.count + keywords.count
    guard byteCount <= limits.bytes else {
      throw .unreadable("\(byteCount) bytes are more than the \(limits.bytes) that are allowed")
    }
    if byteCount <= Self.mostUnpacked {
      self.positional = try Self.unpack(positional, limits.values)
      self.keywords = try Self.unpackKeywords(keywords, limits.values)
      frames = nil
    } else {
      (self.positional, self.keywords) = (.nil, .none)
      frames = Frames(positional: message.keep(index), keywords: message.keep(index + 1), limits: limits.values)
    }
  }

  /// They are unpacked.
  var isShort: Bool { frames == nil }

  /// Binds them to the parameters of a method. Throws `ParametersError`, and `Unreadable` for what is no MessagePack, too deep or too many.
  func bound(to signature: Signature) throws -> BoundArguments {
    guard let frames else { return try signature.bind(positional, keywords) }
    let values: (Value, Value?)
    do throws(RemoteException) {
      values = (
        try frames.positional.withUnsafeBytes { bytes throws(RemoteException) in try Self.unpack(bytes, frames.limits)
        },
        try frames.keywords.withUnsafeBytes { bytes throws(RemoteException) in
          try Self.unpackKeywords(bytes, frames.limits)
        }
      )
    } catch {
      throw Unreadable(exception: error)
    }
    return try signature.bind(values.0, values.1)
  }

  /// Python's text for the log; of long ones the number of bytes.
  var texts: (arguments: String, keywords: String) {
    guard let frames else { return (positional.pythonRepr, keywords?.pythonRepr ?? "{}") }
    return ("\(frames.positional.count) bytes", "\(frames.keywords.count) bytes")
  }

  private static func unpackKeywords(
    _ bytes: UnsafeRawBufferPointer, _ limits: TranscodingLimits
  ) throws(RemoteException) -> Value? {
    // A `nil` would be read as the value nil.
    if bytes.count == 1, bytes[0] == 0x80 { return .none }
    return try unpack(bytes, limits)
  }

  private static func unpack(
    _ bytes: UnsafeRawBufferPointer, _ limits: TranscodingLimits
  ) throws(RemoteException) -> Value {
    do throws(TranscodingError) { return try Unpacker(limits: limits).unpack(bytes) } catch {
      throw .unreadable(error.message)
    }
  }
}

extension RemoteException {
  fileprivate static func unreadable(_ message: String) -> RemoteException {
    .parameters("Cannot unpack the arguments: \(message)", class: "ValueError")
  }
}
