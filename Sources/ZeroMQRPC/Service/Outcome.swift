import MessagePack

/// What becomes of a call: the body of its reply, packed where the method ran.
struct Outcome: Sendable {
  let body: [UInt8]
  let isException: Bool
  /// The arguments could not be read.
  let isMalformed: Bool

  private init(body: [UInt8]) {
    self.body = body
    isException = false
    isMalformed = false
  }

  init(_ exception: RemoteException, isMalformed: Bool = false) {
    body = exception.body
    isException = true
    self.isMalformed = isMalformed
  }

  /// An exception; one that is too long is answered with that, as a result is.
  static func packing(_ exception: RemoteException, _ limits: MessageLimits, isMalformed: Bool = false) -> Outcome {
    let outcome = Outcome(exception, isMalformed: isMalformed)
    guard outcome.body.count > limits.bytes else { return outcome }
    return Outcome(
      .tooLong("the \(exception.name.prefix(256))", outcome.body.count, limits), isMalformed: isMalformed)
  }

  /// A result; what cannot be packed is answered with why, as aiozmq does.
  static func packing(_ value: Value, _ limits: MessageLimits) -> Outcome {
    do throws(TranscodingError) {
      let packed = try Packer(limits: limits.values, allowsAnyKeys: limits.allowsAnyKeys).pack(value)
      guard packed.count <= limits.bytes else {
        return Outcome(.tooLong("the result", packed.count, limits))
      }
      return Outcome(body: packed)
    } catch {
      return Outcome(error.code == .tooDeep ? .value(error.message) : .type(error.message))
    }
  }
}

extension RemoteException {
  fileprivate static func tooLong(_ what: String, _ count: Int, _ limits: MessageLimits) -> RemoteException {
    .value("\(what) has \(count) bytes, which are more than the \(limits.bytes) allowed")
  }
}
