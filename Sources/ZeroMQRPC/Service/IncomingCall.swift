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

/// A call whose method runs beside others, with the number that it has meanwhile. It goes from thread to thread, and so is one object.
final class MethodCall: Sendable {
  let number: UInt32
  let method: Method
  let call: IncomingCall
  let context: CallContext

  init(_ number: UInt32, _ method: Method, _ call: IncomingCall, _ context: CallContext) {
    self.number = number
    self.method = method
    self.call = call
    self.context = context
  }
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

  private enum Content {
    case values(Value, Value)
    case frames(KeptFrame, KeptFrame, TranscodingLimits)
  }

  /// Up to so many bytes are unpacked on the reactor: others wait for that.
  private static let mostUnpacked = 64 << 10

  /// Bytes of both.
  let byteCount: Int
  private let content: Content

  /// Those of the frames at `index` and behind it. Throws what is wrong with those that are unpacked at once.
  init(_ message: borrowing ReceivedMessage, at index: Int, _ limits: MessageLimits) throws(RemoteException) {
    let (arguments, keywords) = (message[index], message[index + 1])
    byteCount = arguments.count + keywords.count
    guard byteCount <= limits.bytes else {
      throw .unreadable("\(byteCount) bytes are more than the \(limits.bytes) that are allowed")
    }
    if byteCount <= Self.mostUnpacked {
      content = .values(try Self.unpack(arguments, limits.values), try Self.unpack(keywords, limits.values))
    } else {
      content = .frames(message.keep(index), message.keep(index + 1), limits.values)
    }
  }

  /// They are unpacked.
  var isShort: Bool { if case .values = content { true } else { false } }

  /// Binds them to the parameters of a method. Throws `ParametersError`, and `Unreadable` for what is no MessagePack, too deep or too many.
  func bound(to signature: Signature) throws -> BoundArguments {
    switch content {
    case .values(let positional, let keywords): return try signature.bind(positional, keywords)
    case .frames(let positional, let keywords, let limits):
      return try signature.bind(Self.unpack(positional, limits), Self.unpack(keywords, limits))
    }
  }

  private static func unpack(_ frame: KeptFrame, _ limits: TranscodingLimits) throws(Unreadable) -> Value {
    do throws(RemoteException) {
      return try frame.withUnsafeBytes { bytes throws(RemoteException) in try unpack(bytes, limits) }
    } catch {
      throw Unreadable(exception: error)
    }
  }

  /// Python's text for the log; of long ones the number of bytes.
  var texts: (arguments: String, keywords: String) {
    switch content {
    case .values(let positional, let keywords): (positional.pythonRepr, keywords.pythonRepr)
    case .frames(let positional, let keywords, _): ("\(positional.count) bytes", "\(keywords.count) bytes")
    }
  }

  private static func unpack(
    _ bytes: UnsafeRawBufferPointer, _ limits: TranscodingLimits
  ) throws(RemoteException) -> Value {
    // Mostly nothing is given by name.
    if bytes.count == 1, bytes[0] == 0x80 { return .map([]) }
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
