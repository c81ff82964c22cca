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
  /// What a method is told of it that wants to know; nil for others, since it takes a while to find out.
  var context: CallContext?
  let arguments: PackedArguments
  /// nil in the one-way patterns.
  let reply: Reply?
}

/// A call whose method runs beside others, with the number that it has meanwhile. It goes from thread to thread, and so is one object.
final class MethodCall: Sendable {
  let number: UInt32
  let method: Method
  let call: IncomingCall

  init(_ number: UInt32, _ method: Method, _ call: IncomingCall) {
    self.number = number
    self.method = method
    self.call = call
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
    byteCount = message[index].count + message[index + 1].count
    guard byteCount <= limits.bytes else {
      throw .unreadable("\(byteCount) bytes are more than the \(limits.bytes) that are allowed")
    }
    if byteCount <= Self.mostUnpacked {
      let positional = try Self.unpack(message[index], limits.values)
      content = .values(positional, try Self.unpack(message[index + 1], limits.values))
    } else {
      content = .frames(message.keep(index), message.keep(index + 1), limits.values)
    }
  }

  /// They are unpacked.
  var isShort: Bool { if case .values = content { true } else { false } }

  /// Arguments and keywords. Throws `ParametersError` for what is no MessagePack, too deep or too many.
  func values() throws(RemoteException) -> (Value, Value) {
    switch content {
    case .values(let positional, let keywords): return (positional, keywords)
    case .frames(let positional, let keywords, let limits):
      return (
        try positional.withUnsafeBytes { bytes throws(RemoteException) in try Self.unpack(bytes, limits) },
        try keywords.withUnsafeBytes { bytes throws(RemoteException) in try Self.unpack(bytes, limits) }
      )
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
